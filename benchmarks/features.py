"""What windows over many cutoffs cost: count, sum and max over six windows, beside a floor and a peer.

The floor is DuckDB sorting the same columns by customer and time into Arrow: nobody who needs sorted events is faster.
The peer is DuckDB with one aggregate query per cutoff. Values are compared before any time is printed.

    python -m benchmarks.features --events 2000000 --customers 50000 --cutoffs 12
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from holdfast.features.feature import Feature
from holdfast.history.aggregates import Count, Max, Sum
from holdfast.snapshots import PopulationSettings, build_snapshots
from holdfast.sources import SourceSettings, Tables, open_sources
from holdfast.timeline import MICROSECONDS_PER_DAY, Days, instant

WINDOWS = (7, 30, 90, 180, 365, 1000)
FIRST, DAYS = instant("2021-01-01"), 1000
SMALL_SET = tuple(
    Feature(f"{name}_{days}d", "orders", aggregate, unit, "had {value}", "benchmark", Days(days))
    for days in WINDOWS
    for name, aggregate, unit in (
        ("count", Count(), "count"),
        ("sum", Sum("amount"), "currency"),
        ("max", Max("amount"), "currency"),
    )
)


def orders(events: int, customers: int, seed: int = 0) -> pa.Table:
    """Orders of customers of very different activity, amounts in cents."""
    random = np.random.default_rng(seed)
    weight = random.pareto(1.5, customers) + 0.1
    who = random.choice(customers, events, p=weight / weight.sum())
    at = FIRST + random.integers(0, DAYS * MICROSECONDS_PER_DAY, events)
    return pa.table(
        {
            "customer_id": pa.array(np.char.add("c", who.astype(str))),
            "event_time": pa.array(at, pa.timestamp("us", "UTC")),
            "amount": np.round(random.gamma(2, 20, events), 2),
        }
    )


def by_query(tables: Tables, cutoffs: list[int]) -> pd.DataFrame:
    """The same numbers from one DuckDB query per cutoff."""
    parts = []
    for cutoff in cutoffs:
        columns = []
        for days in WINDOWS:
            inside = f"FILTER (event_time >= {cutoff - days * MICROSECONDS_PER_DAY})"
            columns.append(f"count(*) {inside} AS count_{days}d, coalesce(sum(amount) {inside}, 0) AS sum_{days}d")
            columns.append(f"max(amount) {inside} AS max_{days}d")
        where = f"event_time < {cutoff} AND known_time < {cutoff}"
        query = f"SELECT customer, {cutoff} AS cutoff, {', '.join(columns)} FROM orders WHERE {where} GROUP BY customer"
        parts.append(tables.connection.sql(query).df())
    return pd.concat(parts)


def timed(work: Callable[[], object], runs: int) -> float:
    """The fastest of several runs, in seconds."""
    times = []
    for _ in range(runs):
        begun = perf_counter()
        work()
        times.append(perf_counter() - begun)
    return min(times)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("events", 2_000_000), ("customers", 50_000), ("cutoffs", 12), ("runs", 3)):
        parser.add_argument(f"--{name}", type=int, default=value)
    asked = parser.parse_args()
    last = FIRST + DAYS * MICROSECONDS_PER_DAY
    cutoffs = [last - 30 * k * MICROSECONDS_PER_DAY for k in range(asked.cutoffs)]
    mapping = SourceSettings(frame="orders", columns={name: name for name in ("customer_id", "event_time", "amount")})
    frames = {"orders": orders(asked.events, asked.customers)}
    everyone = PopulationSettings(bought_within_days=DAYS)
    with open_sources({"orders": mapping}, base=Path(), frames=frames) as tables:
        ours = build_snapshots(tables, SMALL_SET, population=everyone, cutoffs=cutoffs)
        theirs = by_query(tables, cutoffs).sort_values(["cutoff", "customer"])
        assert len(ours) == len(theirs), (len(ours), len(theirs))
        for feature in SMALL_SET:
            totals = [float(np.nansum(frame[feature.name].to_numpy(dtype=np.float64))) for frame in (ours, theirs)]
            assert abs(totals[0] - totals[1]) <= 1e-6 * max(abs(totals[1]), 1), (feature.name, totals)
        sort = "SELECT customer, event_time, known_time, amount FROM orders ORDER BY customer, event_time"
        seconds = {
            "floor_seconds": timed(lambda: tables.connection.sql(sort).to_arrow_table(), asked.runs),
            "holdfast_seconds": timed(
                lambda: build_snapshots(tables, SMALL_SET, population=everyone, cutoffs=cutoffs), asked.runs
            ),
            "duckdb_seconds": timed(lambda: by_query(tables, cutoffs), asked.runs),
        }
    result = {
        **{name: getattr(asked, name) for name in ("events", "customers", "cutoffs")},
        "snapshots": len(ours),
        **{name: round(value, 3) for name, value in seconds.items()},
        "holdfast_to_floor": round(seconds["holdfast_seconds"] / seconds["floor_seconds"], 2),
        "peer_to_holdfast": round(seconds["duckdb_seconds"] / seconds["holdfast_seconds"], 2),
        "duckdb": duckdb.__version__,
    }
    for name, value in result.items():
        print(f"{name:>20}  {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
