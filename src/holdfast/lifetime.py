"""Lifetime value for the customers of a project: the expected value within horizons of up to three years.

The model in charge answers for the horizon that the configuration names, and its answer stays what it is, to the bit.
From there the model of the customer base in its bundle carries on (:mod:`holdfast.models.lifetime`), so nothing is
learnt here, and who has the bundle alone gets the same from :meth:`holdfast.models.Bundle.value_over`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from holdfast.dataset import Dataset
from holdfast.models import Bundle
from holdfast.models.btyd.discounting import refuse_discount
from holdfast.models.lifetime import Lifetime, value_columns, within_three_years
from holdfast.scoring import declarations
from holdfast.timeline import instant

YEARS = (365.0, 730.0, 1095.0)


def lifetime_value(
    dataset: Dataset, bundle: Bundle, as_of: str, horizons: Sequence[float] = YEARS, yearly_discount: float = 0.0
) -> pd.DataFrame:
    """Every customer of the population as known at an instant, with the expected value within each horizon.

    Parameters
    ----------
    bundle : Bundle
        Its value model answers for ``value.horizon_days`` and holds a model of the customer base.
    horizons : sequence of float
        Days from the beginning of the outcome window, increasing, at most three years.
    yearly_discount : float
        0.1 for a tenth a year; 0 for none.

    Returns
    -------
    DataFrame
        As :func:`columns` says, in order of customers.

    Raises
    ------
    InputError
        The horizons do not increase, or one is longer than three years, or the discount is below 0 or not finite.
    BundleError
        The bundle holds no model of the customer base, or its features cannot be built.
    ConfigError, DataError
        As scoring raises them.
    """
    wanted, at = within_three_years(horizons), instant(as_of)
    refuse_discount(yearly_discount)
    Lifetime.of(bundle.value, bundle.card)  # what is missing is told before anything is read
    dataset.require_known(at)
    features = declarations(bundle, dataset.vocabulary, dataset.own.records)
    return dataset.everyone(features, [at], Prospect(bundle, wanted, yearly_discount), columns(wanted))


def columns(horizons: Sequence[float]) -> dict[str, str]:
    """Names and types of what :func:`lifetime_value` gives.

    ``customer_id``, ``cutoff`` (int64 microseconds) and ``value_<days>d``, in currency, for each horizon; a customer's
    never decreases in the horizon.
    """
    return {"customer_id": "str", "cutoff": "int64", **dict.fromkeys(value_columns(horizons), "float64")}


@dataclass(frozen=True)
class Prospect:
    """What :func:`lifetime_value` says of a piece of the snapshots."""

    bundle: Bundle
    horizons: tuple[float, ...]
    yearly_discount: float

    def __call__(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Columns of :func:`columns`, one row per row of the frame."""
        said = self.bundle.value_over(frame, self.horizons, self.yearly_discount)
        return pd.concat([frame[["customer_id", "cutoff"]], said], axis=1)
