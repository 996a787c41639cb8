"""The two sets of features that are measured, as records of the package."""

from __future__ import annotations

import re
from dataclasses import replace

from holdfast.features.catalogue import EVERYTHING, catalogue
from holdfast.features.feature import Feature
from holdfast.history.aggregates import Count, Max, Sum
from holdfast.timeline import LIFETIME, Days

SMALL = tuple(
    Feature(f"{name}_{days}d", "orders", aggregate, unit, "had {value}", "benchmark", Days(days))
    for days in (7, 30, 90, 180, 365, 1000)
    for name, aggregate, unit in (
        ("count", Count(), "count"),
        ("sum", Sum("amount"), "currency"),
        ("max", Max("amount"), "currency"),
    )
)


def _catalogue() -> tuple[Feature, ...]:
    """The default features of orders; those that name a window (and compare it with nothing) over all five of them."""
    windows = {"30d": Days(30), "90d": Days(90), "180d": Days(180), "365d": Days(365), "lifetime": LIFETIME}
    features: dict[str, Feature] = {}
    for feature in catalogue(EVERYTHING):
        if feature.source != "orders":
            continue
        features[feature.name] = feature
        found = re.fullmatch(r"(.+)_(\d+d|lifetime)", feature.name)
        if found and feature.unit != "trend":
            for word, window in windows.items():
                name = f"{found[1]}_{word}"
                features.setdefault(name, replace(feature, name=name, window=window))
    return tuple(features.values())


CATALOGUE = _catalogue()
SETS = {"small": SMALL, "catalogue": CATALOGUE}
