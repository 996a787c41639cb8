"""What customers were at each of several instants, and what they did between any two of them.

Orders and spend of a window are the difference of two totals: those at its end and those at its beginning. So windows
of every length, ended or learnt from, come from one reading of the events, and none reaches beyond the last instant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.dataset import Dataset
from holdfast.features.feature import Feature
from holdfast.models import learn_categories, to_matrix
from holdfast.models.checks import Matrix, Vector
from holdfast.models.feature_record import FeatureRecord, Role
from holdfast.sampling import draws
from holdfast.snapshots import PopulationSettings
from holdfast.timeline import Days

_EVER = PopulationSettings(bought_within_days=1_000_000)
_TOTALS: tuple[Role, ...] = ("order_days", "orders", "spend")
_WHO = "customer_id"
_FEWEST_DRAWN = 1_000  # customers, however few snapshots are wanted


@dataclass(frozen=True)
class Panel:
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
        Of everyone who had bought by then, by customer: days with an order, orders and spend so far.
    """

    step_days: float
    features: tuple[FeatureRecord, ...]
    rows: Mapping[int, Matrix]
    customers: Mapping[int, NDArray[np.str_]]
    totals: Mapping[int, pd.DataFrame]

    @classmethod
    def read(
        cls,
        dataset: Dataset,
        features: Sequence[Feature],
        offered: Sequence[Feature],
        *,
        end: int,
        step: Days,
        back: int,
    ) -> Panel:
        """So many steps back from ``end``; of a large business some of the customers, drawn by the seed.

        ``offered`` are the features of the sources, the totals among them.
        """
        settings = dataset.settings
        instants = {end - steps * step.microseconds: steps for steps in range(back + 1)}
        most = settings.training.most_snapshots
        customers = np.inf if most is None else max(most / len(instants), _FEWEST_DRAWN)
        some = _SomeCustomers(customers / max(dataset.tables.customer_count, 1), settings.seed)

        def by_steps(columns: Sequence[Feature], population: PopulationSettings) -> dict[int, pd.DataFrame]:
            table = dataset.everyone(columns, sorted(instants), some, population=population)
            table = table.sort_values(
                ["cutoff", _WHO], ignore_index=True
            )  # engines hand them over in orders of their own
            return {steps: part for at, steps in instants.items() if len(part := table[table["cutoff"] == at])}

        found = by_steps(features, settings.population)
        specs = learn_categories(pd.concat(found.values()), [feature.record() for feature in features])
        by_role = {feature.role: feature for feature in offered}
        of_all = [by_role[role] for role in _TOTALS]
        names, totals = [feature.name for feature in of_all], by_steps(of_all, _EVER)
        return cls(
            step.count,
            specs,
            {steps: to_matrix(part, specs) for steps, part in found.items()},
            {steps: part[_WHO].to_numpy(dtype=str) for steps, part in found.items()},
            {steps: part.set_index(_WHO)[names].astype(float) for steps, part in totals.items()},
        )

    def did(self, back: int, steps: int) -> tuple[Vector, Vector]:
        """Days with an order, and spend, of each customer of ``back`` steps ago in so many steps after it.

        An order on a day that had seen one before the window began is a day as well.
        """
        who = self.customers[back]
        then, later = (self.totals[place].reindex(who).fillna(0.0).to_numpy() for place in (back, back - steps))
        days, orders, spend = (later - then).T
        return np.where(orders > 0, np.maximum(days, 1.0), 0.0), np.ascontiguousarray(spend)


def everyone_ever(dataset: Dataset, features: Sequence[Feature], at: int) -> pd.DataFrame:
    """These features of everyone who had ever bought by an instant."""
    return dataset.everyone(features, [at], lambda frame: frame, population=_EVER)


@dataclass(frozen=True)
class _SomeCustomers:
    """Keeps a share of the customers, the same at every instant and on every engine."""

    share: float
    seed: int

    def __call__(self, frame: pd.DataFrame) -> pd.DataFrame:
        if self.share >= 1:
            return frame
        return frame[draws(frame[_WHO], np.zeros(len(frame), dtype=np.int64), self.seed) < self.share]
