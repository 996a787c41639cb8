"""Snapshots in, fitted models out: scikit-learn estimators, how they choose, and how a bundle is trained.

What a fitted model computes stands in :mod:`holdfast.models` and travels with it; nothing of this room does. Names are
resolved when asked for, so that reading one does not load the libraries of all.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast.learning.at_risk_classifier import AtRiskClassifier
    from holdfast.learning.baselines import LogisticBaseline, MeanRateRegressor
    from holdfast.learning.horizon_classifier import HorizonClassifier
    from holdfast.learning.tuning_settings import Tuning
    from holdfast.learning.value_regressor import ValueRegressor

_HOME = {
    "AtRiskClassifier": "at_risk_classifier",
    "HorizonClassifier": "horizon_classifier",
    "LogisticBaseline": "baselines",
    "MeanRateRegressor": "baselines",
    "Tuning": "tuning_settings",
    "ValueRegressor": "value_regressor",
}

__all__ = [  # noqa: RUF022 - the models first, then what they are compared with
    "AtRiskClassifier",
    "ValueRegressor",
    "HorizonClassifier",
    "LogisticBaseline",
    "MeanRateRegressor",
    "Tuning",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
