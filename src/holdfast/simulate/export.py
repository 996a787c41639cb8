"""From what happened to what an export shows of it: its columns, its formats and its dirt.

The dirt is that of real exports: rows without a customer, rows exported twice, rows that reached the warehouse days
late. Whatever had not been loaded at the moment of the export is absent, and moments after it are empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from holdfast.simulate.clock import END_DAY, Whole, hours, midnight
from holdfast.simulate.desk import PRIORITIES, TOPICS
from holdfast.simulate.journal import Table
from holdfast.timeline import Instants

MISSING_CUSTOMERS, DOUBLES, LATE = 0.003, 0.003, 0.01
"""Shares of rows that lost their customer, that appear twice, that were loaded days after they happened."""
LOCAL_ZONE = "Europe/Berlin"
END = int(midnight(END_DAY))


@dataclass(frozen=True)
class ExportedRows:
    """Which rows an export shows, in its order, and when each of them was loaded; ``customer`` is -1 where lost."""

    index: Whole
    customer: Whole
    loaded: Instants

    def times(self, at: Instants) -> pa.Array:
        """A column of instants in UTC."""
        return timestamps(at[self.index])

    def words(self, code: NDArray[np.integer], words: Sequence[str]) -> pa.Array:
        """A column of words, from the index of each row's word."""
        return pa.DictionaryArray.from_arrays(pa.array(code[self.index].astype(np.int32)), pa.array(words, pa.string()))

    def customers(self, ids: Sequence[str]) -> pa.Array:
        """The column of customer ids, empty where the export lost them."""
        codes = pa.array(self.customer.astype(np.int32), mask=self.customer < 0)
        return pa.DictionaryArray.from_arrays(codes, pa.array(ids, pa.string()))


def timestamps(at: Instants) -> pa.Array:
    """Instants as a column of UTC times; what did not come before the export is empty."""
    return pa.array(at, pa.timestamp("us", "UTC"), mask=at >= END)


def soil(customer: Whole, at: Instants, rng: np.random.Generator, batch: Whole | None = None) -> ExportedRows:
    """Choose the rows of an export made at the end of the history, sorted by time, with its dirt.

    ``batch`` numbers from 0 what is loaded in one go, such as the lines of one order; by default every row goes alone.
    """
    count = at.size
    batch = np.arange(count) if batch is None else batch
    batches = int(batch.max(initial=-1)) + 1
    delay = hours(rng.uniform(0.02, 0.4, batches))
    late = rng.random(batches) < LATE
    delay[late] += hours(rng.uniform(24.0, 220.0, int(late.sum())))
    loaded = at + delay[batch]
    doubles = np.flatnonzero(rng.random(count) < DOUBLES)
    index = np.concatenate([np.arange(count), doubles])
    when = np.concatenate([loaded, loaded[doubles] + hours(rng.uniform(0.5, 30.0, doubles.size))])
    lost = rng.random(count) < MISSING_CUSTOMERS
    shown = np.flatnonzero(when < END)
    shown = shown[np.argsort(at[index[shown]], kind="stable")]
    index = index[shown]
    return ExportedRows(index, np.where(lost, -1, customer)[index], when[shown])


def numbered(prefix: str, number: Whole) -> pa.Array:
    """Ids such as ``A0000123``: a letter and seven digits."""
    digits = np.char.zfill(number.astype("U10"), 7)
    return pa.array(np.char.add(prefix, digits).astype(object), pa.string())


def save(columns: pa.Table | dict[str, Any], path: Path) -> int:
    """Write a Parquet file; the number of rows. Equal columns give equal bytes."""
    table = pa.table(columns)
    pq.write_table(table, path, compression="zstd", store_schema=False)
    return int(table.num_rows)


def tickets_csv(tickets: Table, ids: Sequence[str], start: str, path: Path, rng: np.random.Generator) -> int:
    """Write the help desk's own export: semicolons, German headings, local times without a zone; the number of rows.

    ``start`` is the word for troubles at the start of a customer's life.
    """
    rows = soil(tickets["customer"], tickets["opened"], rng)

    def local(at: Instants) -> pd.Series[str]:
        stamps = pd.Series(pd.to_datetime(np.where(at < END, at, 0)[rows.index], unit="us", utc=True))
        text = stamps.dt.tz_convert(LOCAL_ZONE).dt.strftime("%Y-%m-%d %H:%M:%S")
        return text.where((at < END)[rows.index], "")

    rated = (tickets["rated"] < END)[rows.index]
    frame = pd.DataFrame(
        {
            "Ticket": numbered("T", rows.index + 1).to_pylist(),
            "Kunde": ["" if code < 0 else ids[code] for code in rows.customer],
            "Eröffnet": local(tickets["opened"]),
            "Gelöst": local(tickets["resolved"]),
            "Wieder geöffnet": local(tickets["reopened"]),
            "Bewertet": local(tickets["rated"]),
            "Priorität": np.asarray(PRIORITIES, dtype=object)[tickets["priority"][rows.index]],
            "Thema": np.asarray((start, *TOPICS[1:]), dtype=object)[tickets["topic"][rows.index]],
            "Zufriedenheit": np.where(rated, tickets["satisfaction"][rows.index].astype(str), ""),
        }
    )
    frame.to_csv(path, sep=";", index=False, lineterminator="\n", encoding="utf-8")
    return len(frame)
