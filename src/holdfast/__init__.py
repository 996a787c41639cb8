"""Hold on to your customers: calibrated churn risk and customer value, explained, turned into a list with a control.

The names below are resolved when they are asked for, so importing the package loads no machine-learning library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast.errors import HoldfastError
    from holdfast.features.feature import Feature
    from holdfast.history.custom import aggregate
    from holdfast.learning import AtRiskClassifier, ValueRegressor
    from holdfast.models import Bundle
    from holdfast.project import Project
    from holdfast.timeline import Days

_HOME = {
    "AtRiskClassifier": "holdfast.learning",
    "Bundle": "holdfast.models",
    "Days": "holdfast.timeline",
    "Feature": "holdfast.features.feature",
    "HoldfastError": "holdfast.errors",
    "Project": "holdfast.project",
    "ValueRegressor": "holdfast.learning",
    "aggregate": "holdfast.history.custom",
}

__all__ = ["AtRiskClassifier", "Bundle", "Days", "Feature", "HoldfastError", "Project", "ValueRegressor", "aggregate"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
