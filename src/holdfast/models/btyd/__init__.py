"""Models of a customer base ("buy till you die"): who is still there, how often they buy, what a purchase is worth.

One file a model: :mod:`bg_nbd` and :mod:`mbg_nbd` (with their common formulas in :mod:`geometric`), :mod:`pareto_nbd`,
:mod:`gamma_gamma`. Each is a frozen record of its parameters with closed formulas; :mod:`holdfast.learning.btyd` fits
them. What they know of a customer: :mod:`histories`.
"""

from holdfast.models.btyd.bg_nbd import BetaGeometric
from holdfast.models.btyd.gamma_gamma import GammaGamma
from holdfast.models.btyd.histories import Histories
from holdfast.models.btyd.mbg_nbd import ModifiedBetaGeometric
from holdfast.models.btyd.pareto_nbd import ParetoNBD

__all__ = ["BetaGeometric", "GammaGamma", "Histories", "ModifiedBetaGeometric", "ParetoNBD"]
