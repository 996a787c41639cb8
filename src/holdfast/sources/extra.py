"""Rows that the caller adds to a source, already in our columns: the audit plants events of the future with them."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pyarrow as pa

from holdfast.errors import ConfigError
from holdfast.sources.connection import quoted
from holdfast.sources.kinds import nearest
from holdfast.sources.mapping import Picked, SourceMapping, attribute
from holdfast.sources.reasons import Limits
from holdfast.sources.relation import registered
from holdfast.sources.validation import mapped, mapped_query

_TIMES = ("time", "known", "later", "date")


def append(connection: duckdb.DuckDBPyConnection, mapping: SourceMapping, rows: pa.Table, limits: Limits) -> None:
    """Add the rows to the mapped table of the source; they are judged and cut like its own.

    Whole numbers in columns of times are microseconds since 1970, times without a zone are UTC, columns that the rows
    do not have are empty.

    Raises
    ------
    ConfigError
        The rows have a column that the source does not map.
    """
    relation = registered(connection, f"extra {mapping.name}", rows)
    try:
        roles = {column.name: column.role for column in mapping.kind.columns}
        picked = {}
        for name, kind in relation.columns.items():
            own = attribute(name) if name in mapping.attributes else name
            if not mapping.has(own):
                raise ConfigError(
                    f"extra['{mapping.name}']: the source maps no '{name}'{nearest(name, mapping.picked)}. "
                    f"It maps {', '.join(mapping.picked)}."
                )
            whole = roles[own] in _TIMES and kind == "BIGINT"
            sql = f"make_timestamp({quoted(name)})" if whole else quoted(name)
            picked[own] = Picked(sql, "TIMESTAMP" if whole else kind, f"extra['{mapping.name}'].{name}")
        for required in ("customer_id", mapping.kind.time):
            if required is not None and required not in picked:
                raise ConfigError(f"extra['{mapping.name}'] needs the column '{required}'.")
        ours = replace(mapping, picked=picked, where=None, timezone="UTC", values={})
        query = mapped_query(ours, relation.sql, limits)
        connection.execute(f"INSERT INTO {mapped(mapping.name)} BY NAME ({query})")
    finally:
        relation.release()
