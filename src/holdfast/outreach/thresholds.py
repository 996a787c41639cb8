"""From which value on a customer is of high value, and down to which loss the budget reaches.

Both are found by counting, exactly, whoever holds the customers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import ConfigError, DataError
from holdfast.outreach.contact_rules import RULES
from holdfast.outreach.overview import most_first
from holdfast.outreach.plan import if_band
from holdfast.outreach.segments import VALUE_BANDS, high_value_above
from holdfast.outreach.settings import OutreachSettings
from holdfast.partitioned import Parts, kth_largest


@dataclass(frozen=True)
class Thresholds:
    """All that a customer's group depends on beside the customer.

    Attributes
    ----------
    high_above : float
        A larger value is a high one.
    loss : float
        A customer who may be contacted and has a larger expected loss is singled out; infinity singles out nobody.
    last_id : str or None
        Of the customers with this very loss, those up to this id are singled out; None: all of them.
    """

    high_above: float
    loss: float
    last_id: str | None


def find_thresholds(planned: Parts, settings: OutreachSettings) -> Thresholds:
    """The thresholds of these customers, without a look at all of them at once.

    Raises
    ------
    DataError
        There is nobody, or every customer is excluded.
    ConfigError
        The budget singles out more customers than may come here at once.
    """
    scored = planned.count()
    if not scored:
        raise DataError("Wanted scored customers, found none. Check the population and the cutoff.")
    high_above = high_value_above(planned, settings.high_value_share, scored)
    names = tuple(RULES)
    by_rule = planned.tally(
        _RuleOf(high_above, names), reads=["value", *(if_band("rule", band) for band in VALUE_BANDS)]
    )
    eligible = by_rule.pop(_ELIGIBLE, 0)
    if not eligible:
        raise DataError(_everyone_excluded(Counter({names[i]: count for i, count in by_rule.items()})))
    places = min(settings.budget.places(scored), eligible)
    if not places:
        return Thresholds(high_above, np.inf, None)
    if planned.most_rows is not None and places > planned.most_rows:
        raise ConfigError(
            f"The budget singles out {places:,} customers; at most {planned.most_rows:,} may come to the driver, where "
            "the list is put in order. Lower outreach.budget, or allow more rows on the driver."
        )
    losses = _Losses(high_above)
    place = kth_largest(planned, losses, places, reads=losses.reads)
    left = places - place.larger
    if left == place.equal:
        return Thresholds(high_above, place.value, None)
    tied = planned.map(_Tied(losses, place.value), {"customer_id": "str"}, reads=["customer_id", *losses.reads])
    for ids in tied.frames():
        if left <= len(ids):
            return Thresholds(high_above, place.value, str(ids["customer_id"].iloc[left - 1]))
        left -= len(ids)
    raise AssertionError("The tied customers were counted a moment ago.")


_ELIGIBLE = -1


def of_band(rows: pd.DataFrame, name: str, high_above: float) -> NDArray[np.object_]:
    """What was planned for the band that holds."""
    high = rows["value"].to_numpy(dtype=np.float64) > high_above
    return np.where(high, *(rows[if_band(name, band)].to_numpy(dtype=object) for band in ("high", "regular")))


@dataclass(frozen=True)
class _RuleOf:
    """The place among the names of the rule that excludes, or ``_ELIGIBLE``."""

    high_above: float
    names: tuple[str, ...]

    def __call__(self, rows: pd.DataFrame) -> NDArray[np.int64]:
        place = {"": _ELIGIBLE, **{name: i for i, name in enumerate(self.names)}}
        return np.array([place[rule] for rule in of_band(rows, "rule", self.high_above)], dtype=np.int64)


@dataclass(frozen=True)
class _Losses:
    """The expected losses of whom may be contacted."""

    high_above: float

    @property
    def reads(self) -> list[str]:
        return ["value", "expected_loss", *(if_band("rule", band) for band in VALUE_BANDS)]

    def __call__(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        eligible = of_band(rows, "rule", self.high_above) == ""
        return np.asarray(rows["expected_loss"].to_numpy(dtype=np.float64)[eligible])


@dataclass(frozen=True)
class _Tied:
    """The ids of whom may be contacted and lose exactly so much."""

    losses: _Losses
    loss: float

    def __call__(self, rows: pd.DataFrame) -> pd.DataFrame:
        eligible = of_band(rows, "rule", self.losses.high_above) == ""
        tied: pd.DataFrame = rows[["customer_id"]][eligible & (rows["expected_loss"] == self.loss).to_numpy(dtype=bool)]
        return tied


def _everyone_excluded(by_rule: Counter[str]) -> str:
    counts = most_first(by_rule)
    told = ", ".join(f"{rule} {count:,}" for rule, count in counts.items())
    todo = "; ".join(f"for {rule}, {RULES[rule].remedy}" for rule in counts)
    return (
        f"Wanted somebody to contact, found all {by_rule.total():,} scored customers excluded: {told}. What to do: "
        f"{todo}. No list was published."
    )
