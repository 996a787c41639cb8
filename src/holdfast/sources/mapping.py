"""From a source's settings and its real columns to a checked mapping: an expression for each of our columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import duckdb

from holdfast.errors import ConfigError
from holdfast.sources.casts import is_text
from holdfast.sources.connection import quoted, rows
from holdfast.sources.expressions import checked, tried, worded
from holdfast.sources.kinds import ALIASES, Column, Kind, kind_of, nearest
from holdfast.sources.relation import Relation
from holdfast.sources.settings import AttributeSettings, CsvSettings, SourceSettings

_TRANSLATED = ("category", "currency", "number", "flag")
_RESERVED = ("customer", "customer_id", "event_time", "known_time", "moment", "consent")


@dataclass(frozen=True)
class Picked:
    """One mapped column: the expression over the raw table, its DuckDB type, its place in the configuration."""

    expression: str
    kind: str
    key: str


@dataclass(frozen=True)
class SourceMapping:
    """A source whose every name has been found: its contract, its mapped columns and its row filter."""

    name: str
    kind: Kind
    picked: dict[str, Picked]
    where: str | None
    timezone: str | None
    values: dict[str, dict[str, str]]
    attributes: dict[str, AttributeSettings]
    csv: CsvSettings
    formats: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def declared_formats(self) -> tuple[str, ...]:
        """How the source says that it writes dates and times."""
        return tuple(written for written in (self.csv.date_format, self.csv.time_format) if written is not None)

    @property
    def texts_of_times(self) -> list[str]:
        """Our names of the mapped columns that hold times as text."""
        times = [column.name for column in self.kind.columns if column.role in ("time", "known", "later", "date")]
        return [name for name in times if name in self.picked and is_text(self.picked[name].kind)]

    def written_as(self, formats: Mapping[str, tuple[str, ...]]) -> SourceMapping:
        """The same, with the formats of some columns of times, by our name; the others are ISO 8601."""
        return replace(self, formats=formats)

    def has(self, name: str) -> bool:
        """Whether the source maps this column of ours."""
        return name in self.picked


def attribute(name: str) -> str:
    """Our name of an attribute's value among the mapped columns; the space keeps it apart from every other name."""
    return f"attribute {name}"


def attribute_known(name: str) -> str:
    """Our name of the instant at which an attribute became known."""
    return f"known {name}"


def contract(name: str, source: SourceSettings) -> Kind:
    """The kind of the source, with a column for each attribute."""
    kind = kind_of(name, {*source.columns, *source.compute})
    if source.attributes and name != "customers":
        raise ConfigError(f"sources.{name}.attributes: only the source 'customers' has attributes. Move them there.")
    extra: list[Column] = []
    for own, settings in source.attributes.items():
        if own in _RESERVED or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", own):
            raise ConfigError(
                f"sources.customers.attributes.{own}: wanted a name of letters, digits and underscores "
                f"that is none of {', '.join(_RESERVED)}. Choose another name."
            )
        timed = settings.known_time is not None
        extra.append(Column(attribute(own), "category", revealed_by=attribute_known(own) if timed else None))
        if timed:
            extra.append(Column(attribute_known(own), "later"))
    return replace(kind, columns=(*kind.columns, *extra))


def raw_texts(name: str, source: SourceSettings) -> set[str]:
    """Raw columns that hold ids or categories: in a CSV file they are texts, even if they look like numbers."""
    kind = contract(name, source)
    roles = {column.name: column.role for column in kind.columns}
    aliases = ALIASES.get(name, {})
    texts = {raw for own, raw in source.columns.items() if roles.get(aliases.get(own, own)) in ("id", "category")}
    return texts | {settings.column for settings in source.attributes.values()}


def raw_locals(name: str, source: SourceSettings) -> set[str]:
    """Raw columns of times, and of numbers where a decimal sign is declared, that no expression reads.

    In a CSV file they are texts where a format is declared or detected: one bad cell then costs its row alone, and one
    decision holds for all files.
    """
    kind = contract(name, source)
    roles = {column.name: column.role for column in kind.columns}
    aliases = ALIASES.get(name, {})
    wanted = {"time", "known", "later", "date", *(["number"] if source.csv.decimal else [])}
    written = " ".join([*source.compute.values(), source.where or ""])
    return {
        raw
        for own, raw in source.columns.items()
        if roles.get(aliases.get(own, own)) in wanted
        and not re.search(rf"(?<!\w){re.escape(raw)}(?!\w)", written, re.IGNORECASE)
    }


