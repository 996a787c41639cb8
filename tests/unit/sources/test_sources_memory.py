"""Memory that does not suffice."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from holdfast.errors import StorageError
from holdfast.sources import SourceSettings, open_sources

MANY = pd.DataFrame(
    {"who": [f"{i:030d}" for i in range(100_000)], "at": pd.Timestamp("2024-01-01", tz="UTC"), "paid": 1.0}
)
ORDERS = SourceSettings(frame="rows", columns={"customer_id": "who", "event_time": "at", "amount": "paid"})


def test_memory_that_does_not_suffice_is_told_with_the_keys_that_bound_it() -> None:
    """The data is as good as ever: who gets to hear that it is not would look in the wrong place."""
    with pytest.raises(StorageError, match=r"engine\.memory .*spark\.task_memory.* engine\.threads"):
        open_sources({"orders": ORDERS}, base=Path(), frames={"rows": MANY}, memory_limit="1MB")


def test_every_question_to_open_tables_speaks_of_memory_in_our_words(tmp_path: Path) -> None:
    """What is asked after the opening may be what does not fit."""
    with open_sources({"orders": ORDERS}, base=Path(), frames={"rows": MANY}) as tables:
        tables.connection.execute("SET memory_limit = '1MB'")
        for ask in (tables.ids, tables.facts, lambda: tables.sample(10, 0), lambda: tables.plant(0, 2**62)):
            with pytest.raises(StorageError, match=r"engine\.memory"):
                ask()


def test_a_view_of_a_database_is_run_within_the_same_bounds(tmp_path: Path) -> None:
    """It runs in a connection of its own, which took four fifths of the machine."""
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as database:
        database.execute(
            "CREATE VIEW orders AS SELECT list(i)::VARCHAR AS who, now() AS at, 1.0 AS paid "
            "FROM range(20000000) r(i) GROUP BY ALL HAVING count(*) > 1"
        )
    settings = SourceSettings(duckdb={"file": "shop.duckdb", "table": "orders"}, columns=ORDERS.columns)
    with pytest.raises(StorageError, match=r"engine\.memory"):
        open_sources({"orders": settings}, base=tmp_path, memory_limit="20MB")
