"""What customers were at each of several instants, and what they did between any two of them.

Orders and spend of a window are the difference of two totals: those at its end and those at its beginning. So windows
of every length, ended or learnt from, come from one reading of the events, and none reaches beyond the last instant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.dataset import Dataset
from holdfast.features.feature import Feature
from holdfast.models import learn_categories, to_matrix
from holdfast.models.checks import Matrix, Vector
from holdfast.parts import Columns, no_rows
from holdfast.sampling import draws
from holdfast.snapshots import PopulationSettings, Snapshots, snapshot_parts
from holdfast.timeline import Days

_EVER = PopulationSettings(bought_within_days=1_000_000)
_WHO = "customer_id"


@dataclass(frozen=True)
class Past:
    """Customers at instants that are so many steps back from the last one.

    Attributes
    ----------
    step_days : float
    features : tuple of feature records
        Of the columns of the matrices.
    rows : mapping of steps back to array of shape (n_customers, n_features)
        The population at that instant, as known there.
    customers : mapping of steps back to array of str
        Who they are.
    totals : mapping of steps back to DataFrame
        Of everyone who had bought by then, by customer: the two totals that were asked for.
    """

    step_days: float
    features: tuple[Mapping[str, Any], ...]
    rows: Mapping[int, Matrix]
    customers: Mapping[int, NDArray[np.str_]]
    totals: Mapping[int, pd.DataFrame]

    @classmethod
    def read(
        cls,
        dataset: Dataset,
        features: Sequence[Feature],
        totals: Sequence[Feature],
        *,
        end: int,
        step: Days,
        back: int,
    ) -> Past:
        """So many steps back from ``end``; of a large business some of the customers, drawn by the seed."""
        settings = dataset.configuration
        instants = {end - steps * step.microseconds: steps for steps in range(back + 1)}
        most = settings.training.most_snapshots
        share = 1.0 if most is None else most / (len(instants) * max(dataset.tables.customer_count, 1))
        some = _SomeCustomers(share, settings.seed)

        def by_steps(columns: Sequence[Feature], population: PopulationSettings) -> dict[int, pd.DataFrame]:
            wanted = Snapshots.of(columns, population, sorted(instants))
            table = _whole(dataset, wanted, some)
            return {steps: part for at, steps in instants.items() if len(part := table[table["cutoff"] == at])}

        found = by_steps(features, settings.population)
        specs = learn_categories(pd.concat(found.values()), [feature.to_dict() for feature in features])
        names = [feature.name for feature in totals]
        return cls(
            step.count,
            specs,
            {steps: to_matrix(part, specs) for steps, part in found.items()},
            {steps: part[_WHO].to_numpy(dtype=str) for steps, part in found.items()},
            {steps: part.set_index(_WHO)[names].astype(float) for steps, part in by_steps(totals, _EVER).items()},
        )

    def did(self, back: int, steps: int) -> tuple[Vector, Vector]:
        """What each customer of ``back`` steps ago added to the totals in so many steps after it."""
        who = self.customers[back]
        then, later = (self.totals[place].reindex(who).fillna(0.0).to_numpy() for place in (back, back - steps))
        added = later - then
        return added[:, 0], added[:, 1]


@dataclass(frozen=True)
class _SomeCustomers:
    """Keeps a share of the customers, the same at every instant and on every engine."""

    share: float
    seed: int

    def __call__(self, frame: pd.DataFrame) -> pd.DataFrame:
        if self.share >= 1:
            return frame
        return frame[draws(frame[_WHO], np.zeros(len(frame), dtype=np.int64), self.seed) < self.share]


def _whole(dataset: Dataset, wanted: Snapshots, work: Callable[[pd.DataFrame], pd.DataFrame]) -> pd.DataFrame:
    """What some work leaves of the snapshots, in memory, in the order of instants and customers."""
    columns: Columns = wanted.columns
    parts = snapshot_parts(dataset.tables, wanted, progress=dataset.progress).map(work, columns)
    return pd.concat([no_rows(columns), *parts.frames()]).sort_values(["cutoff", _WHO], ignore_index=True)
