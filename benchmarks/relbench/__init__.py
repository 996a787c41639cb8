"""Predict the tasks of RelBench, a public benchmark on relational databases, with our sources, features and models.

What RelBench defines stays RelBench's: the rows to predict, their seed times, the labels, the metric. Ours is what was
known at a seed time (:mod:`database`, :mod:`rows`) and the models that learn from it (:mod:`prediction`). A task that
we can predict is a declaration in :mod:`tasks`: which of its tables are which of our sources.
"""

from benchmarks.relbench.declaration import Declaration, Mapped, OwnWords
from benchmarks.relbench.package import load_task
from benchmarks.relbench.prediction import Predicted, predict
from benchmarks.relbench.run import TaskResult, run_task
from benchmarks.relbench.tasks import DECLARED, declared

__all__ = [
    "DECLARED",
    "Declaration",
    "Mapped",
    "OwnWords",
    "Predicted",
    "TaskResult",
    "declared",
    "load_task",
    "predict",
    "run_task",
]
