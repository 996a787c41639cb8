"""The small databases, written once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

Database = Callable[[str], Path]


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """The folder of a database by the name of its builder."""
    pytest.importorskip("relbench", reason="the package relbench is not installed")

    @cache
    def folder(name: str) -> Path:
        from tests.benchmarks.relbench import databases

        return getattr(databases, name)(tmp_path_factory.mktemp(name))

    return folder
