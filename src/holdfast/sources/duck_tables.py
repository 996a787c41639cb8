"""The valid tables of a business, open in DuckDB."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from weakref import finalize

import duckdb
import pyarrow as pa

from holdfast.errors import HoldfastError
from holdfast.files import TemporaryFolder
from holdfast.partitioned import Columns, LocalParts
from holdfast.progress import SILENT, Progress
from holdfast.sources.connection import discard, literal, one, quoted, reading, rows
from holdfast.sources.facts import Facts, facts
from holdfast.sources.protocol import FewCustomers, Make
from holdfast.sources.report import SourcesReport
from holdfast.sources.streams import StreamInfo

_read = reading("the tables")  # around every query of theirs


class DuckTables(FewCustomers):
    """Tables in a temporary database on this machine.

    Attributes
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds one table per stream, ``customers_index(customer, customer_id)`` and ``rejects``. Codes in ``customer``
        are dense, in the order of the sorted ids.
    folder : TemporaryFolder
        Holds the database and whatever else goes with it when it closes.

    Parameters
    ----------
    reopen : callable, optional
        Opens the raw rows again, cut at ``as_of`` and for some ``customers`` only; needed by :meth:`reopened`.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: TemporaryFolder,
        streams: Mapping[str, StreamInfo],
        report: SourcesReport,
        unknown_time_attributes: Sequence[str] = (),
        changed_later: Mapping[str, float] = MappingProxyType({}),
        *,
        reopen: Callable[..., DuckTables] | None = None,
    ) -> None:
        self.streams = streams
        self.report = report
        self.unknown_time_attributes = unknown_time_attributes
        self.changed_later = changed_later
        self.connection = connection
        self.folder = folder.path
        self._reopen = reopen
        self._finish = finalize(self, discard, connection, folder)

    def close(self) -> None:
        """Close the connection and delete its files; a second call does nothing."""
        self._finish()

    @property
    def customers(self) -> duckdb.DuckDBPyRelation:
        """The relation ``customers_index(customer BIGINT, customer_id VARCHAR)``."""
        return self.connection.table("customers_index")

    @_read
    def ids(self) -> pa.ChunkedArray:
        """The customers' ids as texts, in the order of their codes."""
        return self.customers.order("customer").select("customer_id").to_arrow_table().column(0)

    @cached_property
    @_read
    def customer_count(self) -> int:
        """How many customers there are; their codes are 0 to this number less one."""
        return int(one(self.connection, "SELECT count(*) FROM customers_index")[0])

    @cached_property
    def span(self) -> tuple[int | None, int | None]:
        """The first instant of any event and the last instant of any event or record; None without events."""
        return self.facts(fingerprints=False).span

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the valid rows of all streams, whatever their order and the engine."""
        return self.facts().fingerprint(self.streams)

    @_read
    def facts(self, *, fingerprints: bool = True) -> Facts:
        """What these tables say of themselves; those of parts of a whole add up."""
        return facts(self.connection, self.streams, fingerprints=fingerprints)

    @_read
    def until(self, stream: str) -> int | None:
        """The last instant at which an event of the stream happened; None without events."""
        last: int | None = one(self.connection, f"SELECT max(event_time) FROM {quoted(stream)}")[0]
        return last

    @_read
    def levels(self, stream: str, column: str) -> list[tuple[str, int, int]]:
        """The texts of a category column, and how many events and how many customers have each."""
        name = quoted(column)
        counts = f"{name}, count(*), count(DISTINCT customer)"
        return rows(self.connection, f"SELECT {counts} FROM {quoted(stream)} WHERE {name} IS NOT NULL GROUP BY ALL")

    @_read
    def commonest(self, stream: str, column: str, most: int, *, customers: int = 1) -> tuple[str, ...]:
        """See :class:`holdfast.sources.Engine`."""
        name = quoted(column)
        found = rows(
            self.connection,
            f"SELECT {name} FROM {quoted(stream)} WHERE {name} IS NOT NULL "
            f"GROUP BY ALL HAVING count(DISTINCT customer) >= {customers} ORDER BY count(*) DESC, {name} LIMIT {most}",
        )
        return tuple(sorted(row[0] for row in found))

    @_read
    def sample(self, most: int, seed: int) -> list[str]:
        """Ids of at most so many customers, sorted; the seed alone chooses them, on every engine the same."""
        found = rows(
            self.connection,
            "SELECT customer_id FROM customers_index "
            f"ORDER BY md5(concat({literal(str(seed))}, ' ', customer_id)), customer_id LIMIT {most}",
        )
        return sorted(row[0] for row in found)

    def parts(self, make: Make, columns: Columns, *, progress: Progress = SILENT) -> LocalParts:
        """See :class:`holdfast.sources.Engine`; all customers are here, in the order of their ids."""
        return LocalParts(lambda _: make(self, progress), columns)

    def reopened(self, *, as_of: int | None, customers: Sequence[str]) -> DuckTables:
        """See :class:`holdfast.sources.Engine`."""
        if self._reopen is None:
            raise HoldfastError("Wanted to open these tables again, found that they were not opened from raw sources.")
        return self._reopen(as_of=as_of, customers=customers)

    @_read
    def plant(self, at: int, before: int) -> None:
        """Let every event that happened before an instant happen once more, known at once, at another one."""
        for stream in self.streams:
            self.connection.execute(
                f"INSERT INTO {quoted(stream)} SELECT * REPLACE ({at} AS event_time, {at} AS known_time) "
                f"FROM {quoted(stream)} WHERE event_time < {before}"
            )

    @_read
    def _write_rejects(self, file: Path) -> int:
        self.connection.execute(
            "COPY (SELECT * FROM rejects ORDER BY source, row_number) "
            f"TO {literal(str(file))} (FORMAT parquet, COMPRESSION zstd)"
        )
        return int(one(self.connection, "SELECT count(*) FROM rejects")[0])
