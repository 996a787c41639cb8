"""DuckDB as a peer: one SQL query per cutoff over its own table.

Tried on 20 million rows, one cutoff, seconds, on 2 cores:

    small set, rows as they come: CASE 1.6; FILTER 1.8; one GROUP BY per window, joined 1.7; by customer and window
        number first 2.0; CASE with perfect hash tables 13 % less processor time than without
    small set, sorted by customer and time: CASE .59; FILTER .99; by customer and window number first 1.1
    catalogue, rows as they come: CASE over lag() OVER (PARTITION BY customer ORDER BY day) 9.7; by window number
        first 11
    catalogue, sorted: CASE over lag() OVER (), which streams, 4.4; FILTER 8.5; by window number first 4.8
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isinf, isnan

import duckdb
import pyarrow as pa

from benchmarks.peers.data import LAST
from benchmarks.peers.plan import ADDED, GAP_BASE, OF_DAYS, Leaf, evaluated, leaves
from holdfast.features.feature import Feature
from holdfast.timeline import MICROSECONDS_PER_DAY


class DuckDB:
    """The features of a set, one query per cutoff.

    Parameters
    ----------
    is_sorted : bool
        Whether ``prepare`` stores a copy sorted by customer and time for all cutoffs.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, features: Sequence[Feature], *, is_sorted: bool) -> None:
        self.connection, self.features, self.is_sorted = connection, features, is_sorted
        needed = leaves(features, LAST)
        columns = sorted({"amount", *(leaf.column for leaf in needed if leaf.column)})
        self._split = any(leaf.rows != "all" for leaf in needed)
        self._of_days = any(leaf.kind in OF_DAYS for leaf in needed)
        day = f", (event_time // {MICROSECONDS_PER_DAY})::INTEGER AS day" if self._of_days else ""
        read = f"SELECT customer::INTEGER AS customer, event_time, known_time, {', '.join(columns)}{day} FROM orders"
        parts = {"purchase": "amount >= 0", "refund": "amount < 0"} if self._split else {"all": "TRUE"}
        if not is_sorted and not self._of_days:
            connection.execute("SET perfect_ht_threshold = 25")  # a slot per customer instead of a hash table
        self._parts = {rows: f"{read} WHERE {condition}" for rows, condition in parts.items()}

    def prepare(self) -> None:
        """Store the sorted copy, if that is asked for."""
        if self.is_sorted:
            for rows, read in self._parts.items():
                self.connection.execute(
                    f"CREATE OR REPLACE TEMP TABLE sorted_{rows} AS {read} ORDER BY customer, event_time"
                )

    def query(self, cutoff: int) -> pa.Table:
        """One row per customer with a purchase before the cutoff: ``customer`` and the features."""
        needed, language = leaves(self.features, cutoff), _Expressions(split=self._split)
        named = ", ".join(
            f"{_filled(evaluated(feature, cutoff, language), feature)} AS {feature.name}" for feature in self.features
        )
        if self._split:
            purchases, refunds = (self._aggregated(rows, needed, cutoff) for rows in ("purchase", "refund"))
            source = f"({purchases}) AS p LEFT JOIN ({refunds}) AS r USING (customer)"
        else:
            source = f"({self._aggregated('all', needed, cutoff)}) AS p"
        return self.connection.sql(f"SELECT customer, {named} FROM {source}").to_arrow_table()

    def _aggregated(self, rows: str, needed: Sequence[Leaf], cutoff: int) -> str:
        """The query for one row per customer with the leaves that these rows contribute to."""
        source = f"sorted_{rows}" if self.is_sorted else f"({self._parts[rows]})"
        visible = f"SELECT * FROM {source} WHERE known_time < {cutoff}"
        if self._of_days and rows == "purchase":
            visible = self._with_gaps(visible)
        named = ", ".join(
            f"{_measured(leaf, _inside(leaf, cutoff))} AS {leaf.name}" for leaf in needed if leaf.rows in (rows, "all")
        )
        bought = "" if self._split else " HAVING bool_or(amount >= 0)"
        return f"SELECT customer, {named} FROM ({visible}) GROUP BY customer{bought}"

    def _with_gaps(self, visible: str) -> str:
        """The rows and the days since the customer's purchase before; a window without partitions streams."""
        if self.is_sorted:
            gap = "CASE WHEN lag(customer) OVER () = customer THEN day - lag(day) OVER () END"
        else:
            gap = "day - lag(day) OVER (PARTITION BY customer ORDER BY day)"
        return f"SELECT *, {gap} AS gap FROM ({visible})"