def resolve(
    connection: duckdb.DuckDBPyConnection, name: str, source: SourceSettings, relation: Relation
) -> SourceMapping:
    """Check every name and expression of the source against the real table.

    Raises
    ------
    ConfigError
        A column of ours is missing or unknown, a column of the table does not exist, an expression is refused,
        the time zone is unknown.
    """
    kind = contract(name, source)
    expressions = _expressions(connection, name, source, relation, kind)
    for column in kind.columns:
        if column.required and column.name not in expressions:
            raise ConfigError(
                f"Source '{name}' needs a column for '{column.name}'; the table has {', '.join(relation.columns)}. "
                f"Map it under sources.{name}.columns.{column.name}, or compute it under sources.{name}.compute."
            )
    roles = {column.name: column.role for column in kind.columns}
    for own in source.values:
        if own not in expressions:
            raise ConfigError(f"sources.{name}.values.{own}: '{own}' is not mapped{nearest(own, expressions)}.")
        if roles[own] not in _TRANSLATED:
            raise ConfigError(
                f"sources.{name}.values.{own}: wanted a column of words, numbers or yes and no to translate; '{own}' "
                f"holds {'an id' if roles[own] == 'id' else 'a time'}. Translate it under sources.{name}.compute."
            )
    where = source.where
    if where is not None:
        where = checked(connection, where, relation.columns, f"sources.{name}.where")
        _types(connection, relation, {"where": (f"({where}) IS TRUE", f"sources.{name}.where")})
    types = _types(connection, relation, expressions)
    written = {key: sql for sql, key in expressions.values() if key.startswith(f"sources.{name}.compute.")}
    if where is not None:
        written[f"sources.{name}.where"] = where
    if written:
        tried(connection, relation, written)
    picked = {own: Picked(sql, types[own], key) for own, (sql, key) in expressions.items()}
    zone = _zone(connection, name, source)
    found = SourceMapping(name, kind, picked, where, zone, source.values, source.attributes, source.csv)
    return found.written_as(dict.fromkeys(found.texts_of_times, found.declared_formats))


def _expressions(
    connection: duckdb.DuckDBPyConnection, name: str, source: SourceSettings, relation: Relation, kind: Kind
) -> dict[str, tuple[str, str]]:
    """Our name -> SQL over the raw table and the place in the configuration, for everything the source maps."""
    aliases = {own: ours for own, ours in ALIASES.get(name, {}).items() if ours in kind.names}
    found: dict[str, tuple[str, str]] = {}

    def add(own: str, sql: str, key: str) -> None:
        ours = aliases.get(own, own)
        if ours not in kind.names:
            known = [*(column for column in kind.names if " " not in column), *aliases]
            raise ConfigError(
                f"{key}: '{own}' is no column of '{name}'{nearest(own, known)}. It has {', '.join(known)}."
            )
        if ours in found:
            raise ConfigError(f"{key}: '{ours}' is mapped twice, as {found[ours][1]} too. Keep one.")
        found[ours] = (sql, key)

    for own, raw in source.columns.items():
        key = f"sources.{name}.columns.{own}"
        add(own, _column(raw, relation.columns, key, name), key)
    for own, expression in source.compute.items():
        key = f"sources.{name}.compute.{own}"
        # TRY: a row whose expression fails has no value, and is then rejected or kept like any other row without one.
        add(own, f"TRY({checked(connection, expression, relation.columns, key)})", key)
    for own, settings in source.attributes.items():
        key = f"sources.{name}.attributes.{own}"
        add(attribute(own), _column(settings.column, relation.columns, f"{key}.column", name), f"{key}.column")
        if settings.known_time is not None:
            known = _column(settings.known_time, relation.columns, f"{key}.known_time", name)
            add(attribute_known(own), known, f"{key}.known_time")
    return found


def _column(raw: str, columns: Mapping[str, str], key: str, name: str) -> str:
    """The raw column as an identifier, if the table has it."""
    if raw not in columns:
        raise ConfigError(
            f"{key}: the table of source '{name}' has no column '{raw}'{nearest(raw, columns)}. "
            f"It has {', '.join(columns)}."
        )
    return quoted(raw)


def _types(
    connection: duckdb.DuckDBPyConnection, relation: Relation, expressions: Mapping[str, tuple[str, str]]
) -> dict[str, str]:
    """The DuckDB type of each expression; one that cannot be bound is named."""
    types = {}
    for own, (sql, key) in expressions.items():
        try:
            types[own] = rows(connection, f"DESCRIBE SELECT {sql} AS value FROM {relation.sql}")[0][1]
        except (duckdb.InterruptException, duckdb.OutOfMemoryException):
            raise
        except duckdb.Error as error:  # a DESCRIBE reads no row, so the message quotes the expression alone
            raise ConfigError(
                f"{key}: DuckDB cannot evaluate it ({worded(error)}). Where a column is text, convert it, "
                "for example TRY_CAST(column AS DOUBLE)."
            ) from None
    return types


def _zone(connection: duckdb.DuckDBPyConnection, name: str, source: SourceSettings) -> str | None:
    """The declared zone, spelled as DuckDB knows it."""
    if source.timezone is None:
        return None
    zones = [row[0] for row in rows(connection, "SELECT name FROM pg_timezone_names() ORDER BY name")]
    if source.timezone not in zones:
        raise ConfigError(
            f"sources.{name}.timezone: '{source.timezone}' is no time zone{nearest(source.timezone, zones)}. "
            "Write an IANA name such as Europe/London, or UTC."
        )
    return source.timezone
