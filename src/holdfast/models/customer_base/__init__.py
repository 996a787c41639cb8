"""Models of a customer base: who is still a customer, how often they will buy, and what a purchase is worth.

One file a model: :mod:`bg_nbd` and :mod:`mbg_nbd` (with their common formulas in :mod:`geometric`), :mod:`pareto_nbd`,
:mod:`gamma_gamma`. Each is a frozen record of its parameters with closed formulas, and needs numpy and scipy alone;
:mod:`estimators` puts them behind scikit-learn's interface, and :mod:`corrected_classifier` and
:mod:`corrected_regressor` let them learn from outcomes as well. What they know of a customer: :mod:`histories`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast.models.customer_base.bg_nbd import BetaGeometric
    from holdfast.models.customer_base.corrected_classifier import CorrectedBaseClassifier
    from holdfast.models.customer_base.corrected_regressor import CorrectedBaseRegressor
    from holdfast.models.customer_base.estimators import CustomerBaseClassifier, CustomerBaseRegressor
    from holdfast.models.customer_base.fitting import fit_purchases
    from holdfast.models.customer_base.gamma_gamma import GammaGamma
    from holdfast.models.customer_base.histories import Histories
    from holdfast.models.customer_base.mbg_nbd import ModifiedBetaGeometric
    from holdfast.models.customer_base.pareto_nbd import ParetoNBD

_HOME = {
    "BetaGeometric": "bg_nbd",
    "CorrectedBaseClassifier": "corrected_classifier",
    "CorrectedBaseRegressor": "corrected_regressor",
    "CustomerBaseClassifier": "estimators",
    "CustomerBaseRegressor": "estimators",
    "GammaGamma": "gamma_gamma",
    "Histories": "histories",
    "ModifiedBetaGeometric": "mbg_nbd",
    "ParetoNBD": "pareto_nbd",
    "fit_purchases": "fitting",
}

__all__ = [  # noqa: RUF022 - grouped as the docstring groups them
    "BetaGeometric",
    "ModifiedBetaGeometric",
    "ParetoNBD",
    "GammaGamma",
    "Histories",
    "fit_purchases",
    "CustomerBaseClassifier",
    "CustomerBaseRegressor",
    "CorrectedBaseClassifier",
    "CorrectedBaseRegressor",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
