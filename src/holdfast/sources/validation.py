"""One pass over a source: map, read, cut at an instant, judge each row; then one look for duplicates.

The result is a table ``mapped <source>`` with our columns, ``known_time`` never NULL on a good row, and ``reason``:
the first reason to reject the row, or NULL. Later moments that lie at or after the cut are NULL, with the values they
reveal. ``note`` names a cell of a good row that had to be left out.
"""

from __future__ import annotations

import duckdb

from holdfast.errors import ConfigError
from holdfast.sources import casts, text_times
from holdfast.sources.accounts import require_one
from holdfast.sources.changes import changed
from holdfast.sources.connection import literal, one, quoted, rows
from holdfast.sources.kinds import Column
from holdfast.sources.mapping import Picked, SourceMapping
from holdfast.sources.reasons import EARLIEST, LATEST, Limits, impossible, note, reason
from holdfast.timeline import BEGINNING


def mapped(name: str) -> str:
    """The SQL name of a source's mapped table."""
    return quoted(f"mapped {name}")


def cast(mapping: SourceMapping, column: Column, picked: Picked, raw: str) -> casts.Cast:
    """How to read one mapped column, by its role."""
    values, written = mapping.values.get(column.name, {}), mapping.formats.get(column.name, ())
    match column.role:
        case "id":
            return casts.identifier(raw, picked.kind)
        case "category":
            return casts.category(raw, picked.kind, values)
        case "currency":
            return casts.Cast(f"upper({casts.category(raw, picked.kind, values).value})")
        case "number":
            return casts.number(raw, picked.kind, picked.key, values, mapping.csv.decimal)
        case "flag":
            return casts.flag(raw, picked.kind, picked.key, values)
        case "later" | "date":
            return casts.later(raw, picked.kind, mapping.timezone, picked.key, mapping.name, written)
        case _:
            return casts.time(raw, picked.kind, mapping.timezone, picked.key, mapping.name, written)


def zone_checks(mapping: SourceMapping) -> list[tuple[str, str]]:
    """For a source that declares no zone: places of mapped texts, and the condition that a time there carries none."""
    if mapping.timezone is not None:
        return []
    found = []
    for column in mapping.kind.columns:
        picked = mapping.picked.get(column.name)
        if picked is None or column.role not in ("time", "known", "later", "date") or not casts.is_text(picked.kind):
            continue
        text = casts.text(picked.expression, picked.kind).value
        stamp = text_times.local(text, mapping.formats.get(column.name, ()))
        bare = f"{stamp} IS NOT NULL AND NOT regexp_matches({text}, {text_times.TEXT_ZONE})"
        found.append((picked.key, bare))
    return found


def require_zones(connection: duckdb.DuckDBPyConnection, mapping: SourceMapping, relation: str) -> None:
    """Stop if a column of texts holds times without a zone and the source declares none."""
    for key, bare in zone_checks(mapping):
        if rows(connection, f"SELECT 1 FROM {relation} WHERE {bare} LIMIT 1"):
            raise ConfigError(casts.naive(key, mapping.name))


def mapped_query(mapping: SourceMapping, relation: str, limits: Limits, watch: dict[str, str] | None = None) -> str:
    """The SELECT that gives the mapped table of one relation, duplicates not yet looked for.

    ``watch`` holds raw columns and how to read their times; a mark for each says that it lies after the known time.
    """
    watch = watch or {}
    picked = ", ".join(f"{item.expression} AS {quoted(f'raw {own}')}" for own, item in mapping.picked.items())
    picked += "".join(f", {value} AS {quoted(f'watched {raw}')}" for raw, value in watch.items())
    marks = "".join(f", {quoted(f'watched {raw}')} > known_time AS {quoted(changed(raw))}" for raw in watch)
    where = f" WHERE {mapping.where}" if mapping.where is not None else ""
    reads, settles = [], []
    for column in mapping.kind.columns:
        item = mapping.picked.get(column.name)
        own, bad = quoted(column.name), quoted(f"bad {column.name}")
        if item is None:
            reads.append(f"CAST(NULL AS {column_type(column)}) AS {own}, FALSE AS {bad}")
            continue
        read = cast(mapping, column, item, quoted(f"raw {column.name}"))
        reads.append(f"{read.value} AS {own}, {read.unreadable} AS {bad}")
    settles += _settled(mapping)
    named = ", ".join(quoted(column.name) for column in mapping.kind.columns if column.role != "known")
    raws = ", ".join(f"{literal(own)}: {quoted(f'raw {own}')}" for own in mapping.picked)
    return f"""
    WITH picked AS (SELECT {picked} FROM {relation}{where}),
    readable AS (SELECT *, {", ".join(reads)} FROM picked),
    settled AS (SELECT * REPLACE ({", ".join(settles)}) FROM readable),
    wanted AS (SELECT * FROM settled WHERE {_wanted(mapping, limits)}),
    seen AS (SELECT * REPLACE ({", ".join(_seen(mapping, limits))}), {note(mapping, limits)} AS note FROM wanted
             WHERE {"TRUE" if limits.as_of is None else f"(known_time IS NULL OR known_time < {limits.as_of})"}),
    judged AS (SELECT *, {reason(mapping, limits)} AS reason FROM seen)
    SELECT {named}, known_time{marks}, note, reason,
           CASE WHEN reason IS NOT NULL THEN CAST(to_json({{{raws}}}) AS VARCHAR) END AS raw
    FROM judged
    """


