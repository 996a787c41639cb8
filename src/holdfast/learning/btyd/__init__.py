"""Fitting models of a customer base by maximum likelihood, and scikit-learn estimators around them.

:mod:`estimators` answer from histories alone; :mod:`corrected_classifier` and :mod:`corrected_regressor` also learn
from outcomes.
"""

from holdfast.learning.btyd.corrected_classifier import CorrectedBaseClassifier
from holdfast.learning.btyd.corrected_regressor import CorrectedBaseRegressor
from holdfast.learning.btyd.estimators import CustomerBaseClassifier, CustomerBaseRegressor
from holdfast.learning.btyd.gamma_gamma import fit_gamma_gamma
from holdfast.learning.btyd.maximum_likelihood import fit_purchases

__all__ = [
    "CorrectedBaseClassifier",
    "CorrectedBaseRegressor",
    "CustomerBaseClassifier",
    "CustomerBaseRegressor",
    "fit_gamma_gamma",
    "fit_purchases",
]
