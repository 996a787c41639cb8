"""One pass over a source: map, read, cut at an instant, judge each row; then one look for duplicates.

The result is a table ``mapped <source>`` with our columns, ``known_time`` never NULL on a good row, and ``reason``:
the first reason to reject the row, or NULL. Later moments that lie at or after the cut are NULL, with the values they
reveal. ``note`` names a cell of a good row that had to be left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from holdfast.errors import ConfigError, DataError
from holdfast.sources import casts
from holdfast.sources.engine import literal, one, quoted, rows
from holdfast.sources.kinds import Column
from holdfast.sources.mapping import Picked, SourceMapping
from holdfast.timeline import BEGINNING, MICROSECONDS_PER_DAY, instant

EARLIEST, LATEST = instant("1900-01-01"), instant("2200-01-01")
_ORDER_OF_MOMENTS = {
    "resolved_time": "resolved before it was opened",
    "reopened_time": "reopened before it was opened",
    "rated_time": "rated before it was opened",
    "end_time": "ended before it started",
    "responded_time": "answered before it was sent",
}


@dataclass(frozen=True)
class Limits:
    """What bounds the rows: the cut, the present, the currency, the table of wanted customers."""

    as_of: int | None
    now: int
    currency: str | None
    wanted: str | None


def mapped(name: str) -> str:
    """The SQL name of a source's mapped table."""
    return quoted(f"mapped {name}")


def cast(mapping: SourceMapping, column: Column, picked: Picked, raw: str) -> casts.Cast:
    """How to read one mapped column, by its role."""
    values = mapping.values.get(column.name, {})
    match column.role:
        case "id":
            return casts.identifier(raw, picked.kind)
        case "category":
            return casts.category(raw, picked.kind, values)
        case "currency":
            return casts.Cast(f"upper({casts.category(raw, picked.kind, values).value})")
        case "number":
            return casts.number(raw, picked.kind, picked.key)
        case "flag":
            return casts.flag(raw, picked.kind, picked.key, values)
        case _:
            return casts.time(raw, picked.kind, mapping.timezone, picked.key, mapping.name)


def require_zones(connection: duckdb.DuckDBPyConnection, mapping: SourceMapping, relation: str) -> None:
    """Stop if a column of texts holds times without a zone and the source declares none."""
    if mapping.timezone is not None:
        return
    for column in mapping.kind.columns:
        picked = mapping.picked.get(column.name)
        if picked is None or column.role not in ("time", "known", "later", "date") or not casts.is_text(picked.kind):
            continue
        text = casts.text(picked.expression, picked.kind).value
        bare = f"TRY_CAST({text} AS TIMESTAMP) IS NOT NULL AND NOT regexp_matches({text}, {casts.TEXT_ZONE})"
        if rows(connection, f"SELECT 1 FROM {relation} WHERE {bare} LIMIT 1"):
            raise ConfigError(casts.naive(picked.key, mapping.name))


