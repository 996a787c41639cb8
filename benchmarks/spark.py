"""What Spark costs beside DuckDB on one machine, on data with everything that could make the two differ.

    python -m benchmarks.spark --events 1000000 --customers 50000 --cutoffs 12

Orders with late rows, repeated ids, refunds, rows that must be rejected, and customers without any event are written as
Parquet, opened on both engines and turned into snapshots with every default feature and labels. The last line is a JSON
object; ``equal`` says that accounts, fingerprints and every cell of the snapshots are the same, numbers to the bit.
Times include reading and validation, not the start of Spark. Beside each other on one machine Spark can only be slower:
``ratio`` is the price of moving rows between processes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from holdfast.features.catalogue import Vocabulary, catalogue
from holdfast.labels import ChurnSettings, LabelSettings, ValueSettings
from holdfast.snapshots import PopulationSettings, build_snapshots
from holdfast.sources import AttributeSettings, DuckTables, SourceSettings, open_sources
from holdfast.sources.spark import SparkSettings, SparkTables, open_on_spark
from holdfast.spark.session import start
from holdfast.timeline import MICROSECONDS_PER_DAY, instant

FIRST, DAYS = instant("2021-01-01"), 1000
NOW = FIRST + (DAYS + 60) * MICROSECONDS_PER_DAY
COLUMNS = ("customer_id", "event_time", "known_time", "event_id", "order_id", "amount", "category", "currency")
SOURCES = {
    "orders": SourceSettings(path="orders.parquet", columns={name: name for name in COLUMNS}),
    "customers": SourceSettings(
        path="customers.parquet",
        columns={"customer_id": "customer_id", "signup_time": "signup_time"},
        attributes={"country": AttributeSettings(column="country", static=True)},
    ),
}


def write(folder: Path, events: int, customers: int, seed: int = 0) -> None:
    """Write both tables; a fifth of the customers has no order, one order in fifty is there twice."""
    random = np.random.default_rng(seed)
    reach = np.cumsum(random.pareto(1.5, customers * 4 // 5) + 0.1)
    customer = np.searchsorted(reach, random.random(events) * reach[-1], side="right")
    at = FIRST + random.integers(0, DAYS * MICROSECONDS_PER_DAY // 3_600_000_000, events) * 3_600_000_000
    late = random.random(events) < 0.02
    known = at + np.where(late, random.integers(1, 40 * MICROSECONDS_PER_DAY, events), 0)
    amount = np.round(random.gamma(2, 20, events), 2)
    amount[random.random(events) < 0.05] *= -1.0
    amount[random.random(events) < 0.001] = np.nan
    rows = pa.table(
        {
            "customer_id": pa.array(np.char.add("c", customer.astype(str))),
            "event_time": pa.array(at, pa.timestamp("us", "UTC")),
            "known_time": pa.array(known, pa.timestamp("us", "UTC")),
            "event_id": pa.array(np.arange(events)),
            "order_id": pa.array(random.integers(0, events // 2 + 1, events)),
            "amount": pa.array(amount),
            "category": pa.array(np.char.add("group ", random.integers(0, 40, events).astype(str))),
            "currency": pa.array(np.where(random.random(events) < 0.001, "USD", "EUR")),
        }
    )
    again = rows.take(pa.array(random.integers(0, events, events // 50)))
    pq.write_table(pa.concat_tables([rows, again]), folder / "orders.parquet", row_group_size=200_000)
    everyone = np.arange(customers)
    people = {
        "customer_id": pa.array(np.char.add("c", everyone.astype(str))),
        "signup_time": pa.array(FIRST - random.integers(0, 10**13, customers), pa.timestamp("us", "UTC")),
        "country": pa.array(np.where(everyone % 3 == 0, "FR", "DE")),
    }
    pq.write_table(pa.table(people), folder / "customers.parquet")


def built(open_tables: Callable[[], AbstractContextManager[DuckTables | SparkTables]], cutoffs: int) -> dict[str, Any]:
    """Accounts, fingerprint and snapshots of one engine, with the time they took."""
    begun = perf_counter()
    step = max(300 // cutoffs, 1) * MICROSECONDS_PER_DAY
    last = FIRST + (DAYS - 95) * MICROSECONDS_PER_DAY
    labels = LabelSettings(
        churn=ChurnSettings(kind="no_order", horizon_days=90), value=ValueSettings(of="revenue", horizon_days=90)
    )
    with open_tables() as tables:
        table = build_snapshots(
            tables,
            catalogue(Vocabulary.of(tables)),
            population=PopulationSettings(bought_within_days=180),
            cutoffs=[last - step * k for k in range(cutoffs)],
            labels=labels,
        )
        seconds = perf_counter() - begun
        return {
            "seconds": seconds,
            "snapshots": table,
            "told": (tables.report.to_dict(), tables.fingerprint, tables.customer_count),
        }


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Equal to the bit, but that all missing values are alike."""
    if one.dtypes.to_dict() != other.dtypes.to_dict() or len(one) != len(other):
        return False
    return all(_equal(one[name], other[name]) for name in one.columns)


def _equal(one: pd.Series, other: pd.Series) -> bool:
    if one.dtype != np.float64:
        return one.equals(other)
    a, b = one.to_numpy(), other.to_numpy()
    return bool(((a.view(np.int64) == b.view(np.int64)) | (np.isnan(a) & np.isnan(b))).all())


def compare(folder: Path, events: int, customers: int, cutoffs: int, settings: SparkSettings) -> dict[str, Any]:
    """Write the tables into the folder and build from them on both engines."""
    write(folder, events, customers)
    given: dict[str, Any] = {"base": folder, "currency": "EUR", "now": NOW}
    duck = built(lambda: open_sources(SOURCES, **given), cutoffs)
    start(settings.conf)
    spark = built(lambda: open_on_spark(SOURCES, settings, **given), cutoffs)
    report = duck["told"][0]["orders"]
    return {
        "events": events,
        "customers": customers,
        "cutoffs": cutoffs,
        "snapshots": len(duck["snapshots"]),
        "columns": duck["snapshots"].shape[1],
        "rejected": report["rejected"],
        "duckdb_seconds": round(duck["seconds"], 2),
        "spark_seconds": round(spark["seconds"], 2),
        "ratio": round(spark["seconds"] / duck["seconds"], 2),
        "equal": duck["told"] == spark["told"] and same(duck["snapshots"], spark["snapshots"]),
    }


def main() -> int:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--cutoffs", type=int, default=12)
    parser.add_argument("--cores", type=int, default=2)
    asked = parser.parse_args()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    conf = {"spark.master": f"local[{asked.cores}]", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "4"}
    with tempfile.TemporaryDirectory() as folder:
        found = compare(Path(folder), asked.events, asked.customers, asked.cutoffs, SparkSettings(conf=conf))
    print(json.dumps(found))
    return 0 if found["equal"] else 1


if __name__ == "__main__":
    sys.exit(main())
