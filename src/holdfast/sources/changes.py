"""Times in a table that nobody mapped and that lie after the row counts as known: the row was changed since.

Such a row may hold today's truth under yesterday's date (a refund netted into its purchase, a state of today), and the
times are the trace of it. The audit names them.
"""

from __future__ import annotations

import re

import duckdb

from holdfast.sources import casts
from holdfast.sources.connection import one, quoted
from holdfast.sources.mapping import SourceMapping
from holdfast.sources.relation import Relation

_TIMES = ("time", "known", "later", "date")


def watched(mapping: SourceMapping, relation: Relation) -> dict[str, str]:
    """Raw columns of times that no time of ours is read from, and how to read them; empty without a first moment."""
    if mapping.kind.time is None:
        return {}
    roles = {column.name: column.role for column in mapping.kind.columns}
    used = [item.expression for own, item in mapping.picked.items() if roles[own] in _TIMES]
    found = {}
    for raw, kind in relation.columns.items():
        naive = casts.is_naive(kind)
        if not (casts.is_zoned(kind) or (naive and mapping.timezone is not None)):
            continue
        if any(re.search(rf"(?<!\w){re.escape(raw)}(?!\w)", expression, re.IGNORECASE) for expression in used):
            continue
        found[raw] = casts.time(quoted(raw), kind, mapping.timezone, f"sources.{mapping.name}", mapping.name).value
    return found


def changed(raw: str) -> str:
    """Name in the mapped table of the mark that a row's time in this raw column lies after the row was known."""
    return f"changed {raw}"


def changed_shares(connection: duckdb.DuckDBPyConnection, table: str, raws: list[str]) -> dict[str, float]:
    """Share of the good rows that were changed later, by raw column; those without any are left out."""
    if not raws:
        return {}
    shares = ", ".join(f"avg(CAST(coalesce({quoted(changed(raw))}, FALSE) AS INTEGER))" for raw in raws)
    found = one(connection, f"SELECT {shares} FROM {table} WHERE reason IS NULL")
    return {raw: float(share) for raw, share in zip(raws, found, strict=True) if share}