def column_type(column: Column) -> str:
    """The DuckDB type of one of our columns in a mapped table."""
    roles = {"id": "VARCHAR", "category": "VARCHAR", "currency": "VARCHAR", "number": "DOUBLE", "flag": "DOUBLE"}
    return roles.get(column.role, "BIGINT")


def _settled(mapping: SourceMapping) -> list[str]:
    """Known times and the time of a rating, before anything is cut."""
    kind = mapping.kind
    if kind.time is None:
        known = "known_time" if mapping.has("known_time") else str(BEGINNING)
        return [f"{known} AS known_time"]
    first = quoted(kind.time)
    settled = [f"greatest(coalesce(known_time, {first}), {first}) AS known_time"]
    if kind.name == "tickets":
        settled.append("CASE WHEN satisfaction IS NOT NULL THEN coalesce(rated_time, resolved_time) END AS rated_time")
    for column in kind.columns:
        if column.role == "number" and not column.required:
            own = quoted(column.name)
            # A row must not be rejected for what is revealed later: what cannot be is left out.
            none = f"isnan({own})" if column.revealed_by is None else f"isnan({own}) OR {impossible(own)}"
            settled.append(f"CASE WHEN {none} THEN NULL ELSE {own} END AS {own}")
    return settled


def _wanted(mapping: SourceMapping, limits: Limits) -> str:
    """Rows of wanted customers, and rows of others that share an id with them: the duplicates must be complete."""
    if limits.wanted is None:
        return "TRUE"
    mine = f"customer_id IN (SELECT customer_id FROM {limits.wanted})"
    unique = mapping.kind.unique
    if unique is None or not mapping.has(unique):
        return mine
    return f"({mine} OR {unique} IN (SELECT {unique} FROM settled WHERE {mine} AND {unique} IS NOT NULL))"


def _seen(mapping: SourceMapping, limits: Limits) -> list[str]:
    """Later moments and what they reveal, NULL from the bound on."""
    bound, kind = limits.bound, mapping.kind
    seen = [
        f"CASE WHEN {quoted(column.name)} < {bound} THEN {quoted(column.name)} END AS {quoted(column.name)}"
        for column in kind.columns
        if column.role == "later"
    ]
    for column in kind.columns:
        if column.revealed_by is None or (column.name == "consent" and not mapping.has("consent_time")):
            continue
        own, moment = quoted(column.name), quoted(column.revealed_by)
        seen.append(f"CASE WHEN {moment} < {bound} THEN {own} END AS {own}")
    for column in kind.columns:
        if column.role == "date":
            own = quoted(column.name)
            seen.append(f"CASE WHEN {own} BETWEEN {EARLIEST} AND {LATEST} THEN {own} END AS {own}")
    return seen or ["known_time AS known_time"]


def require_one_currency(connection: duckdb.DuckDBPyConnection, mapping: SourceMapping, limits: Limits) -> None:
    """Stop if a source holds several currencies and the configuration names none."""
    if limits.currency is not None or not mapping.has("currency"):
        return
    query = f"SELECT count(DISTINCT currency) FROM {mapped(mapping.name)} WHERE reason IS NULL"
    require_one(mapping, one(connection, query)[0])
