"""How well we would have done: at each test cutoff, train on what was known there, score, and look at what came.

Beside the model stand baselines that anyone could compute. Every metric carries the interval that resampling customers
gives, and the differences to the baselines carry theirs, because one customer appears at several cutoffs. Lists of
contacts are priced by the costs of the business, beside lists that simple rules make. Learning curves ask the same of
models that learnt from less, so that one sees what more would bring.

The work falls into folds, one fit each. Worker processes may fit them, and a folder may keep them as they finish.
"""

from __future__ import annotations

from holdfast.backtest.baselines import Baseline, default_baselines
from holdfast.backtest.contact_value import ContactTerms, ContactValue, RuleValue
from holdfast.backtest.curves import CurvePoint, LearningCurve, LearningCurves
from holdfast.backtest.evaluation import DRAWS, backtest
from holdfast.backtest.execution import Execution
from holdfast.backtest.fold_fitter import MODEL, BacktestFold, FittedFold, Learner
from holdfast.backtest.learning_curve import learning_curves
from holdfast.backtest.result import Backtest

__all__ = [
    "DRAWS",
    "MODEL",
    "Backtest",
    "BacktestFold",
    "Baseline",
    "ContactTerms",
    "ContactValue",
    "CurvePoint",
    "Execution",
    "FittedFold",
    "Learner",
    "LearningCurve",
    "LearningCurves",
    "RuleValue",
    "backtest",
    "default_baselines",
    "learning_curves",
]
