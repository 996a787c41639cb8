"""From the table's own types to ours: text ids, instants in microseconds UTC, floating numbers, flags.

Each function gives a pair of SQL expressions over one raw column: the value (NULL where there is none) and the
condition under which something stands in the cell that cannot be read.
"""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.errors import ConfigError
from holdfast.sources import text_times
from holdfast.sources.connection import literal

FAR_PAST = "(-9000000000000000)"
FAR_FUTURE = "9000000000000000"
_NAIVE = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATE")
_ZONED = ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS")
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
_FLOATS = ("FLOAT", "DOUBLE")
_BLANK = literal(" \t\r\n\u00a0")
_NO_ID = "('', 'nan', 'none', 'null', 'nat', '<na>')"
_MOST_DIGITS = 2**53  # beyond, a floating number does not tell whole numbers apart


@dataclass(frozen=True)
class Cast:
    """The value as we want it, and when the cell cannot be read."""

    value: str
    unreadable: str = "FALSE"


def is_text(kind: str) -> bool:
    """Whether the DuckDB type holds text, or nothing at all."""
    return kind in ("VARCHAR", "NULL", '"NULL"') or kind.startswith("ENUM")


def is_number(kind: str) -> bool:
    """Whether the DuckDB type holds numbers."""
    return kind in _INTEGERS or kind in _FLOATS or kind.startswith("DECIMAL") or kind == "UHUGEINT"


def is_naive(kind: str) -> bool:
    """Whether the DuckDB type holds times or dates without a zone."""
    return kind in _NAIVE


def is_zoned(kind: str) -> bool:
    """Whether the DuckDB type holds instants."""
    return kind in _ZONED


def text(raw: str, kind: str) -> Cast:
    """Trimmed text; whole numbers lose their ``.0``, an empty cell is no value."""
    if kind in _FLOATS:
        whole = f"CAST(CAST({raw} AS HUGEINT) AS VARCHAR)"
        return Cast(
            f"CASE WHEN NOT isfinite({raw}) THEN NULL WHEN {raw} = trunc({raw}) AND abs({raw}) < 1e18 THEN {whole} "
            f"ELSE CAST({raw} AS VARCHAR) END"
        )
    if kind in _INTEGERS:
        return Cast(f"CAST({raw} AS VARCHAR)")
    return Cast(f"nullif(trim(CAST({raw} AS VARCHAR), {_BLANK}), '')")


def identifier(raw: str, kind: str) -> Cast:
    """Text of an id: ``13085.0`` is 13085, and the words that exports write for nothing are nothing.

    An id that was rounded on its way cannot be read, because it may be that of several: a floating number beyond
    2**53, or a text such as ``1.23457E+18``.
    """
    value = text(raw, kind).value
    if kind in _FLOATS:
        return Cast(value, f"coalesce(isfinite({raw}) AND abs({raw}) > {_MOST_DIGITS}, FALSE)")
    if kind in _INTEGERS:
        return Cast(value)
    rounded = f"coalesce(regexp_matches({value}, '^[0-9]([.,][0-9]+)?[eE][+][0-9]{{2}}$'), FALSE)"
    bare = f"regexp_replace({value}, '^([0-9]+)[.]0+$', '\\1')"
    return Cast(f"CASE WHEN lower({value}) IN {_NO_ID} THEN NULL ELSE {bare} END", rounded)


def category(raw: str, kind: str, values: dict[str, str]) -> Cast:
    """Text, translated by ``values`` where they name it."""
    value = text(raw, kind).value
    return Cast(_translated(value, values))


def _translated(value: str, values: dict[str, str]) -> str:
    if not values:
        return value
    arms = " ".join(f"WHEN {literal(theirs)} THEN {literal(ours)}" for theirs, ours in values.items())
    return f"nullif(CASE {value} {arms} ELSE {value} END, '')"


def number(raw: str, kind: str, key: str, values: dict[str, str], decimal: str | None = None) -> Cast:
    """A floating number; a text is read if it is one, or if ``values`` translate it to one.

    With a ``decimal`` sign, the other of comma and point parts thousands in a text.
    """
    if is_text(kind) or values:
        trimmed = _translated(text(raw, kind).value, values)
        if decimal is not None and is_text(kind):
            other = "." if decimal == "," else ","
            trimmed = f"replace(replace({trimmed}, {literal(other)}, ''), {literal(decimal)}, '.')"
        return Cast(
            f"TRY_CAST({trimmed} AS DOUBLE)", f"({trimmed} IS NOT NULL AND TRY_CAST({trimmed} AS DOUBLE) IS NULL)"
        )
    if is_number(kind) or kind == "BOOLEAN":
        return Cast(_unassumed(f"CAST({raw} AS DOUBLE)"))
    raise ConfigError(
        f"{key} must hold numbers; its type is {kind}. Map another column, or compute the number from it."
    )


