"""The kept rows of one source while it is opened: what of the raw table is still to be read, and what to keep next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import duckdb

from holdfast.sources.engine import one, quoted, rows
from holdfast.sources.mapping import SourceMapping
from holdfast.sources.relation import Relation, count
from holdfast.sources.settings import SourceSettings
from holdfast.sources.store import Edge, Kept, Store, digest_of
from holdfast.sources.validation import mapped

_NOTHING = Kept("")


def past(
    connection: duckdb.DuckDBPyConnection,
    store: Store | None,
    mapping: SourceMapping,
    source: SourceSettings,
    relation: Relation,
    currency: str | None,
) -> Whole:
    """What the store has of a source; nothing, where nothing can be kept of it, or where its past has changed."""
    edge = None if store is None else Edge.of(mapping, relation)
    if store is None or edge is None:
        return Whole(relation)
    nothing = Kept(digest_of(source, currency))
    kept = store.kept(mapping.name, nothing.digest) or nothing
    if kept.until is not None:
        older = count(connection, f"{relation.sql} WHERE {edge.older(kept.until)}")
        kept = kept if older == kept.raw_rows else nothing
    return Past(relation, kept, connection=connection, store=store, mapping=mapping, edge=edge)


@dataclass(frozen=True)
class Whole:
    """A source of which nothing is kept: everything is read."""

    relation: Relation
    kept: Kept = _NOTHING

    @property
    def unread(self) -> str:
        """The raw rows that are to be read, as SQL can name them after FROM."""
        return self.relation.sql

    def without_kept(self, query: str) -> str:
        """Of mapped rows, those that are not kept: a raw column tells only roughly when a row happened."""
        return query

    def add_kept(self) -> None:
        """Put the kept rows behind those that were read."""

    def keep(self, read: int) -> None:
        """Keep what is good and old now; of the mapped table's rows, the first so many were read from the raw table."""


@dataclass(frozen=True)
class Past(Whole):
    """A source of which older rows are kept, or will be from now on."""

    connection: duckdb.DuckDBPyConnection = field(kw_only=True)
    store: Store = field(kw_only=True)
    mapping: SourceMapping = field(kw_only=True)
    edge: Edge = field(kw_only=True)

    @property
    def unread(self) -> str:
        """See :class:`Whole`."""
        return self.relation.sql if self.kept.until is None else self.edge.newer(self.relation.sql, self.kept.until)

    @property
    def _time(self) -> str:
        return quoted(str(self.mapping.kind.time))

    def _before(self, until: int) -> str:
        return f"({self._time} < {until} AND known_time < {until})"

    def without_kept(self, query: str) -> str:
        """See :class:`Whole`."""
        if self.kept.until is None:
            return query
        return f"SELECT * FROM ({query}) WHERE NOT coalesce({self._before(self.kept.until)}, FALSE)"

    def add_kept(self) -> None:
        """See :class:`Whole`."""
        if self.kept.files:
            source = self.store.stored(self.kept)
            self.connection.execute(f"INSERT INTO {mapped(self.mapping.name)} BY NAME SELECT * FROM {source}")

    def keep(self, read: int) -> None:
        """See :class:`Whole`."""
        table = mapped(self.mapping.name)
        until = one(self.connection, f"SELECT max(known_time) FROM {table} WHERE reason IS NULL")[0]
        if until is None or until == self.kept.until:
            self.store.keep(self.mapping.name, self.kept)
            return
        fresh = f"FROM {table} WHERE rowid < {read} AND {self._before(until)}"
        columns = [quoted(column.name) for column in self.mapping.kind.columns if column.role != "known"]
        files, good = self.kept.files, f"{fresh} AND reason IS NULL"
        if one(self.connection, f"SELECT count(*) {good}")[0]:
            query = f"SELECT {', '.join(columns)}, known_time, note {good} ORDER BY {self._time}"
            files = (*files, self.store.write(self.connection, self.mapping.name, query))
        counted = rows(self.connection, f"SELECT reason, count(*) {fresh} AND reason IS NOT NULL GROUP BY 1")
        self.store.keep(
            self.mapping.name,
            replace(
                self.kept,
                until=until,
                raw_rows=count(self.connection, f"{self.relation.sql} WHERE {self.edge.older(until)}"),
                filtered=self.kept.filtered + self._left_out(until),
                rejected=_added(self.kept.rejected, dict(counted)),
                files=files,
            ),
        )

    def _left_out(self, until: int) -> int:
        """How many of the rows that will not be read again the source's own filter leaves out."""
        if self.mapping.where is None:
            return 0
        older = self.edge.older(until)
        return count(self.connection, f"{self.unread} WHERE {older} AND ({self.mapping.where}) IS NOT TRUE")


def _added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(one) + Counter(other))
