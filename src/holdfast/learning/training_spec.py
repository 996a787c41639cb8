"""What a training needs to know beside the snapshots, as one typed record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.learning.effort import Effort
from holdfast.learning.tuning_settings import Tuning
from holdfast.models.feature_record import FeatureRecord
from holdfast.models.model_card import ModelCard
from holdfast.timeline import Days


@dataclass(frozen=True)
class TrainingSpec:
    """How to make a bundle of a snapshots table.

    Attributes
    ----------
    features : tuple of FeatureRecord
        In the order of the matrix; categories are learnt. Where a record has ``risk``, p_churn keeps to that direction
        for every customer; the value does not. Records with a role are read in that role.
    card : ModelCard
        What churn, value and population mean; training adds its own record.
    complete_after : Days
        From a cutoff until churn is known; cutoffs closer than that never teach and judge the same risk.
    seed : int
    tuning : Tuning or None
        Budget of a search for better parameters; a third of its minutes goes to each of risk, any value and amount.
    value_after : Days or None
        From a cutoff until the value is known as well, if that is later; the same for the value.
    effort : "full" or "quick"
        How much work the training takes (:mod:`holdfast.learning.effort`).
    recipes : mapping or None
        By score (risk, any_value, amount), the ``num_leaves`` and ``linear_penalty`` that an earlier training chose
        (:class:`~holdfast.models.model_card.TrainingRecord`); scores without are chosen anew.
    """

    features: tuple[FeatureRecord, ...]
    card: ModelCard
    complete_after: Days
    seed: int = 0
    tuning: Tuning | None = None
    value_after: Days | None = None
    effort: Effort = "full"
    recipes: Mapping[str, Mapping[str, float]] | None = None

    def tuned_by(self, tuning: Tuning | None) -> TrainingSpec:
        """The same with another budget for the search."""
        return replace(self, tuning=tuning)

    @property
    def value_purge(self) -> Days:
        """From a cutoff until the value is known."""
        return self.value_after or self.complete_after

    def value_known(self, snapshots: pd.DataFrame) -> NDArray[np.bool_]:
        """The snapshots whose value was known when the churn of the last of them was."""
        cutoff = snapshots["cutoff"].to_numpy(dtype=np.int64)
        late = self.value_purge.microseconds - self.complete_after.microseconds
        return np.asarray((cutoff + late <= cutoff.max()) & snapshots["future_value"].notna().to_numpy())
