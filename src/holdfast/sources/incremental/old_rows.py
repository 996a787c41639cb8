"""Which raw rows are old, and what they look like together.

A raw row is *old* if its own times say that it happened and was known a while ago; a row without a time never is. What
the old rows of a table look like is a sum of hashes over all their cells: any row that was added, deleted or rewritten
changes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from holdfast.sources import casts
from holdfast.sources.connection import literal, one
from holdfast.sources.mapping import SourceMapping
from holdfast.sources.relation import Relation
from holdfast.timeline import MICROSECONDS_PER_DAY, moment

_MARGIN = 2 * MICROSECONDS_PER_DAY  # clocks of raw times without a zone stand up to a day away from UTC


@dataclass(frozen=True)
class RowsDigest:
    """Some raw rows: how many, and the sum of the hashes of all their cells."""

    rows: int = 0
    hashes: str = "0"

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, query: str) -> RowsDigest:
        """Of what may stand after FROM."""
        found = one(connection, f"SELECT count(*), coalesce(sum(hash(each)), 0)::VARCHAR FROM (FROM {query}) AS each")
        return cls(int(found[0]), str(found[1]))


@dataclass(frozen=True)
class OldRows:
    """What makes a raw row old, said in its own columns.

    Attributes
    ----------
    columns : tuple of (column, DuckDB type)
        When it happened and, if it is mapped, when it was known.
    """

    columns: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, mapping: SourceMapping, relation: Relation) -> OldRows | None:
        """None for a source whose rows change as time goes by, or whose times are no plain columns of Parquet files."""
        changing = [column.name for column in mapping.kind.columns if column.role == "later" or column.revealed_by]
        if mapping.kind.time is None or any(map(mapping.has, changing)) or not relation.sql.startswith("read_parquet("):
            return None
        picked = [mapping.picked[name] for name in (mapping.kind.time, "known_time") if mapping.has(name)]
        plain = all(
            re.fullmatch(r'"(?:[^"]|"")+"', each.expression)
            and (casts.is_naive(each.kind) or casts.is_zoned(each.kind))
            for each in picked
        )
        return cls(tuple((each.expression, each.kind) for each in picked)) if plain else None

    def condition(self, until: int | None) -> str:
        """The condition that a raw row is old at an instant, true or false; nothing is at none."""
        if until is None:
            return "FALSE"
        older = " AND ".join(f"{column} < {_stamp(until, kind)}" for column, kind in self.columns)
        return f"coalesce({older}, FALSE)"

    def newest(self, connection: duckdb.DuckDBPyConnection, relation: Relation) -> int:
        """The latest raw time, as if its clock were UTC's; 0 without rows."""
        parts = [
            f"coalesce(epoch_us(CAST(max({column}) AS {'TIMESTAMPTZ' if casts.is_zoned(kind) else 'TIMESTAMP'})), 0)"
            for column, kind in self.columns
        ]
        return int(max(one(connection, f"SELECT {', '.join(parts)} FROM {relation.sql}")))


def _stamp(until: int, kind: str) -> str:
    """The instant less the margin in the raw column's own type."""
    at = moment(until - _MARGIN)
    at = at if casts.is_zoned(kind) else at.replace(tzinfo=None)
    return f"CAST({literal(at.isoformat())} AS {kind})"
