"""What a configuration makes of raw tables, and what it does when that does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast import Project
from holdfast.errors import StorageError
from tests.end_to_end.shop import Shop, settings


def test_a_population_that_nobody_belongs_to_any_more_is_empty(tmp_path: Path) -> None:
    """What can be learnt of the past is learnt, also of a shop that has closed."""
    Shop.build(tmp_path)
    with Project.open(settings(population={"bought_within_days": 1e-12}), base=tmp_path) as project:
        recent = project.dataset.recent()
        assert recent.empty
        assert {"customer_id", "cutoff", "days_since_order"} <= set(recent.columns)


def test_memory_that_does_not_suffice_is_no_empty_population(tmp_path: Path) -> None:
    """A model would be trained as if everybody had left, and nobody would hear of it."""
    Shop.build(tmp_path)
    with Project.open(settings(), base=tmp_path) as project:
        features, connection = project.features(), project.tables.connection
        assert features
        connection.execute("SET memory_limit = '200KB'")
        with pytest.raises(StorageError, match=r"engine\.memory"):
            project.dataset.recent()


def test_the_bounds_of_the_engine_reach_duckdb(tmp_path: Path) -> None:
    """Also where the tables are opened again for some customers."""
    Shop.build(tmp_path)
    with Project.open(settings(engine={"memory": "512MiB", "threads": 1}), base=tmp_path) as project:
        again = project.tables.reopened(as_of=None, customers=["K00001"])
        for tables in (project.tables, again):
            bounds = "SELECT current_setting('memory_limit'), current_setting('threads')"
            assert tables.connection.execute(bounds).fetchall() == [("512.0 MiB", 1)]
        again.close()
