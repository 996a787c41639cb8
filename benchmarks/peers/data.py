"""Invented orders of any number, written piece by piece into a DuckDB file, so that 100 million need little memory.

The table is what the sources hand on: ``orders(customer, event_time, known_time, amount, discount, items, margin)`` and
``customers_index(customer, customer_id)``. Its rows are in no order, and every contender starts from it.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from holdfast.files import TemporaryFolder
from holdfast.sources import DuckTables
from holdfast.sources.report import SourcesReport
from holdfast.sources.streams import ColumnKind, StreamInfo
from holdfast.timeline import MICROSECONDS_PER_DAY, instant

FIRST, DAYS = instant("2021-01-01"), 1000
LAST = FIRST + DAYS * MICROSECONDS_PER_DAY
COLUMNS: dict[str, ColumnKind] = dict.fromkeys(("amount", "discount", "items", "margin"), "number")
PIECE = 2_000_000
LATE, MOST_LATE_DAYS, REFUNDS = 0.001, 40, 0.05
THREADS = 2


def connect(database: Path, memory_limit: str) -> duckdb.DuckDBPyConnection:
    """Open the file, with two threads and a bound on memory; what does not fit spills beside it."""
    settings = {"memory_limit": memory_limit, "threads": THREADS, "temp_directory": f"{database}.spill"}
    return duckdb.connect(str(database), config=settings)


def write(database: Path, events: int, customers: int, seed: int = 0) -> None:
    """Write the orders of customers of very different activity; the same arguments give the same rows.

    Amounts are whole cents; one in twenty is a refund, and one row in a thousand becomes known up to 40 days late.
    """
    random = np.random.default_rng(seed)
    reach = np.cumsum(random.pareto(1.5, customers) + 0.1)
    with connect(database, "1GB") as connection:
        columns = "".join(f", {name} DOUBLE" for name in COLUMNS)
        connection.execute(f"CREATE TABLE orders (customer BIGINT, event_time BIGINT, known_time BIGINT{columns})")
        connection.execute(
            f"CREATE TABLE customers_index AS SELECT range AS customer, printf('c%09d', range) AS customer_id "
            f"FROM range({customers})"
        )
        for begin in range(0, events, PIECE):
            connection.register("piece", _piece(random, reach, min(PIECE, events - begin)))
            connection.execute("INSERT INTO orders SELECT * FROM piece")
            connection.unregister("piece")


def _piece(random: np.random.Generator, reach: np.ndarray, rows: int) -> pa.Table:
    customer = np.searchsorted(reach, random.random(rows) * reach[-1], side="right").astype(np.int64)
    at = FIRST + random.integers(0, DAYS * MICROSECONDS_PER_DAY, rows)
    delay = random.integers(1, MOST_LATE_DAYS * MICROSECONDS_PER_DAY, rows)
    known = at + np.where(random.random(rows) < LATE, delay, 0)
    cents = np.rint(random.gamma(2, 2000, rows)) + 1
    refund = random.random(rows) < REFUNDS
    share = random.random(rows)
    discount = np.where(refund | (share < 0.7), 0.0, np.rint(cents * (share - 0.7)))
    margin = np.rint(cents * 0.35) - discount
    sign = np.where(refund, -1.0, 1.0)
    return pa.table(
        {
            "customer": customer,
            "event_time": at,
            "known_time": known,
            "amount": sign * cents / 100,
            "discount": discount / 100,
            "items": 1.0 + random.poisson(1.5, rows),
            "margin": sign * margin / 100,
        }
    )


def tables(database: Path, memory_limit: str) -> DuckTables:
    """The file as the package's own open tables, in the state in which ``open_sources`` hands them on."""
    folder = TemporaryFolder.make(database.parent)
    streams = {"orders": StreamInfo("orders", COLUMNS)}
    return DuckTables(connect(database, memory_limit), folder, streams, SourcesReport(()))


def cutoffs_of_a_year(count: int) -> list[int]:
    """Midnights that end with the end of the data, evenly over the last 360 days: monthly if 12, weekly if 50."""
    step = max(360 // count, 1)
    return [LAST - step * MICROSECONDS_PER_DAY * k for k in reversed(range(count))]
