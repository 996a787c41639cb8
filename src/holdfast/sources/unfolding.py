"""From mapped tables to the index of customers and the streams of events; the same SQL wherever the rows are."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb

from holdfast.sources.connection import quoted
from holdfast.sources.mapping import SourceMapping
from holdfast.sources.streams import StreamInfo, streams_of
from holdfast.sources.validation import mapped


def unfold(connection: duckdb.DuckDBPyConnection, mappings: Iterable[SourceMapping]) -> dict[str, StreamInfo]:
    """Make ``customers_index`` and one table per stream out of the good rows of the mapped tables, which go.

    Customers are those of any source; their codes are dense, in the order of the sorted ids.
    """
    mappings = list(mappings)
    ids = " UNION ALL ".join(f"SELECT customer_id FROM {mapped(item.name)} WHERE reason IS NULL" for item in mappings)
    connection.execute(
        "CREATE TABLE customers_index AS SELECT row_number() OVER (ORDER BY customer_id) - 1 AS customer, customer_id "
        f"FROM (SELECT DISTINCT customer_id FROM ({ids})) ORDER BY customer_id"
    )
    streams: dict[str, StreamInfo] = {}
    for mapping in mappings:
        for stream in streams_of(mapping):
            listed = "".join(f", {quoted(column)}" for column in stream.columns)
            connection.execute(
                f"CREATE TABLE {quoted(stream.name)} AS SELECT customer, CAST(event_time AS BIGINT) AS event_time, "
                f"CAST(known_time AS BIGINT) AS known_time{listed} "
                f"FROM ({stream.query}) JOIN customers_index USING (customer_id)"
            )
            streams[stream.name] = StreamInfo(stream.name, stream.columns)
        connection.execute(f"DROP TABLE {mapped(mapping.name)}")
    return streams


def untimed(mappings: Iterable[SourceMapping]) -> list[str]:
    """Attributes that are neither static nor say when they became known."""
    return [
        name
        for mapping in mappings
        for name, settings in mapping.attributes.items()
        if not settings.static and settings.known_time is None and not mapping.has("known_time")
    ]
