"""Which columns of the matrix play a part of their own in learning, found by the names of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.models.encoding import FeatureSpec

TENURE = "days_since_first_order"
_SEASON = ("season_sin", "season_cos")
_HISTORY = ("order_days_lifetime", "days_since_order", TENURE)
_SPEND = "spend_lifetime"
_OF_ORDERS = {"frequency", "monetary", "breadth"}
_GROWING_UNITS = {"count", "currency"}


def monotonic_cst(features: Sequence[FeatureSpec]) -> tuple[int, ...]:
    """1 for each feature with which the risk rises, -1 where it falls, 0 where nothing is declared."""
    return tuple({"rises": 1, "falls": -1}.get(str(spec.get("risk")), 0) for spec in features)


def season_columns(features: Sequence[FeatureSpec]) -> tuple[int, ...]:
    """Sine and cosine of the year's angle; none unless both are there."""
    return _all_of(_SEASON, features)


def history_columns(features: Sequence[FeatureSpec]) -> tuple[int, ...]:
    """Orders so far, days since the last and days since the first; none unless all three are there."""
    return _all_of(_HISTORY, features)


def spend_column(features: Sequence[FeatureSpec]) -> int | None:
    """Spend of all orders so far, net of refunds; None if it is not there."""
    return next((i for i, spec in enumerate(features) if spec["name"] == _SPEND), None)


def accumulating_columns(features: Sequence[FeatureSpec]) -> tuple[int, ...]:
    """Counts and sums of orders without a window, and the time since the first: they grow with the history at hand."""
    return tuple(
        i
        for i, spec in enumerate(features)
        if spec.get("dtype") != "category"
        and spec.get("window_days") is None
        and ((spec.get("unit") in _GROWING_UNITS and spec.get("family") in _OF_ORDERS) or spec["name"] == TENURE)
    )


def _all_of(names: Sequence[str], features: Sequence[FeatureSpec]) -> tuple[int, ...]:
    place = {str(spec["name"]): i for i, spec in enumerate(features)}
    return tuple(place[name] for name in names) if all(name in place for name in names) else ()
