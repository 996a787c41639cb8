"""The truth table: what was to be expected of each customer at each cutoff, and what came."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pyarrow as pa

from holdfast.progress import SILENT, Progress
from holdfast.simulate.causes import CAUSES
from holdfast.simulate.clock import CUTOFF_DAYS, Flags, Reals, Whole, midnight


@dataclass(frozen=True)
class States:
    """Who has gone, who is leaving, and what hangs on it; arrays of shape (entries,).

    ``p_gone`` is 1 for whoever has gone at the cutoff, ``p_leaving`` the probability of having gone by the end of the
    horizon for whoever has not. ``value_if_kept`` is the expected value given that the customer has not gone at its
    end, ``value_if_lost`` what comes all the same.
    """

    p_gone: Reals
    p_leaving: Reals
    value_if_kept: Reals
    value_if_lost: Reals


@dataclass(frozen=True)
class Truth:
    """One entry per customer and cutoff in all arrays.

    ``p_churn`` and ``expected_value`` are the true expectations; ``churned`` and ``future_value`` the one outcome that
    was drawn, for the days after the export too. ``hidden`` is what no table of the business tells: the mood at the
    cutoff, as numbered in :mod:`mood`, and the traits of the customer's type.
    """

    customer: Whole
    cutoff_day: Whole
    p_churn: Reals
    expected_value: Reals
    states: States
    cause: Whole
    churned: Flags
    future_value: Reals
    hidden: Mapping[str, Whole | Reals]

    def table(self, ids: Sequence[str]) -> pa.Table:
        """As published, sorted by cutoff and customer id."""
        id_of = np.asarray(ids, dtype=object)[self.customer]
        order = np.lexsort((id_of.astype(str), self.cutoff_day))
        return pa.table(
            {
                "customer_id": pa.array(id_of[order], pa.string()),
                "cutoff": pa.array(midnight(self.cutoff_day)[order], pa.timestamp("us", "UTC")),
                "p_churn": self.p_churn[order],
                "expected_value": self.expected_value[order],
                "cause": pa.DictionaryArray.from_arrays(self.cause[order].astype(np.int8), list(CAUSES)),
                "churned": self.churned[order],
                "future_value": self.future_value[order],
                **{name: values[order].astype(np.float64) for name, values in self.hidden.items()},
                **{name: values[order] for name, values in vars(self.states).items()},
            }
        )


def at_every_cutoff(calculate: Callable[[int], Truth], progress: Progress = SILENT) -> Truth:
    """The truth of all cutoffs as one; two cutoffs are calculated at a time, the result is always in their order."""
    parts = []
    with progress("Calculating the truth", total=len(CUTOFF_DAYS)) as advance, ThreadPoolExecutor(2) as pool:
        for part in pool.map(calculate, CUTOFF_DAYS):
            parts.append(part)
            advance(1)

    def joined(of: Callable[[Truth], Any], names: Iterable[str]) -> dict[str, Any]:
        return {name: np.concatenate([getattr(of(part), name) for part in parts]) for name in names}

    columns = joined(lambda part: part, [each.name for each in fields(Truth) if each.name not in ("states", "hidden")])
    states = States(**joined(lambda part: part.states, [each.name for each in fields(States)]))
    hidden = {name: np.concatenate([part.hidden[name] for part in parts]) for name in parts[0].hidden}
    return Truth(**columns, states=states, hidden=hidden)
