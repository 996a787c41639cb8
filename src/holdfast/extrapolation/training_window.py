"""What is learnt from windows that had ended, to be told of a longer one: by each model that may be chosen.

Three models of the customer base, and the same three corrected by what came in the shorter windows
(:mod:`holdfast.learning.btyd.corrected`). The former learn no outcome at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import ConfigError
from holdfast.extrapolation.panel import Panel
from holdfast.features.feature import Feature
from holdfast.history.aggregates import GapStd, Last, LastGap, Max, Mean, MeanGap, Ratio, Std
from holdfast.learning.btyd import CorrectedBaseLearner, CustomerBaseLearner
from holdfast.learning.training import HISTORY
from holdfast.models.btyd.corrected_risk import CorrectedRisk
from holdfast.models.btyd.corrected_value import CorrectedValue
from holdfast.models.btyd.history_columns import HistoryColumns
from holdfast.models.btyd.history_risk import HistoryRisk
from holdfast.models.btyd.history_value import HistoryValue
from holdfast.models.checks import Matrix, Vector
from holdfast.models.feature_record import place_of, places_of
from holdfast.timeline import Instants

KINDS = ("bg_nbd", "mbg_nbd", "pareto_nbd")
MODELS = (*KINDS, *(f"corrected {kind}" for kind in KINDS))
"""By name, the plainest first."""
_MARKS, _SPANS = (Mean, Std, Max, Last, Ratio), (MeanGap, GapStd, LastGap)


@dataclass(frozen=True)
class FeaturePlaces:
    """Columns that play a part: the history, the spend, and what outcomes may bring into the answer."""

    history: tuple[int, ...]
    spend: int
    marks: tuple[int, ...]
    spans: tuple[int, ...]

    @classmethod
    def of(cls, features: Sequence[Feature]) -> FeaturePlaces:
        """By the roles of the features, and by the aggregates that do not grow because time goes by.

        Raises
        ------
        ConfigError
            The features tell no history of purchases.
        """
        records = [feature.record() for feature in features]
        history, spend = places_of(HISTORY, records), place_of("spend", records)
        if not history or spend is None:
            raise ConfigError("Wanted orders among the sources, found none. Map them as sources.orders.")

        def computed_by(kinds: tuple[type, ...]) -> tuple[int, ...]:
            numbers = (i for i, feature in enumerate(features) if not feature.is_category)
            return tuple(i for i in numbers if isinstance(features[i].aggregate, kinds))

        return cls(history, spend, computed_by(_MARKS), computed_by(_SPANS))

    @property
    def all(self) -> tuple[int, ...]:
        """Every column that is read, in the order of the matrix."""
        return tuple(sorted({*self.history, self.spend, *self.marks, *self.spans}))


class Answer(NamedTuple):
    """A model at work: P(no order), orders and spend within its horizon."""

    risk: HistoryRisk | CorrectedRisk
    value: HistoryValue | CorrectedValue


@dataclass(frozen=True)
class TrainingWindow:
    """Windows of ``near`` steps that had ended ``ago`` steps back, and a far window that began there.

    Attributes
    ----------
    panel : Panel
    places : FeaturePlaces
    ago, near : int
    far_days : float
    cutoffs : tuple of int
        Steps back of the instants at which the learnt windows begin.
    bought_within_days : float
        The population is customers who bought so lately.
    """

    panel: Panel
    places: FeaturePlaces
    ago: int
    near: int
    far_days: float
    cutoffs: tuple[int, ...]
    bought_within_days: float

    @property
    def near_days(self) -> float:
        """Length of the windows that are learnt from."""
        return self.near * self.panel.step_days

    @cached_property
    def learnt(self) -> tuple[Matrix, Instants, Vector, Vector]:
        """Rows, their order in time, and the orders and the spend that came."""
        came = [self.panel.did(back, self.near) for back in self.cutoffs]
        X = np.vstack([self.panel.rows[back] for back in self.cutoffs])
        at = np.concatenate([np.full(len(self.panel.rows[back]), -back, dtype=np.int64) for back in self.cutoffs])
        return X, at, np.concatenate([orders for orders, _ in came]), np.concatenate([spend for _, spend in came])

    @property
    def came_back(self) -> tuple[int, int]:
        """In how many of the learnt windows a customer came back, and how many there are."""
        if not self.cutoffs:
            return 0, 0
        orders = self.learnt[2]
        return int((orders > 0).sum()), len(orders)

    @property
    def teaches(self) -> bool:
        """Whether there are customers to tell about, and customers who came back and who did not to learn from."""
        came, asked = self.came_back
        return self.ago in self.panel.rows and 0 < came < asked

    @property
    def now(self) -> Matrix:
        """The customers of whom the far window is told."""
        return self.panel.rows[self.ago]

    @property
    def customers(self) -> NDArray[np.str_]:
        """Who they are."""
        return self.panel.customers[self.ago]

    @property
    def came(self) -> tuple[Vector, Vector]:
        """Their orders and spend from then until the last instant."""
        return self.panel.did(self.ago, self.ago)

    def answers(self, names: Sequence[str] = MODELS) -> dict[str, Answer]:
        """These models, learnt, by name."""
        found: dict[str, Answer] = {}
        for kind in KINDS:
            if {kind, f"corrected {kind}"} & set(names):
                value = self._corrected(kind)
                found[kind] = Answer(value.risk.base, value.base)
                found[f"corrected {kind}"] = Answer(value.risk, value)
        return {name: found[name] for name in names}

    def _corrected(self, kind: str) -> CorrectedValue:
        X, at, orders, spend = self.learnt
        base = CustomerBaseLearner(
            HistoryColumns(*self.places.history), kind, self.near_days, bought_within_days=self.bought_within_days
        )
        learner = CorrectedBaseLearner(
            base, self.places.spend, self.far_days, marks=tuple(self.places.marks), spans=tuple(self.places.spans)
        )
        return learner.fit(X, spend, purchases=orders, cutoff=at, latest=self.now)
