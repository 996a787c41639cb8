"""Why a row is rejected, and which cell of a good row is left out: the words and their conditions in SQL."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.sources import casts
from holdfast.sources.connection import literal, quoted
from holdfast.sources.kinds import Column
from holdfast.sources.mapping import SourceMapping
from holdfast.timeline import MICROSECONDS_PER_DAY, instant

EARLIEST, LATEST = instant("1900-01-01"), instant("2200-01-01")
GREATEST = 1e15  # beyond it no amount is real, and sums and squares would leave what a floating number holds
_NOT_YET = " 0000-00-00 or 1970-01-01, read as not yet"
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

    @property
    def present(self) -> int:
        """A day after the present, because clocks and zones differ: nothing has happened from here on."""
        return self.now + MICROSECONDS_PER_DAY

    @property
    def bound(self) -> int:
        """The first instant that the tables may not know of."""
        return self.present if self.as_of is None else min(self.as_of, self.present)


def note(mapping: SourceMapping, limits: Limits) -> str:
    """The first cell of a row that had to be left out, in words."""
    later = [name for name in mapping.kind.later if mapping.has(name)]
    arms = [f"WHEN {quoted(name)} >= {limits.present} THEN {literal(name + ' in the future')}" for name in later]
    arms += [
        f"WHEN {casts.not_yet(quoted(f'raw {name}'), mapping.picked[name].kind)} THEN {literal(name + _NOT_YET)}"
        for name in later
    ]
    if mapping.kind.name == "tickets":
        if mapping.has("satisfaction"):
            told = 'TRY_CAST("raw satisfaction" AS DOUBLE)'
            arms.append(f"WHEN rated_time < {limits.bound} AND {impossible(told)} THEN 'impossible satisfaction'")
        arms.append(
            "WHEN satisfaction IS NOT NULL AND rated_time IS NULL THEN 'satisfaction without the time it was given'"
        )
        arms.append(
            "WHEN reopened_time IS NOT NULL AND (resolved_time IS NULL OR resolved_time > reopened_time) "
            "THEN 'reopened without an earlier resolution'"
        )
    return f"CASE {' '.join(arms)} ELSE NULL END" if arms else "CAST(NULL AS VARCHAR)"


def reason(mapping: SourceMapping, limits: Limits) -> str:
    """The first reason to reject a row, as one CASE."""
    kind = mapping.kind
    arms = [("customer_id IS NULL", "missing customer id")]
    times = [column.name for column in kind.columns if column.role in ("time", "known", "later", "date")]
    arms += [(quoted(f"bad {name}"), "not a time") for name in times]
    first = "known_time" if kind.time is None else quoted(kind.time)
    arms.append((f"{first} IS NULL", "missing time"))
    if kind.time is not None or mapping.has("known_time"):
        arms.append((f"{first} < {EARLIEST} OR {first} >= {LATEST}", "impossible time"))
        arms.append((f"known_time >= {limits.present}", "time in the future"))
    if kind.time is not None:
        arms += [(f"{quoted(name)} < {first}", _ORDER_OF_MOMENTS[name]) for name in kind.later]
    else:
        arms += [(f"{quoted(name)} < {EARLIEST}", "impossible time") for name in kind.later]
    for column in kind.columns:
        arms += _reasons_of(column, mapping)
    if limits.currency is not None and mapping.has("currency"):
        arms.append((f"currency IS DISTINCT FROM {literal(limits.currency.upper())}", "unknown currency"))
    return "CASE " + " ".join(f"WHEN {condition} THEN {literal(reason)}" for condition, reason in arms) + " END"


def impossible(number: str) -> str:
    """The condition that a number, which is not NaN, is none that a business has."""
    return f"(NOT isnan({number}) AND abs({number}) > {GREATEST})"


def _reasons_of(column: Column, mapping: SourceMapping) -> list[tuple[str, str]]:
    """Reasons that lie in the value of one column."""
    own, bad = quoted(column.name), quoted(f"bad {column.name}")
    if not mapping.has(column.name):
        return []
    if column.role == "id":
        return [(bad, f"{column.name} rounded: more digits than a floating number holds")]
    if column.role == "flag":
        return [(bad, "neither yes nor no")]
    if column.role == "number":
        arms = [
            (bad, "not a number"),
            (f"isnan({own}) OR isinf({own})", "not a finite number"),
            (impossible(own), "impossible number"),
        ]
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
