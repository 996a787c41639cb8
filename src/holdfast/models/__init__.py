"""What a fitted model computes: risk, value, their parts, and the bundle that stores them.

This room travels with every stored model, as it is. It needs numpy, pandas, scipy and LightGBM and nothing else; how a
model is fitted stands in :mod:`holdfast.learning`. Names are resolved when asked for: formulas of :mod:`btyd` need no
LightGBM.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast.models.bundle import Bundle
    from holdfast.models.encoding import categorical_columns, learn_categories, to_matrix
    from holdfast.models.horizon import HorizonModel

_HOME = {
    "Bundle": "bundle",
    "HorizonModel": "horizon",
    "categorical_columns": "encoding",
    "learn_categories": "encoding",
    "to_matrix": "encoding",
}

__all__ = ["Bundle", "HorizonModel", "categorical_columns", "learn_categories", "to_matrix"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