def _inside(leaf: Leaf, cutoff: int) -> str:
    """The condition for the leaf's window; empty for a lifetime."""
    begin, end = (
        None if isinf(days) else cutoff - round(days * MICROSECONDS_PER_DAY) for days in (leaf.far, leaf.near)
    )
    tests = [] if begin is None else [f"event_time >= {begin}"]
    return " AND ".join([*tests, f"event_time < {end}"] if leaf.near else tests)


def _measured(leaf: Leaf, inside: str) -> str:
    """The leaf as an aggregate over the rows of a customer."""

    def cell(value: str) -> str:
        return f"CASE WHEN {inside} THEN {value} END" if inside else value

    match leaf.kind:
        case "count":
            return f"count({cell('1')})"
        case "sum" | "max":
            return f"{leaf.kind}({cell(str(leaf.column))})"
        case "squares":
            return f"sum({cell(f'{leaf.column} * {leaf.column}')})"
        case "last":
            return f"arg_max({cell(str(leaf.column))}, event_time)"
        case "first_time" | "first_day":
            return f"min({cell('event_time' if leaf.kind == 'first_time' else 'day')})"
        case "last_time" | "last_day":
            return f"max({cell('event_time' if leaf.kind == 'last_time' else 'day')})"
        case "days":
            return f"sum({cell('(gap IS NULL OR gap > 0)::INTEGER')})"
        case "gap_squares":
            return f"sum({cell('gap * gap')})"
        case "last_gap":
            if inside:
                raise ValueError("The last gap within a window has no form here yet.")
            return f"max(CASE WHEN gap > 0 THEN day::BIGINT * {GAP_BASE} + gap END)"
    raise ValueError(f"Wanted a known kind of leaf, found {leaf.kind!r}.")


class _Sql:
    """An SQL expression that takes the operators of Python."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    def __add__(self, other: object) -> _Sql:
        return _Sql(f"({self} + {other})")

    def __sub__(self, other: object) -> _Sql:
        return _Sql(f"({self} - {other})")

    def __rsub__(self, other: object) -> _Sql:
        return _Sql(f"({other} - {self})")

    def __mul__(self, other: object) -> _Sql:
        return _Sql(f"({self} * {other})")

    def __abs__(self) -> _Sql:
        return _Sql(f"abs({self})")


class _Expressions:
    """The language of the plan in SQL; leaves of all rows stand on both sides of the join."""

    def __init__(self, *, split: bool) -> None:
        self._split = split

    def leaf(self, leaf: Leaf) -> _Sql:
        value = f"r.{leaf.name}" if leaf.rows == "refund" else f"p.{leaf.name}"
        if leaf.rows == "all" and self._split:
            if leaf.combined not in {"sum", "max"}:
                raise ValueError(f"The {leaf.kind} of purchases and refunds together has no form here yet.")
            both = f"coalesce(p.{leaf.name}, 0) + coalesce(r.{leaf.name}, 0)"
            value = f"({both})" if leaf.combined == "sum" else f"greatest(p.{leaf.name}, r.{leaf.name})"
        if leaf.kind == "last_gap":
            value = f"({value} % {GAP_BASE})"
        return _Sql(f"coalesce({value}, 0)::DOUBLE" if leaf.kind in ADDED else f"{value}::DOUBLE")

    def divided(self, above: _Sql, below: _Sql) -> _Sql:
        return _Sql(f"({above} / nullif({below}, 0))")

    def root(self, value: _Sql) -> _Sql:
        return _Sql(f"sqrt(CASE WHEN {value} < 0 THEN 0 ELSE {value} END)")


def _filled(value: _Sql, feature: Feature) -> str:
    return str(value) if isnan(feature.when_empty) else f"coalesce({value}, {feature.when_empty})"
