"""Predict the tasks of RelBench, a public benchmark on relational databases, with our sources, features and models.

What RelBench defines stays RelBench's: the rows to predict, their seed times, the labels, the metric. Ours is what was
known at a seed time (:mod:`database`, :mod:`rows`) and the models that learn from it (:mod:`learning`). A task that we
can predict is a declaration in :mod:`tasks`: which of its tables are which of our sources.
"""

from holdfast.relbench.declaration import Declaration, Mapped, OwnWords
from holdfast.relbench.learning import Predicted, predict
from holdfast.relbench.package import load_task
from holdfast.relbench.run import Answered, run_task
from holdfast.relbench.tasks import DECLARED, declared

__all__ = [
    "DECLARED",
    "Answered",
    "Declaration",
    "Mapped",
    "OwnWords",
    "Predicted",
    "declared",
    "load_task",
    "predict",
    "run_task",
]
