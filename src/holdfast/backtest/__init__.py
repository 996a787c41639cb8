"""How well we would have done: at each test cutoff, train on what was known there, score, and look at what came.

Beside the model stand baselines that anyone could compute. Every metric carries the interval that resampling customers
gives, and the differences to the baselines carry theirs, because one customer appears at several cutoffs. Learning
curves ask the same of models that learnt from less, so that one sees what more would bring.

The work falls into trials, one fit each, which run in worker processes and may be kept in a folder as they finish.
"""

from __future__ import annotations

from holdfast.backtest.baselines import Baseline, default_baselines
from holdfast.backtest.curves import Curve, LearningCurves, Point
from holdfast.backtest.evaluation import backtest
from holdfast.backtest.learning import learning_curves
from holdfast.backtest.result import Backtest
from holdfast.backtest.trial import MODEL, Learner, Trial, Tried
from holdfast.backtest.trials import Running

__all__ = [
    "MODEL",
    "Backtest",
    "Baseline",
    "Curve",
    "Learner",
    "LearningCurves",
    "Point",
    "Running",
    "Trial",
    "Tried",
    "backtest",
    "default_baselines",
    "learning_curves",
]