def _unassumed(value: str) -> str:
    """The same number, of which DuckDB assumes nothing.

    Statistics of Parquet files leave NaN out, and DuckDB 2.0 concludes from them that ``isnan`` holds nowhere: the rows
    that must be rejected would pass. It concludes nothing across TRY.
    """
    return f"TRY({value})"


def flag(raw: str, kind: str, key: str, values: dict[str, str]) -> Cast:
    """1 for yes, 0 for no, as a floating number."""
    if kind == "BOOLEAN" and not values:
        return Cast(f"CAST(CAST({raw} AS INTEGER) AS DOUBLE)")
    if is_number(kind) and not values:
        return Cast(
            f"CASE WHEN {raw} = 0 THEN 0.0 WHEN {raw} = 1 THEN 1.0 END",
            f"({raw} IS NOT NULL AND NOT isnan({_unassumed(f'CAST({raw} AS DOUBLE)')}) AND {raw} NOT IN (0, 1))",
        )
    if is_text(kind) or values:
        word = f"lower({_translated(text(raw, kind).value, values)})"
        yes, no = "('1', 'true', 't', 'yes', 'y')", "('0', 'false', 'f', 'no', 'n')"
        return Cast(
            f"CASE WHEN {word} IN {yes} THEN 1.0 WHEN {word} IN {no} THEN 0.0 END",
            f"({word} IS NOT NULL AND {word} NOT IN {yes} AND {word} NOT IN {no})",
        )
    raise ConfigError(f"{key} must hold yes or no; its type is {kind}. Map another column, or compute it.")


def time(raw: str, kind: str, zone: str | None, key: str, source: str, formats: tuple[str, ...] = ()) -> Cast:
    """An instant in microseconds since 1970, UTC.

    A time without a zone is read on the clocks of ``zone``. Where those clocks were put back and an hour came twice,
    the later one counts (a row is never visible before it happened); where an hour was left out, the clocks' jump is
    added. A date is its midnight. A text is read as one of ``formats``, or else as ISO 8601. What lies outside 1800 to
    2300 becomes FAR_PAST or FAR_FUTURE.
    """
    if is_zoned(kind):
        return Cast(_instant(f"CAST({raw} AS TIMESTAMPTZ)", None))
    if is_naive(kind):
        if zone is None:
            raise ConfigError(naive(key, source))
        return Cast(_instant(f"CAST({raw} AS TIMESTAMP)", zone))
    if is_text(kind):
        trimmed = text(raw, kind).value
        zoned = _instant(text_times.zoned(trimmed), None)
        stamp = text_times.local(trimmed, formats)
        local = _instant(f"({stamp})", zone or "UTC")
        value = f"CASE WHEN regexp_matches({trimmed}, {text_times.TEXT_ZONE}) THEN {zoned} ELSE {local} END"
        return Cast(value, f"({trimmed} IS NOT NULL AND NOT {text_times.readable(trimmed, formats)})")
    raise ConfigError(
        f"{key} must hold times; its type is {kind}. If it counts seconds or milliseconds since 1970, "
        f"write under sources.{source}.compute for example to_timestamp(column) or epoch_ms(column)."
    )


def not_yet(raw: str, kind: str) -> str:
    """The condition that a later moment is what systems write where it has not come."""
    if is_text(kind):
        return text_times.not_yet(text(raw, kind).value)
    if is_naive(kind) or is_zoned(kind):
        return f"coalesce(epoch_us({raw}) = 0, FALSE)"
    return "FALSE"


def later(raw: str, kind: str, zone: str | None, key: str, source: str, formats: tuple[str, ...] = ()) -> Cast:
    """As :func:`time`, of a moment that may not have come: then there is no value, and that is no fault of the row."""
    found, none = time(raw, kind, zone, key, source, formats), not_yet(raw, kind)
    return Cast(f"CASE WHEN NOT {none} THEN {found.value} END", f"({found.unreadable} AND NOT {none})")


def naive(key: str, source: str) -> str:
    """The message for times that do not say their zone."""
    return (
        f"{key} holds times without a zone, and the source declares none. "
        f"Write sources.{source}.timezone, for example Europe/London, or UTC if that is what they are."
    )


def _instant(stamp: str, zone: str | None) -> str:
    """Microseconds of a TIMESTAMPTZ (no zone) or of a TIMESTAMP on the clocks of the zone."""
    kind = "TIMESTAMPTZ" if zone is None else "TIMESTAMP"
    aware = stamp if zone in (None, "UTC") else f"timezone({literal(zone)}, {stamp})"
    return (
        f"CASE WHEN {stamp} > {kind} '2300-01-01' THEN {FAR_FUTURE} WHEN {stamp} < {kind} '1800-01-01' THEN {FAR_PAST} "
        f"ELSE epoch_us({aware}) END"
    )
