"""The truth table: what was to be expected of each customer at each cutoff, and what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from holdfast.simulate.causes import CAUSES
from holdfast.simulate.clock import Flags, Reals, Whole, midnight


@dataclass(frozen=True)
class Truth:
    """One entry per customer and cutoff in all arrays.

    ``p_churn`` and ``expected_value`` are the true expectations; ``churned`` and ``future_value`` the one outcome that
    was drawn, for the days after the export too.
    """

    customer: Whole
    cutoff_day: Whole
    p_churn: Reals
    expected_value: Reals
    cause: Whole
    churned: Flags
    future_value: Reals

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
            }
        )


def gather(parts: Sequence[Truth]) -> Truth:
    """The truths of several cutoffs as one."""
    columns = [np.concatenate([getattr(part, column.name) for part in parts]) for column in fields(Truth)]
    return Truth(*columns)
