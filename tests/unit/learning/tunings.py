"""A fit with a search, for the tests of tuning; run as a program, one that will be killed.

Usage: ``python -m tests.unit.learning.tunings FOLDER`` tunes a risk model with its trials in the folder.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.learning import AtRiskClassifier, Tuning
from holdfast.models.checks import Matrix, Vector
from holdfast.timeline import Instants
from tests.unit.learning.samples import snapshots

TRIALS = 9
NUMBERS = ["days_since_order", "orders_365d", "spend_365d", "satisfaction_last"]
POOR: dict[str, Any] = {"n_estimators": 20, "linear_penalty": 1e5, "learning_rate": 0.01}
"""Parameters that anything beats, so that the model is the search's."""

GOOD: dict[str, Any] = {"n_estimators": 40, "linear_penalty": 3.0, "learning_rate": 0.03, "random_state": 1}
"""Parameters that little beats, so that some trials are stopped."""


@cache
def rows() -> tuple[Matrix, Vector, Instants]:
    """Features, outcome and cutoff of 250 customers at 7 cutoffs."""
    table = snapshots(customers=250, cutoffs=7)
    return table[NUMBERS].to_numpy(float), table["churned"].to_numpy(float), table["cutoff"].to_numpy(np.int64)


def tuned(tuning: Tuning | None, **changes: Any) -> AtRiskClassifier:
    """A model with poor parameters, or with those of the search, if there is one."""
    X, y, cutoff = rows()
    settings = {**POOR, "purge_days": 30, "tuning": tuning, **changes}
    return AtRiskClassifier(**settings).fit(X, y, cutoff=cutoff)


if __name__ == "__main__":
    tuned(Tuning(trials=500, folder=Path(sys.argv[1])))
