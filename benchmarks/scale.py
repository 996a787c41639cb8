"""What a large shop costs to train and to score, as multiples of reading and sorting its orders.

    python -m benchmarks.scale                                          # a million customers, 60 million orders
    python -m benchmarks.scale --customers 100000 --orders 6000000

Orders of 1000 days lie in one Parquet file. The floor is DuckDB, with two threads and the memory that the package has
by default: read customer, time and amount, and sort them by customer and time into a table. ``train`` and ``score`` are
the commands with their defaults (a sample of 500,000 snapshots teaches), a budget of a twentieth of the customers, each
in a process of its own; starting Python and opening the tables count. Memory is the largest resident size. The last
line is a JSON object.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import duckdb
import yaml

from benchmarks.peers.data import DAYS, FIRST, write
from holdfast.timeline import MICROSECONDS_PER_DAY, show

MEMORY = "2GB"
ACTIONS = {
    "onboarding_help": ("email", 0.5, 0.08),
    "loyalty_reward": ("email", 0.2, 0.06),
    "personal_offer": ("email", 0.2, 0.08),
    "service_recovery": ("phone", 6.0, 0.2),
    "account_manager_call": ("phone", 12.0, 0.15),
    "feedback_survey": ("email", 0.1, 0.02),
    "win_back": ("email", 0.2, 0.05),
}
STEPS = ("floor", "train", "promote", "score")
MEASURED = ("train", "score")


def orders_file(folder: Path, orders: int, customers: int) -> Path:
    """The orders as an export would hold them, in no order."""
    file, database = folder / "orders.parquet", folder / "orders.duckdb"
    if not file.exists():
        write(database, orders, customers)
        with duckdb.connect(str(database), config={"memory_limit": MEMORY, "threads": 2}) as connection:
            connection.execute(
                f"""COPY (SELECT customer_id, make_timestamp(event_time) AT TIME ZONE 'UTC' AS ordered_at, amount
                FROM orders JOIN customers_index USING (customer)) TO '{file}' (FORMAT parquet)"""
            )
        database.unlink()
    return file


def configuration(folder: Path, customers: int) -> Path:
    """What a person would write: sources, definitions, a budget; the rest are defaults."""
    day = 86_400 * 10**6
    test = [show(FIRST + (DAYS - back) * day)[:10] for back in (280, 190, 100)]
    settings = {
        "name": "large_shop",
        "sources": {
            "orders": {
                "path": "orders.parquet",
                "columns": {"customer_id": "customer_id", "event_time": "ordered_at", "amount": "amount"},
            }
        },
        "population": {"bought_within_days": 365},
        "churn": {"kind": "no_order", "horizon_days": 90},
        "value": {"of": "revenue", "horizon_days": 90},
        "cutoffs": {"every": "month", "first": show(FIRST + 180 * day)[:10], "test": test},
        "outreach": {
            "quiet_days": 30,
            "control_share": 0.1,
            "control_salt": "large",
            "budget": {"contacts": customers // 20},
            "high_value_share": 0.1,
            "unknown_consent": "contact",
            "stages": {"onboarding_days": 30, "lapsing_days": 60, "dormant_days": 180, "lost_days": 365},
            "actions": {
                name: {"channel": channel, "contact_cost": cost, "save_rate": saved}
                for name, (channel, cost, saved) in ACTIONS.items()
            },
        },
    }
    file = folder / "large_shop.yaml"
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return file


def floor(folder: Path) -> None:
    """Read and sort three columns."""
    with duckdb.connect(str(folder / "floor.duckdb"), config={"memory_limit": MEMORY, "threads": 2}) as connection:
        connection.execute(
            "CREATE OR REPLACE TABLE sorted AS SELECT customer_id, ordered_at, amount "
            f"FROM '{folder / 'orders.parquet'}' ORDER BY customer_id, ordered_at"
        )
    (folder / "floor.duckdb").unlink()


def step(folder: Path, name: str) -> None:
    """One step, in this process."""
    if name == "floor":
        floor(folder)
        return
    from holdfast import Project

    with Project.open(folder / "large_shop.yaml") as project:
        if name == "train":
            project.train(force=True)
        elif name == "promote":
            project.promote()
        else:
            project.score(show(FIRST + DAYS * MICROSECONDS_PER_DAY)[:10])


def measured(folder: Path, name: str) -> dict[str, float]:
    """Seconds, CPU seconds and memory of a step in a process of its own."""
    before, clock = resource.getrusage(resource.RUSAGE_CHILDREN), perf_counter()
    program = (
        "import resource, sys; from pathlib import Path; from benchmarks.scale import step; "
        "step(Path(sys.argv[1]), sys.argv[2]); "
        "print(max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder), name], check=True, stdout=subprocess.PIPE, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "seconds": perf_counter() - clock,
        "cpu_seconds": cpu,
        "memory_gb": int(done.stdout.split()[-1]) * 1024 / 1e9,
    }


def compare(folder: Path, customers: int, orders: int) -> dict[str, Any]:
    """All steps, and the two that count as multiples of the floor."""
    orders_file(folder, orders, customers)
    configuration(folder, customers)
    found: dict[str, Any] = {"customers": customers, "orders": orders}
    for name in STEPS:
        found[name] = {what: round(value, 2) for what, value in measured(folder, name).items()}
        print(
            f"{name}: {found[name]['seconds']} s, {found[name]['cpu_seconds']} s of CPU, {found[name]['memory_gb']} GB"
        )
        sys.stdout.flush()
    for name in MEASURED:
        for what in ("seconds", "cpu_seconds"):
            found[f"{name}_{what}_ratio"] = round(found[name][what] / found["floor"][what], 2)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--orders", type=int, default=60_000_000)
    parser.add_argument("--folder", type=Path, help="where the shop stays for the next run")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print(json.dumps(compare(folder.resolve(), asked.customers, asked.orders)))


if __name__ == "__main__":
    main()
