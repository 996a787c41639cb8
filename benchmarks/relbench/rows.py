"""The rows of a task: who is asked about, when, and what happened next; from RelBench's tables, or in our own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.relbench.database import customer_ids, cutoffs_of, seeds_of
from benchmarks.relbench.declaration import OwnWords
from benchmarks.relbench.interface import Task
from holdfast.history.arrays import Indices, Numbers
from holdfast.history.chunk import Chunk
from holdfast.history.chunk_reader import worked
from holdfast.history.stream import Window, past
from holdfast.labels import ChurnSettings, churned, future_value, reads
from holdfast.snapshots.declared import CELLS_PER_CHUNK
from holdfast.sources import DuckTables
from holdfast.timeline import Days, Instants

TARGET = "target"


def rows_of(task: Task, split: str) -> pd.DataFrame:
    """The rows of a split in RelBench's order: ``customer_id``, ``seed``, and the ``target`` of train and val."""
    hidden = split == "test"
    frame: pd.DataFrame = task.get_table(split, mask_input_cols=hidden).df
    columns: dict[str, Any] = {
        "customer_id": pd.array(customer_ids(frame[task.entity_col]), dtype="str"),
        "seed": seeds_of(frame[task.time_col]),
    }
    if not hidden:
        columns[TARGET] = frame[task.target_col].to_numpy(dtype=np.float64)
    return pd.DataFrame(columns)


def rows_in_our_words(tables: DuckTables, words: OwnWords, seeds: Instants) -> pd.DataFrame:
    """The rows at these seed times as the declaration finds them: ``customer_id``, ``seed``, ``target``; sorted.

    Who is asked about, and what happened next, is defined as in RelBench's own tables: a row at the seed time makes a
    customer known, and none that lies there belongs to the outcome. The outcome windows must lie within what the tables
    hold; :func:`seeds_between` gives such seed times.
    """
    needs: dict[str, set[str]] = {}
    stream, rule, _ = words.population.rule()
    for name, columns in ((stream, set(rule.columns())), reads(words.label)):
        needs.setdefault(name, set()).update(columns)
    work, most = _InOurWords(words, np.sort(seeds)), max(1, CELLS_PER_CHUNK // (8 * max(1, seeds.size)))
    parts = [part for part in worked(tables, needs, work, customers_per_chunk=most) if len(part)]
    none = pd.DataFrame({"customer_id": pd.array([], dtype="str"), "seed": seeds[:0], TARGET: np.empty(0)})
    return pd.concat([none, *parts], ignore_index=True).sort_values(["seed", "customer_id"], ignore_index=True)


@dataclass(frozen=True)
class _InOurWords:
    """Population and label of a chunk's customers, by the same code that a configuration uses."""

    words: OwnWords
    seeds: Instants

    def __call__(self, chunk: Chunk) -> pd.DataFrame:
        customers = np.repeat(np.arange(chunk.customers), self.seeds.size)
        seeds = np.tile(self.seeds, chunk.customers)
        cutoffs = cutoffs_of(seeds, rows_at_seed=True)
        stream, rule, window = self.words.population.rule()
        counted = rule(past(chunk.streams[stream], customers, cutoffs), Window.before(window))
        members = np.flatnonzero(counted > 0)
        customers = customers[members]
        target = self._label(chunk, customers, cutoffs[members])
        return pd.DataFrame({"customer_id": chunk.ids.take(customers), "seed": seeds[members], TARGET: target})

    def _label(self, chunk: Chunk, customers: Indices, cutoffs: Instants) -> Numbers:
        label = self.words.label
        if not isinstance(label, ChurnSettings):
            return future_value(label, Days(0), chunk.streams, customers, cutoffs)
        lost = churned(label, chunk.streams, customers, cutoffs)
        return 1 - lost if self.words.inverted else lost


def seeds_between(learnt: Instants, per_window: int, length: Days) -> Instants:
    """Further seed times that divide the time between RelBench's own, which lie one window apart, into equal parts.

    They lie within the first and the last of ``learnt``, so that no outcome window ends later than those of RelBench.
    """
    own = np.unique(learnt)
    step = length.microseconds / per_window
    count = int((own[-1] - own[0]) // step) if own.size else 0
    grid = own[-1] - np.rint(np.arange(count + 1) * step).astype(np.int64) if own.size else own
    return np.setdiff1d(grid, own)


def sampled(rows: pd.DataFrame, most: int | None, seed: int) -> pd.DataFrame:
    """At most so many rows, each as likely as any other, in their order."""
    if most is None or len(rows) <= most:
        return rows
    kept = np.random.default_rng(seed).choice(len(rows), size=most, replace=False)
    return rows.iloc[np.sort(kept)].reset_index(drop=True)
