"""Rows that share an id: all but one are rejected, and it is the same one at whatever instant the data is cut."""

from __future__ import annotations

import duckdb

from holdfast.sources.connection import literal, quoted
from holdfast.sources.mapping import SourceMapping
from holdfast.sources.reasons import LATEST
from holdfast.sources.validation import mapped


def mark_duplicates(connection: duckdb.DuckDBPyConnection, mapping: SourceMapping) -> None:
    """Reject all but one of the good rows that share an id.

    The one that was known first stays, so that data cut at any instant keeps the same row: ties go to the earlier
    event, then to the values known from the start, then to the earliest later moment.
    """
    kind = mapping.kind
    if kind.unique is None or kind.time is None or not mapping.has(kind.unique):
        return
    hidden = {column.name for column in kind.columns if column.revealed_by is not None}
    plain = [
        column.name for column in kind.columns if column.role not in ("later", "known") and column.name not in hidden
    ]
    moments = []
    for name in kind.later:
        revealed = [column.name for column in kind.columns if column.revealed_by == name]
        value = (
            f"concat_ws('|', {', '.join(f'CAST({quoted(item)} AS VARCHAR)' for item in revealed)})"
            if revealed
            else "''"
        )
        moments.append(f"{{t: coalesce({quoted(name)}, {LATEST}), n: {literal(name)}, v: {value}}}")
    order = ["known_time", quoted(kind.time), *(f"{quoted(name)} NULLS LAST" for name in plain)]
    if moments:
        order.append(f"list_sort([{', '.join(moments)}])")
    unique = quoted(kind.unique)
    table = mapped(mapping.name)
    connection.execute(
        f"""
        UPDATE {table} SET reason = {literal(f"duplicate {kind.unique_words}")} WHERE rowid IN (
            SELECT id FROM (
                SELECT rowid AS id, row_number() OVER (PARTITION BY {unique} ORDER BY {", ".join(order)}) AS place
                FROM {table} WHERE reason IS NULL AND {unique} IN (
                    SELECT {unique} FROM {table} WHERE reason IS NULL AND {unique} IS NOT NULL
                    GROUP BY {unique} HAVING count(*) > 1))
            WHERE place > 1)
        """
    )
