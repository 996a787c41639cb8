"""What a nightly score saves by a store of validated rows, beside reading everything.

    python -m benchmarks.nightly --events 10000000 --customers 250000

Orders of 1000 days are written in order of time, as an export would be, without the last day, and opened once, so that
the store is filled; then the last day is added, and the tables are opened with the store and without. The last line is
a JSON object; ``equal`` says that accounts and fingerprint are the same, ``ratio`` is the time with the store by the
time without.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb

from benchmarks.peers.data import LAST, write
from holdfast.sources import SourceSettings, open_sources
from holdfast.timeline import MICROSECONDS_PER_DAY

COLUMNS = ("customer_id", "event_time", "known_time", "amount", "discount", "quantity")
SOURCES = {"orders": SourceSettings(path="export/*.parquet", columns={name: name for name in COLUMNS})}
NOW = LAST + 60 * MICROSECONDS_PER_DAY


def export(database: Path, first: int, last: int, file: Path) -> None:
    """What a system learnt between two instants, in order of time."""
    with duckdb.connect(str(database), read_only=True, config={"memory_limit": "4GB", "threads": 2}) as connection:
        connection.execute(
            f"""COPY (
                SELECT customer_id, make_timestamp(event_time) AT TIME ZONE 'UTC' AS event_time,
                    make_timestamp(known_time) AT TIME ZONE 'UTC' AS known_time, amount, discount, items AS quantity
                FROM orders JOIN customers_index USING (customer)
                WHERE known_time >= {first} AND known_time < {last} ORDER BY known_time
            ) TO '{file}' (FORMAT parquet)"""
        )


def opened(folder: Path, keep: Path | None) -> dict[str, Any]:
    """How long an opening takes, and what it found."""
    begun = perf_counter()
    with open_sources(SOURCES, base=folder, now=NOW, keep=keep) as tables:
        seconds = perf_counter() - begun
        return {"seconds": seconds, "told": (tables.report.to_dict(), tables.fingerprint)}


def compare(folder: Path, events: int, customers: int) -> dict[str, Any]:
    """Two nights in a folder."""
    database, kept = folder / "orders.duckdb", folder / "kept"
    write(database, events, customers)
    (folder / "export").mkdir()
    export(database, 0, LAST - MICROSECONDS_PER_DAY, folder / "export" / "0.parquet")
    first = opened(folder, kept)
    export(database, LAST - MICROSECONDS_PER_DAY, LAST, folder / "export" / "1.parquet")
    whole, night = opened(folder, None), opened(folder, kept)
    return {
        "events": events,
        "customers": customers,
        "first_seconds": round(first["seconds"], 2),
        "whole_seconds": round(whole["seconds"], 2),
        "store_seconds": round(night["seconds"], 2),
        "ratio": round(night["seconds"] / whole["seconds"], 2),
        "equal": whole["told"] == night["told"],
    }


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--customers", type=int, default=50_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = compare(Path(folder), asked.events, asked.customers)
    print(json.dumps(found))
    return 0 if found["equal"] else 1


if __name__ == "__main__":
    sys.exit(main())
