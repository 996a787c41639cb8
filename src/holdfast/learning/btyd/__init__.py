"""Fitting models of a customer base: by maximum likelihood from histories alone, and corrected by outcomes."""

from holdfast.learning.btyd.corrected import CorrectedBaseLearner
from holdfast.learning.btyd.customer_base import CustomerBaseLearner
from holdfast.learning.btyd.gamma_gamma import fit_gamma_gamma
from holdfast.learning.btyd.maximum_likelihood import fit_purchases

__all__ = ["CorrectedBaseLearner", "CustomerBaseLearner", "fit_gamma_gamma", "fit_purchases"]
