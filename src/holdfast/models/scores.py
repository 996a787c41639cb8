"""What a bundle says of some customers, each part of its models evaluated once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from holdfast.models.calibration import sigmoid
from holdfast.models.checks import InputError, Matrix, Vector
from holdfast.models.states import StateOutlook
from holdfast.models.value import Distribution

COVERAGE = 0.9
PREDICTIONS = (
    "p_churn",
    "value",
    "value_low",
    "value_high",
    "expected_loss",
    "p_gone",
    "p_leaving",
    "p_staying",
    "value_if_kept",
    "value_if_kept_low",
    "value_if_kept_high",
    "value_if_lost",
)
"""Columns of :meth:`Scores.predictions`, in their order."""


@dataclass(frozen=True)
class Scores:
    """Risk and value of some customers, and what each feature adds to the risk if that was asked for.

    Attributes
    ----------
    feature_names : tuple of str
        In the order of ``contributions``.
    log_odds : array of shape (n_rows,)
        Calibrated, of churn.
    value : Distribution
        Predictive distribution of the value, in currency.
    outlook : StateOutlook
        Who has gone, who is leaving, who stays, and what hangs on it.
    contributions : array of shape (n_rows, n_features + 1) or None
        In log-odds, the base last; rows sum to ``log_odds`` within 1e-9.
    index : Index
        That of the customers' rows.
    """

    feature_names: tuple[str, ...]
    log_odds: Vector
    value: Distribution
    outlook: StateOutlook
    contributions: Matrix | None
    index: pd.Index

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Columns ``PREDICTIONS``: probabilities; means and central 90 % intervals of values, and what is at stake."""
        outlook = self.outlook
        told = (
            sigmoid(self.log_odds),
            self.value.mean(),
            *self.value.interval(COVERAGE),
            outlook.expected_loss,
            outlook.gone,
            outlook.leaving,
            outlook.staying,
            outlook.value_if_kept,
            *outlook.kept.interval(COVERAGE),
            outlook.lost,
        )
        return pd.DataFrame(dict(zip(PREDICTIONS, told, strict=True)), index=self.index)

    def probability_value_above(self, amount: ArrayLike) -> Vector:
        """P(value > amount) per row; the amount is one number or one per row, in currency."""
        return self.value.above(amount)

    def probability_at_stake_above(self, amount: ArrayLike) -> Vector:
        """P(value_if_kept - value_if_lost > amount) per row; the amount is one number or one per row, in currency."""
        return self.outlook.kept.above(np.asarray(amount, dtype=np.float64) + self.outlook.lost)

    def strongest(self, count: int) -> pd.DataFrame:
        """The features with the largest contributions towards churn, and these, in log-odds.

        Returns
        -------
        DataFrame
            ``reason_k_feature`` and ``reason_k_contribution`` for k from 1 to ``count``.

        Raises
        ------
        InputError
            There are not so many features, or no contributions were asked for.
        """
        width = len(self.feature_names)
        if not 0 <= count <= width or (self.contributions is None and count):
            raise InputError(f"Wanted between 0 and {width} reasons, found {count}.")
        found: dict[str, object] = {}
        if self.contributions is not None:
            names, parts = np.array(self.feature_names, dtype=object), self.contributions[:, :-1]
            order = np.argsort(-parts, axis=1, kind="stable")[:, :count]
            for k in range(count):
                found[f"reason_{k + 1}_feature"] = pd.Series(names[order[:, k]], index=self.index, dtype="str")
                found[f"reason_{k + 1}_contribution"] = parts[np.arange(len(parts)), order[:, k]]
        return pd.DataFrame(found, index=self.index)
