"""Arrays in, numbers out: the risk and value models, their baselines, and the bundle that stores them.

Two halves. What a fitted model computes (:mod:`additive`, :mod:`calibration`, :mod:`level`, :mod:`risk`,
:mod:`horizon`, :mod:`value`, :mod:`encoding`, :mod:`bundle`, :mod:`serving`, and the records of :mod:`customer_base`)
needs numpy, pandas, scipy and LightGBM and nothing else, and travels with the stored model. How a model is fitted
(:mod:`at_risk`, :mod:`horizons`, :mod:`value_regressor`, :mod:`baselines`, and the estimators of :mod:`customer_base`)
are scikit-learn estimators. Names are resolved when asked for, so that a consumer of a stored model needs the first
half only.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast.models.at_risk import AtRiskClassifier
    from holdfast.models.baselines import LogisticBaseline, MeanRateRegressor, RecencyBaseline
    from holdfast.models.bundle import Bundle
    from holdfast.models.encoding import categorical_columns, learn_categories, to_matrix
    from holdfast.models.horizon import HorizonModel
    from holdfast.models.horizons import HorizonClassifier
    from holdfast.models.serving import SERVING_REQUIREMENTS, serving_files
    from holdfast.models.tuning_settings import Tuning
    from holdfast.models.value_regressor import ValueRegressor

_HOME = {
    "AtRiskClassifier": "at_risk",
    "Bundle": "bundle",
    "HorizonClassifier": "horizons",
    "HorizonModel": "horizon",
    "LogisticBaseline": "baselines",
    "MeanRateRegressor": "baselines",
    "RecencyBaseline": "baselines",
    "SERVING_REQUIREMENTS": "serving",
    "Tuning": "tuning_settings",
    "ValueRegressor": "value_regressor",
    "categorical_columns": "encoding",
    "learn_categories": "encoding",
    "serving_files": "serving",
    "to_matrix": "encoding",
}

__all__ = [  # noqa: RUF022 - grouped as the docstring groups them
    "AtRiskClassifier",
    "ValueRegressor",
    "HorizonClassifier",
    "LogisticBaseline",
    "RecencyBaseline",
    "MeanRateRegressor",
    "Tuning",
    "HorizonModel",
    "Bundle",
    "learn_categories",
    "to_matrix",
    "categorical_columns",
    "SERVING_REQUIREMENTS",
    "serving_files",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