def mapped_query(mapping: SourceMapping, relation: str, limits: Limits) -> str:
    """The SELECT that gives the mapped table of one relation, duplicates not yet looked for."""
    picked = ", ".join(f"{item.expression} AS {quoted(f'raw {own}')}" for own, item in mapping.picked.items())
    where = f" WHERE {mapping.where}" if mapping.where is not None else ""
    reads, settles = [], []
    for column in mapping.kind.columns:
        item = mapping.picked.get(column.name)
        own, bad = quoted(column.name), quoted(f"bad {column.name}")
        if item is None:
            reads.append(f"CAST(NULL AS {_type(column)}) AS {own}, FALSE AS {bad}")
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
    seen AS (SELECT * REPLACE ({", ".join(_seen(mapping, limits))}), {_note(mapping, limits)} AS note FROM wanted
             WHERE {_cut(limits)}),
    judged AS (SELECT *, {_reason(mapping, limits)} AS reason FROM seen)
    SELECT {named}, known_time, note, reason,
           CASE WHEN reason IS NOT NULL THEN CAST(to_json({{{raws}}}) AS VARCHAR) END AS raw
    FROM judged
    """


def _type(column: Column) -> str:
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
    settled += [
        f"CASE WHEN isnan({quoted(column.name)}) THEN NULL ELSE {quoted(column.name)} END AS {quoted(column.name)}"
        for column in kind.columns
        if column.role == "number" and not column.required
    ]
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


def _cut(limits: Limits) -> str:
    return "TRUE" if limits.as_of is None else f"(known_time IS NULL OR known_time < {limits.as_of})"


def _bound(limits: Limits) -> int:
    """The first instant that has not happened: the cut, or a day after the present (clocks and zones differ)."""
    present = limits.now + MICROSECONDS_PER_DAY
    return present if limits.as_of is None else min(limits.as_of, present)


def _seen(mapping: SourceMapping, limits: Limits) -> list[str]:
    """Later moments and what they reveal, NULL from the bound on."""
    bound, kind = _bound(limits), mapping.kind
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


def _note(mapping: SourceMapping, limits: Limits) -> str:
    """The first cell of a row that had to be left out, in words."""
    present = limits.now + MICROSECONDS_PER_DAY
    arms = [
        f"WHEN {quoted(name)} >= {present} THEN {literal(name + ' in the future')}"
        for name in mapping.kind.later
        if mapping.has(name)
    ]
    if mapping.kind.name == "tickets":
        arms.append(
            "WHEN satisfaction IS NOT NULL AND rated_time IS NULL THEN 'satisfaction without the time it was given'"
        )
        arms.append(
            "WHEN reopened_time IS NOT NULL AND (resolved_time IS NULL OR resolved_time > reopened_time) "
            "THEN 'reopened without an earlier resolution'"
        )
    return f"CASE {' '.join(arms)} ELSE NULL END" if arms else "CAST(NULL AS VARCHAR)"


def _reason(mapping: SourceMapping, limits: Limits) -> str:
    """The first reason to reject a row, as one CASE."""
    kind = mapping.kind
    arms = [("customer_id IS NULL", "missing customer id")]
    for column in kind.columns:
        if column.role in ("time", "known", "later", "date"):
            arms.append((quoted(f"bad {column.name}"), "not a time"))
    first = "known_time" if kind.time is None else quoted(kind.time)
    arms.append((f"{first} IS NULL", "missing time"))
    if kind.time is not None or mapping.has("known_time"):
        arms.append((f"{first} < {EARLIEST} OR {first} >= {LATEST}", "impossible time"))
        arms.append((f"known_time >= {limits.now + MICROSECONDS_PER_DAY}", "time in the future"))
    if kind.time is not None:
        arms += [(f"{quoted(name)} < {first}", _ORDER_OF_MOMENTS[name]) for name in kind.later]
    else:
        arms += [(f"{quoted(name)} < {EARLIEST}", "impossible time") for name in kind.later]
    for column in kind.columns:
        arms += _reasons_of(column, mapping)
    if limits.currency is not None and mapping.has("currency"):
        arms.append((f"currency IS DISTINCT FROM {literal(limits.currency.upper())}", "unknown currency"))
    return "CASE " + " ".join(f"WHEN {condition} THEN {literal(reason)}" for condition, reason in arms) + " END"


def _reasons_of(column: Column, mapping: SourceMapping) -> list[tuple[str, str]]:
    """Reasons that lie in the value of one column."""
    own, bad = quoted(column.name), quoted(f"bad {column.name}")
    if not mapping.has(column.name):
        return []
    if column.role == "flag":
        return [(bad, "neither yes nor no")]
    if column.role == "number":
        arms = [(bad, "not a number"), (f"isnan({own}) OR isinf({own})", "not a finite number")]
        if column.name == "mrr" and mapping.kind.time == "event_time":
            arms.append((f"{own} IS NULL AND kind NOT IN ('ended', 'payment_failed')", "missing mrr"))
        elif column.required:
            arms.append((f"{own} IS NULL", f"missing {column.name}"))
        if column.name == "score":
            arms.append((f"{own} NOT BETWEEN 0 AND 10", "score outside 0 to 10"))
        return arms
    if column.role == "category" and column.required:
        arms = [(f"{own} IS NULL", f"missing {column.name}")]
        if column.among:
            arms.append((f"{own} NOT IN ({', '.join(map(literal, column.among))})", f"unknown {column.name}"))
        return arms
    return []


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


def require_one_currency(connection: duckdb.DuckDBPyConnection, mapping: SourceMapping, limits: Limits) -> None:
    """Stop if a source holds several currencies and the configuration names none."""
    if limits.currency is not None or not mapping.has("currency"):
        return
    query = f"SELECT count(DISTINCT currency) FROM {mapped(mapping.name)} WHERE reason IS NULL"
    found = one(connection, query)[0]
    if found > 1:
        raise DataError(
            f"Source '{mapping.name}' has mixed currencies ({found} of them), and sums over them mean nothing. "
            "Write 'currency', for example EUR, to keep the rows of one, or convert the amounts before."
        )
