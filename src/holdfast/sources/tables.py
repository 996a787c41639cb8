"""The valid tables of a business, open in DuckDB: streams of events, the index of customers, the rejects."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import finalize

import duckdb
import pyarrow as pa

from holdfast.errors import StorageError
from holdfast.sources.engine import literal, one, quoted
from holdfast.sources.report import SourcesReport
from holdfast.sources.streams import ColumnKind
from holdfast.timeline import BEGINNING


@dataclass(frozen=True)
class StreamInfo:
    """A table of events: ``customer``, ``event_time``, ``known_time`` (microseconds UTC), and these columns."""

    name: str
    columns: dict[str, ColumnKind]


class Tables:
    """Open tables; a context manager, whose temporary files go when it closes.

    Attributes
    ----------
    connection : duckdb.DuckDBPyConnection
        Holds one table per stream and ``customers_index(customer, customer_id)``.
    folder : Path
        Holds the database and whatever else goes with it when it closes.
    streams : dict of str to StreamInfo
        The streams by name. Codes in ``customer`` are dense, in the order of the sorted ids.
    report : SourcesReport
        Rows in, valid, rejected by reason, per source.
    unknown_time_attributes : list of str
        Attributes of customers that are neither static nor say when they became known.
    changed_later : dict of str to float
        Columns of times that no mapping reads (``orders.updated_at``) and the share of good rows whose time there lies
        after the row counts as known. Empty for data that is cut or restricted to some customers.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        streams: dict[str, StreamInfo],
        report: SourcesReport,
        unknown_time_attributes: list[str],
        changed_later: dict[str, float],
    ) -> None:
        self.connection = connection
        self.folder = folder
        self.streams = streams
        self.report = report
        self.unknown_time_attributes = unknown_time_attributes
        self.changed_later = changed_later
        self._finish = finalize(self, discard, connection, folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection and delete its files; a second call does nothing."""
        self._finish()

    @property
    def customers(self) -> duckdb.DuckDBPyRelation:
        """The relation ``customers_index(customer BIGINT, customer_id VARCHAR)``."""
        return self.connection.table("customers_index")

    def ids(self) -> pa.ChunkedArray:
        """The customers' ids as texts, in the order of their codes."""
        return self.customers.order("customer").select("customer_id").to_arrow_table().column(0)

    @cached_property
    def customer_count(self) -> int:
        """How many customers there are; their codes are 0 to this number less one."""
        return int(one(self.connection, "SELECT count(*) FROM customers_index")[0])

    @cached_property
    def _span(self) -> tuple[int | None, int | None]:
        spans = [
            one(
                self.connection,
                f"SELECT min(event_time), max(greatest(event_time, known_time)) FROM {quoted(name)} "
                f"WHERE event_time > {BEGINNING}",
            )
            for name in self.streams
        ]
        starts = [start for start, _ in spans if start is not None]
        ends = [end for _, end in spans if end is not None]
        return (min(starts) if starts else None, max(ends) if ends else None)

    @property
    def data_from(self) -> int:
        """The first instant of any event; BEGINNING if there is none."""
        return BEGINNING if self._span[0] is None else self._span[0]

    @property
    def data_until(self) -> int:
        """The last instant the data knows of, an event's or a record's; BEGINNING if there is none."""
        return BEGINNING if self._span[1] is None else self._span[1]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the valid rows of all streams, whatever their order."""
        whole = hashlib.sha256()
        contents = {"customers_index": "customers_index"} | {
            name: f"{quoted(name)} JOIN customers_index USING (customer)" for name in sorted(self.streams)
        }
        for name, relation in contents.items():
            info = self.streams.get(name)
            columns = ["event_time", "known_time", *sorted(info.columns)] if info else []
            cells = "".join(f", coalesce(CAST({quoted(column)} AS VARCHAR), chr(1))" for column in columns)
            row = f"concat_ws(chr(31), customer_id{cells})"
            found = one(
                self.connection,
                f"SELECT count(*), sum(md5_number_lower({row})), sum(md5_number_upper({row})) FROM {relation}",
            )
            whole.update(repr((name, sorted(info.columns.items()) if info else [], found)).encode())
        return whole.hexdigest()

    def write_rejects(self, path: str | Path) -> int:
        """Write the rejected rows as Parquet and return how many there are.

        The columns are ``source``, ``row_number`` (0 is the first row after the source's filter), ``event_id``,
        ``reason`` and ``values``, the raw mapped cells as one JSON text.

        Raises
        ------
        StorageError
            The place cannot be written; a file that was there stays as it is.
        """
        target = Path(path)
        partial = target.with_name(target.name + ".partial")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self.connection.execute(
                "COPY (SELECT * FROM rejects ORDER BY source, row_number) "
                f"TO {literal(str(partial))} (FORMAT parquet, COMPRESSION zstd)"
            )
            partial.replace(target)
        except (OSError, duckdb.IOException) as error:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
            reason = getattr(error, "strerror", None) or "the system refused it"
            raise StorageError(
                f"The rejected rows could not be written to {target}: {reason}. Free some space, or name another place."
            ) from None
        return int(one(self.connection, "SELECT count(*) FROM rejects")[0])


def discard(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Close the connection and remove its folder."""
    connection.close()
    shutil.rmtree(folder, ignore_errors=True)
