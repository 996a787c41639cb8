"""What windows over many cutoffs cost, beside a floor and two peers that ask one query per cutoff.

    python -m benchmarks.features --events 20000000 --customers 500000 --cutoffs 12

Two sets are measured: count, sum and max over six windows, and the default features of orders (``catalogue_…``).
The floor is DuckDB sorting the same columns by customer and time into Arrow: nobody who needs sorted events is faster.
Peers come in two forms: a query on the rows as they are (``polars_seconds``, ``duckdb_seconds``), and a copy sorted
once for all cutoffs, whose sort counts (``…_sorted_seconds``). Everyone starts from the same unsorted table and runs in
a process of its own. The values of some customers, the most active among them, are compared before any time is printed.

Where ``…peer_cutoffs`` is less than ``cutoffs``, peers were timed on so many, spread evenly, and scaled.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import duckdb
import numpy as np
import pandas as pd

from benchmarks.peers import comparing, data
from benchmarks.peers.sets import SETS
from holdfast.features.feature import Feature
from holdfast.snapshots import PopulationSettings, Snapshots, snapshot_parts
from holdfast.sources import DuckTables

OURS_MEMORY, PEERS_MEMORY = "2GB", "4GB"
EVERYONE = PopulationSettings(bought_within_days=data.DAYS)
CONTENDERS = ("floor", "holdfast", "polars", "polars_sorted", "duckdb", "duckdb_sorted")
PEERS = CONTENDERS[2:]


def ours(
    tables: DuckTables, features: Sequence[Feature], cutoffs: Sequence[int], consume: Callable[[pd.DataFrame], object]
) -> None:
    """Build all snapshots and hand them to ``consume``, piece by piece."""
    for frame in snapshot_parts(tables, Snapshots.of(features, EVERYONE, cutoffs)).frames(None):
        consume(frame)


def fastest(work: Callable[[], object], runs: int) -> float:
    """The least of several times, in seconds."""
    times = []
    for _ in range(runs):
        begun = perf_counter()
        work()
        times.append(perf_counter() - begun)
    return min(times)


def floor(database: Path, chosen: str, runs: int) -> dict[str, float]:
    """Time the sort alone."""
    columns = sorted(set().union(*(feature.aggregate.columns() for feature in SETS[chosen]), {"amount"}))
    sort = f"SELECT customer, event_time, known_time, {', '.join(columns)} FROM orders ORDER BY customer, event_time"
    with data.connect(database, PEERS_MEMORY) as connection:
        return {"seconds": fastest(lambda: connection.sql(sort).to_arrow_table(), runs)}


def holdfast(database: Path, chosen: str, cutoffs: list[int], timed: list[int], runs: int) -> dict[str, float]:
    """Time all cutoffs; the pass before, which loads the compiled loops, keeps the values to compare."""
    kept, rows = comparing.Kept(database, "holdfast", SETS[chosen]), 0

    def keep(table: pd.DataFrame) -> None:
        nonlocal rows
        rows += len(table)
        part = table[table["cutoff"].isin(timed)]
        kept.add(part["customer_id"].str[1:].astype(np.int64).to_numpy(), part["cutoff"].to_numpy(), part)

    with data.tables(database, OURS_MEMORY) as tables:
        ours(tables, SETS[chosen], cutoffs, keep)
        seconds = fastest(lambda: ours(tables, SETS[chosen], cutoffs, len), runs)
    kept.store()
    return {"seconds": seconds, "snapshots": rows, "timed_snapshots": kept.rows}


def peer(database: Path, name: str, chosen: str, cutoffs: int, timed: list[int], runs: int) -> dict[str, float]:
    """Time preparation and queries; the first pass keeps the values to compare."""
    with data.connect(database, PEERS_MEMORY) as connection:
        is_sorted = name.endswith("_sorted")
        if name.startswith("polars"):
            from benchmarks.peers.polars_peer import Polars as Peer
        else:
            from benchmarks.peers.duckdb_peer import DuckDB as Peer
        asked = Peer(connection, SETS[chosen], is_sorted=is_sorted)
        kept = comparing.Kept(database, name, SETS[chosen])
        asked.prepare()
        for cutoff in timed:
            table = asked.query(cutoff)
            kept.add(np.asarray(table["customer"]), np.full(len(table), cutoff), table)
            del table
        kept.store()
        prepared = fastest(asked.prepare, runs) if is_sorted else 0.0
        asking = sum(fastest(lambda at=cutoff: asked.query(at), runs) for cutoff in timed)
    return {"seconds": prepared + asking * cutoffs / len(timed), "timed_snapshots": kept.rows}


def spread(cutoffs: list[int], count: int) -> list[int]:
    """So many of the cutoffs, evenly, each from the middle of its part."""
    count = min(count, len(cutoffs))
    return [cutoffs[int((part + 0.5) * len(cutoffs) / count)] for part in range(count)]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, value in (("events", 2_000_000), ("customers", 50_000), ("cutoffs", 12), ("runs", 2)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--peer-cutoffs", type=int, default=12, help="how many cutoffs peers are timed on, small set")
    parser.add_argument("--catalogue-peer-cutoffs", type=int, default=2, help="the same for the catalogue")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--database", type=Path, help="a file with the orders, written if it is not there, and kept")
    parser.add_argument("--part", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def one_part(asked: argparse.Namespace) -> None:
    """What the process of one contender does: measure, and print what it found as the only line."""
    name, chosen = asked.part
    cutoffs = data.cutoffs_of_a_year(asked.cutoffs)
    timed = spread(cutoffs, asked.peer_cutoffs if chosen == "small" else asked.catalogue_peer_cutoffs)
    if name == "floor":
        found = floor(asked.database, chosen, asked.runs)
    elif name == "holdfast":
        found = holdfast(asked.database, chosen, cutoffs, timed, asked.runs)
    else:
        found = peer(asked.database, name, chosen, len(cutoffs), timed, asked.runs)
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(found))


def started(asked: argparse.Namespace, database: Path, name: str, chosen: str) -> dict[str, float]:
    """Measure one contender in a process of its own, so that times and memory are its alone."""
    command = [sys.executable, "-m", "benchmarks.features", "--database", str(database), "--part", name, chosen]
    for option in ("cutoffs", "runs", "peer_cutoffs", "catalogue_peer_cutoffs"):
        command += [f"--{option.replace('_', '-')}", str(getattr(asked, option))]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def of_set(asked: argparse.Namespace, database: Path, chosen: str) -> dict[str, float]:
    """Measure and compare all contenders on one set."""
    contenders = [name for name in CONTENDERS if name in asked.only]
    found = {name: started(asked, database, name, chosen) for name in contenders}
    compared = [name for name in contenders if name in PEERS]
    result: dict[str, float] = {"features": len(SETS[chosen])}
    if "holdfast" in found:
        result["snapshots"] = found["holdfast"]["snapshots"]
        for name in compared:
            result["compared_values"] = comparing.compare(database, SETS[chosen], name)
            if found[name]["timed_snapshots"] != found["holdfast"]["timed_snapshots"]:
                counts = found[name]["timed_snapshots"], found["holdfast"]["timed_snapshots"]
                raise SystemExit(f"{name} found {counts[0]} snapshots, holdfast {counts[1]}.")
    peer_cutoffs = asked.peer_cutoffs if chosen == "small" else asked.catalogue_peer_cutoffs
    result["peer_cutoffs"] = min(peer_cutoffs, asked.cutoffs)
    for name, numbers in found.items():
        result |= {f"{name}_seconds": round(numbers["seconds"], 3), f"{name}_peak_mb": numbers["peak_mb"]}
    if "holdfast" in found:
        mine = found["holdfast"]["seconds"]
        if "floor" in found:
            result["holdfast_to_floor"] = round(mine / found["floor"]["seconds"], 2)
        for word, names in (("peer", ("polars", "duckdb")), ("sorted_peer", ("polars_sorted", "duckdb_sorted"))):
            times = [found[name]["seconds"] for name in names if name in found]
            if times:
                result[f"{word}_to_holdfast"] = round(min(times) / mine, 2)
    return result


def main() -> None:
    """Measure and print."""
    asked = arguments()
    if asked.part:
        one_part(asked)
        return
    result: dict[str, object] = {name: getattr(asked, name) for name in ("events", "customers", "cutoffs", "runs")}
    with tempfile.TemporaryDirectory() as folder:
        database = asked.database or Path(folder) / "orders.duckdb"
        if not database.exists():
            data.write(database, asked.events, asked.customers)
        comparing.choose(database)
        for chosen in asked.sets:
            prefix = "" if chosen == "small" else f"{chosen}_"
            result |= {f"{prefix}{name}": value for name, value in of_set(asked, database, chosen).items()}
        comparing.forget(database)
    result["duckdb"] = duckdb.__version__
    for name, value in result.items():
        print(f"{name:>34}  {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
