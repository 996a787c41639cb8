"""Open the sources of a business: find the tables, map, validate, unfold; one function, ``open_sources``."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from holdfast.errors import ConfigError
from holdfast.progress import SILENT, Progress
from holdfast.sources.accounts import UNREADABLE, account_of, cells, require_rows, require_valid, unreadable
from holdfast.sources.changes import changed_shares, watched
from holdfast.sources.connection import connect, discard, literal, one, quoted, reading, rows
from holdfast.sources.date_order import time_formats
from holdfast.sources.duck_tables import DuckTables
from holdfast.sources.duplicates import mark_duplicates
from holdfast.sources.extra import append
from holdfast.sources.incremental import RowStore, kept_source, row_store
from holdfast.sources.mapping import SourceMapping, raw_locals, raw_texts, resolve
from holdfast.sources.readers import open_relation
from holdfast.sources.reasons import Limits
from holdfast.sources.relation import count, registered
from holdfast.sources.report import SourceReport, SourcesReport
from holdfast.sources.settings import SourceSettings
from holdfast.sources.unfolding import unfold, untimed
from holdfast.sources.validation import mapped, mapped_query, require_one_currency, require_zones

_REJECTS = 'source VARCHAR, row_number BIGINT, event_id VARCHAR, reason VARCHAR, "values" VARCHAR'


def open_sources(
    sources: Mapping[str, SourceSettings],
    *,
    base: Path,
    currency: str | None = None,
    frames: Mapping[str, Any] | None = None,
    as_of: int | None = None,
    customers: Sequence[str] | None = None,
    extra: Mapping[str, pa.Table] | None = None,
    now: int | None = None,
    keep: Path | None = None,
    memory_limit: str = "2GB",
    threads: int = 2,
    progress: Progress = SILENT,
) -> DuckTables:
    """Read, map, validate and unfold the sources into streams of events.

    Parameters
    ----------
    sources : mapping of str to SourceSettings
        By kind: customers, orders, engagement, tickets, subscriptions, surveys, contacts.
    base : Path
        Folder that relative paths start from.
    currency : str, optional
        Rows in another currency are rejected; without it, several currencies stop the opening.
    frames : mapping of str to pandas.DataFrame or pyarrow.Table, optional
        Tables for sources that name a ``frame``.
    as_of : int, optional
        Cut the data as an export at that instant would have looked: rows that happened or became known at or after
        it are gone, later moments of the rows that stay are missing.
    customers : sequence of str, optional
        Keep these customers only.
    extra : mapping of str to pyarrow.Table, optional
        Rows to append to a source, in our columns: times as microseconds UTC or timestamps, missing columns empty.
    now : int, optional
        The present; what lies more than a day after it is rejected. By default the clock of the machine.
    keep : Path, optional
        Folder of validated rows: what an earlier opening kept there is not read again, and what this one reads is kept.
        The tables are the same with it and without; :mod:`holdfast.sources.incremental` says when.
    memory_limit, threads
        Bounds for DuckDB; what does not fit is spilled to a temporary folder.

    Raises
    ------
    ConfigError
        A file, table, column, expression or zone of the configuration cannot be right.
    DataError
        A source has no rows, none that is valid, or several currencies.
    """
    if not sources:
        raise ConfigError("sources is empty. Name at least one, for example orders with a path and columns.")
    connection, folder = connect(memory_limit, threads)
    try:
        present = time.time_ns() // 1000 if now is None else now
        with reading("the temporary database"):
            wanted = None if customers is None else _wanted(connection, customers)
            connection.execute(f"CREATE TABLE rejects ({_REJECTS})")
        limits = Limits(as_of, present, currency, wanted)
        mappings = []
        with row_store(keep if as_of is None and customers is None and not extra else None) as kept:
            opened = _Opening(connection, limits, base, frames or {}, extra or {}, kept)
            for name, source in sources.items():
                with progress(f"Reading {name}"), reading(f"source '{name}'"):
                    mappings.append(opened.read(name, source))
            if kept is not None:
                kept.commit()
        with progress("Unfolding events"), reading("the tables"):
            streams = unfold(connection, mappings)
        report = SourcesReport(tuple(opened.reports))
        reopen = partial(
            open_sources,
            sources,
            base=base,
            currency=currency,
            frames=frames,
            now=present,
            memory_limit=memory_limit,
            threads=threads,
        )
        return DuckTables(connection, folder, streams, report, untimed(mappings), opened.changed_later, reopen=reopen)
    except BaseException:
        discard(connection, folder)
        raise


def _wanted(connection: duckdb.DuckDBPyConnection, customers: Sequence[str]) -> str:
    """A table of the wanted ids, by name."""
    relation = registered(connection, "wanted ids", pa.table({"customer_id": pa.array(list(customers), pa.string())}))
    connection.execute(f"CREATE TABLE wanted_customers AS SELECT DISTINCT customer_id FROM {relation.sql}")
    relation.release()
    return "wanted_customers"


class _Opening:
    """Reads one source after the other into mapped tables, and keeps their accounts."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        limits: Limits,
        base: Path,
        frames: Mapping[str, Any],
        extra: Mapping[str, pa.Table],
        store: RowStore | None,
    ) -> None:
        self.connection = connection
        self.limits = limits
        self.base = base
        self.frames = frames
        self.extra = extra
        self.store = store
        self.reports: list[SourceReport] = []
        self.changed_later: dict[str, float] = {}

    def read(self, name: str, source: SourceSettings) -> SourceMapping:
        texts, local = raw_texts(name, source), raw_locals(name, source)
        relation = open_relation(
            self.connection, name, source, base=self.base, frames=self.frames, as_text=texts, local=local
        )
        try:
            mapping = resolve(self.connection, name, source, relation)
            mapping = mapping.written_as(time_formats(self.connection, mapping, relation.sql))
            require_zones(self.connection, mapping, relation.sql)
            whole = self.limits.as_of is None and self.limits.wanted is None
            before = kept_source(
                self.connection,
                self.store,
                mapping,
                source,
                relation,
                currency=self.limits.currency,
                base=self.base,
                now=self.limits.now,
            )
            watch = watched(mapping, relation) if whole and self.store is None else {}
            first, *more = (mapped_query(mapping, part, self.limits, watch) for part in before.unread)
            try:
                self.connection.execute(f"CREATE TABLE {mapped(name)} AS {first}")
                old = count(self.connection, mapped(name))
                for query in more:
                    self.connection.execute(f"INSERT INTO {mapped(name)} {query}")
            except UNREADABLE:
                raise unreadable(mapping) from None
            before.add_kept(self.connection)
            filtered = self._filtered(mapping, relation.sql, before.unread) + before.kept.filtered
            if name in self.extra:
                append(self.connection, mapping, self.extra[name], self.limits)
        finally:
            relation.release()
        mark_duplicates(self.connection, mapping)
        if self.limits.wanted is not None:
            inside = f"SELECT customer_id FROM {self.limits.wanted}"
            self.connection.execute(
                f"DELETE FROM {mapped(name)} WHERE customer_id IS NULL OR customer_id NOT IN ({inside})"
            )
        require_one_currency(self.connection, mapping, self.limits)
        shares = changed_shares(self.connection, mapped(name), list(watch))
        self.changed_later |= {f"{name}.{raw}": share for raw, share in shares.items()}
        self._account(mapping, filtered, before.kept.rejected)
        before.keep(self.connection, old)
        return mapping

    def _filtered(self, mapping: SourceMapping, relation: str, parts: Sequence[str]) -> int:
        """How many rows of the parts read the source's own filter left out; stops if the table is empty."""
        if self.limits.wanted is not None:
            return 0  # some customers may have no row in some source
        condition = "TRUE" if mapping.where is None else mapping.where
        if not count(self.connection, mapped(mapping.name)):
            passed = count(self.connection, f"{relation} WHERE {condition}")
            require_rows(mapping, count(self.connection, relation), passed)
        if mapping.where is None:
            return 0
        return sum(count(self.connection, f"{part} WHERE ({condition}) IS NOT TRUE") for part in parts)

    def _account(self, mapping: SourceMapping, filtered: int, before: Mapping[str, int]) -> None:
        """Count the rows by reason, with those that were rejected before, and move the rejected ones to the rejects."""
        table, name = mapped(mapping.name), mapping.name
        reasons = _counted(self.connection, f"SELECT reason, count(*) FROM {table} WHERE reason IS NOT NULL GROUP BY 1")
        notes = _counted(
            self.connection, f"SELECT note, count(*) FROM {table} WHERE reason IS NULL AND note IS NOT NULL GROUP BY 1"
        )
        event_time = quoted(mapping.kind.time or "signup_time")
        valid, first, last = one(
            self.connection, f"SELECT count(*), min({event_time}), max({event_time}) FROM {table} WHERE reason IS NULL"
        )
        reasons = dict(Counter(reasons) + Counter(before))
        account = account_of(name, valid, reasons, notes, filtered, first, last)
        if self.limits.as_of is None and self.limits.wanted is None:
            require_valid(account)
        unique = quoted(mapping.kind.unique) if mapping.kind.unique else "NULL"
        self.connection.execute(
            f"INSERT INTO rejects SELECT {literal(name)}, rowid, {unique}, reason, {cells(mapping)} FROM {table} "
            "WHERE reason IS NOT NULL"
        )
        self.reports.append(account)


def _counted(connection: duckdb.DuckDBPyConnection, query: str) -> dict[str, int]:
    return dict(rows(connection, query))
