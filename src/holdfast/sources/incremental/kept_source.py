"""One source while it is opened: which of its raw rows are still to be read, and which to keep for the next time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from holdfast.sources.connection import one, quoted, rows
from holdfast.sources.incremental.old_rows import OldRows, RowsDigest
from holdfast.sources.incremental.row_store import KeptRows, RowStore, digest_of
from holdfast.sources.mapping import SourceMapping
from holdfast.sources.relation import Relation, count
from holdfast.sources.settings import SourceSettings
from holdfast.sources.validation import mapped

_NOTHING = KeptRows("")
_MOST_FILES = 30  # of a source; then they are written as one


def kept_source(
    connection: duckdb.DuckDBPyConnection,
    store: RowStore | None,
    mapping: SourceMapping,
    source: SourceSettings,
    relation: Relation,
    *,
    currency: str | None,
    base: Path,
    now: int,
) -> WholeSource:
    """What the store has of a source; nothing, where nothing can be kept of it, or where its past has changed."""
    old = None if store is None else OldRows.of(mapping, relation)
    if store is None or old is None:
        return WholeSource(relation)
    nothing = KeptRows(digest_of(connection, source, relation, currency, base))
    kept = store.kept(mapping.name, nothing.digest) or nothing
    if kept.until is not None and RowsDigest.of(connection, _where(relation, old.condition(kept.until))) != kept.seen:
        kept = nothing
    until = min(now, old.newest(connection, relation))  # rows with times ahead must not make today's old
    until = until if kept.until is None else max(until, kept.until)
    # Before the rows are read, so that what comes between is noticed.
    seen = RowsDigest.of(connection, _where(relation, old.condition(until)))
    return KeptSource(relation, kept, store=store, mapping=mapping, old=old, until=until, seen=seen)


def _where(relation: Relation, condition: str) -> str:
    return f"{relation.sql} WHERE {condition}"


@dataclass(frozen=True)
class WholeSource:
    """A source of which nothing is kept: everything is read."""

    relation: Relation
    kept: KeptRows = _NOTHING

    @property
    def unread(self) -> tuple[str, ...]:
        """The raw rows that are to be read, as SQL can name them after FROM; those that will be kept come first."""
        return (self.relation.sql,)

    def add_kept(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Put the kept rows behind those that were read."""

    def keep(self, connection: duckdb.DuckDBPyConnection, old: int) -> None:
        """Keep what is good of the first so many rows of the mapped table, which are those of the first part."""


@dataclass(frozen=True)
class KeptSource(WholeSource):
    """A source of which old rows are kept, or will be from now on."""

    store: RowStore = field(kw_only=True)
    mapping: SourceMapping = field(kw_only=True)
    old: OldRows = field(kw_only=True)
    until: int = field(kw_only=True)
    seen: RowsDigest = field(kw_only=True)

    @property
    def unread(self) -> tuple[str, ...]:
        """See :class:`WholeSource`."""
        now, before = self.old.condition(self.until), self.old.condition(self.kept.until)
        table = f"SELECT * FROM {self.relation.sql}"
        return f"({table} WHERE {now} AND NOT {before})", f"({table} WHERE NOT {now})"

    def add_kept(self, connection: duckdb.DuckDBPyConnection) -> None:
        """See :class:`WholeSource`."""
        if self.kept.files:
            source = self.store.stored(self.kept)
            connection.execute(f"INSERT INTO {mapped(self.mapping.name)} BY NAME SELECT * FROM {source}")

    def keep(self, connection: duckdb.DuckDBPyConnection, old: int) -> None:
        """See :class:`WholeSource`."""
        fresh = f"FROM {mapped(self.mapping.name)} WHERE rowid < {old}"
        good, files = f"{fresh} AND reason IS NULL", self.kept.files
        if one(connection, f"SELECT count(*) {good}")[0]:
            columns = [quoted(column.name) for column in self.mapping.kind.columns if column.role != "known"]
            query = f"SELECT {', '.join(columns)}, known_time, note {good}"
            if len(files) >= _MOST_FILES:
                query, files = f"{query} UNION ALL BY NAME SELECT * FROM {self.store.stored(self.kept)}", {}
            written = self.store.write(connection, self.mapping.name, query)
            if not written:
                return
            files = {**files, **written}
        counted = dict(rows(connection, f"SELECT reason, count(*) {fresh} AND reason IS NOT NULL GROUP BY 1"))
        self.store.keep(
            self.mapping.name,
            replace(
                self.kept,
                until=self.until,
                seen=self.seen,
                filtered=self.kept.filtered + self._left_out(connection),
                rejected=dict(Counter(self.kept.rejected) + Counter(counted)),
                files=files,
            ),
        )

    def _left_out(self, connection: duckdb.DuckDBPyConnection) -> int:
        """How many of the rows that will not be read again the source's own filter leaves out."""
        if self.mapping.where is None:
            return 0
        return count(connection, f"{self.unread[0]} WHERE ({self.mapping.where}) IS NOT TRUE")
