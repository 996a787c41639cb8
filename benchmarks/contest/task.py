"""What every contender gets: labelled snapshots to learn from, snapshots to predict, and everyone's purchases."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from holdfast.backtest.baselines import default_baselines
from holdfast.dataset import Dataset
from holdfast.learning.training_spec import TrainingSpec
from holdfast.models import learn_categories, to_matrix
from holdfast.snapshots import PopulationSettings, build_snapshots

EVERYONE = PopulationSettings(bought_within_days=1_000_000)
PURCHASES = ("order_days_lifetime", "days_since_order", "days_since_first_order", "order_value_mean_lifetime")
"""What the probabilistic peer wants to know of everyone who ever bought."""


@dataclass(frozen=True)
class Task:
    """Learn from ``known``, predict ``test``.

    ``known`` has features, ``cutoff``, ``churned`` and ``future_value``; ``test`` stands at one cutoff, and its
    outcomes only measure. ``present`` is the population of that cutoff without outcomes, as far as the learner knows
    it. ``spec`` is what training is told. ``purchases`` has a row for
    everyone who bought before that cutoff, or is None where nobody buys.
    """

    known: pd.DataFrame
    test: pd.DataFrame
    spec: TrainingSpec
    present: pd.DataFrame
    purchases: pd.DataFrame | None = None

    @property
    def churned(self) -> np.ndarray:
        """Outcomes of the test, 0 or 1."""
        return self.test["churned"].to_numpy(dtype=np.float64)

    @property
    def came(self) -> np.ndarray:
        """Values of the test."""
        return self.test["future_value"].to_numpy(dtype=np.float64)

    @property
    def horizon(self) -> float:
        """Days of the outcome window."""
        return self.spec.card.churn.horizon_days

    def matrices(self) -> tuple[np.ndarray, np.ndarray]:
        """Features of ``known`` and ``test`` as numbers."""
        specs = learn_categories(self.known, self.spec.features)
        return to_matrix(self.known, specs), to_matrix(self.test, specs)

    def one_slice(self) -> Task:
        """The same, with the latest known cutoff alone."""
        return replace(self, known=self.known[self.known["cutoff"] == self.known["cutoff"].max()])

    def columns(self, baseline: str) -> tuple[str, ...]:
        """The features of one of the package's baselines: ``rfm`` or ``recency``."""
        return next(each.risk for each in default_baselines(self.spec.features) if each.name == baseline)


def without_outcomes(frame: pd.DataFrame) -> pd.DataFrame:
    """Snapshots as they are before anything came."""
    return frame.drop(columns=["churned", "future_value"], errors="ignore")


def purchases(data: Dataset, cutoff: int) -> pd.DataFrame | None:
    """Everyone's purchases before a cutoff; None where the sources have no orders."""
    features = [feature for feature in data.features() if feature.name in PURCHASES]
    if len(features) < len(PURCHASES):
        return None
    return build_snapshots(data.tables, features, population=EVERYONE, cutoffs=[cutoff])
