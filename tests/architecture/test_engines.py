"""What lies above history talks to the engine's protocol, and never asks which engine it is."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.architecture.source_files import imported, source_files, tree

AT_HOME = ("sources", "history", "partitioned", "spark")
"""The rooms that make an engine, up to history."""

DRIVERS = ("holdfast.sources.duck_tables", "holdfast.sources.spark", "holdfast.history.chunk_reader", "holdfast.spark")
ENGINES = {"DuckTables", "SparkTables"}
PARTS = {"LocalParts", "SparkParts"}
BY_HAND = {Path("testing/events.py")}
"""Lays invented events into a database by hand, in an order and of kinds that no raw source has."""

ABOVE = [path for path in source_files() if path.parts[0] not in AT_HOME and path not in BY_HAND]


@pytest.mark.parametrize("path", ABOVE, ids=str)
def test_no_file_above_history_knows_an_engine(path: Path) -> None:
    """A third engine is one driver, not a hunt for the places that branch on the first two."""
    found = [name for name in imported(path) if name.startswith(DRIVERS) or name.rsplit(".", 1)[-1] in ENGINES]
    for node in ast.walk(tree(path)):
        asks = isinstance(node, ast.Call) and ast.unparse(node.func) == "isinstance" and named(node) & (ENGINES | PARTS)
        if asks or (isinstance(node, ast.Compare) and "engine" in named(node)):
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    assert found == []


def named(node: ast.AST) -> set[str]:
    """The names and attributes that an expression mentions."""
    parts = list(ast.walk(node))
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    return names | {part.attr for part in parts if isinstance(part, ast.Attribute)}


def test_the_rule_finds_an_engine_where_there_is_one() -> None:
    """A rule that matches nothing anywhere would hold of everything."""
    assert any("DuckTables" in ast.unparse(tree(path)) for path in source_files() if path.parts[0] == "history")
