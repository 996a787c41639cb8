"""Polars as a peer: one lazy query per cutoff over a frame in memory.

Tried on 20 million rows, one cutoff, seconds, streaming / in-memory engine, on 2 cores:

    small set, rows as they come: filter() in agg 2.7 / 4.2; when() 2.6 / 3.8; one group_by per window, joined
        1.7 / 2.8; group_by customer and window number, packed into one key, then customer 1.3 / 5.1;
        the two as two keys 2.2 / 3.9
    small set, sorted by customer: filter() .77 / 1.0; when() .55 / 1.1; joined .54 / .62; packed key .76 / 1.7
    catalogue, sorted by customer and time: when() 4.3 / 4.6; joined 3.9 / 4.6; packed key 3.4 / 4.9, with the
        last value as max_by time instead of by order 5.6, as get(arg_max) 10 (these two beside other work)
    sort by two columns 7.6 / 12.6, by one integer that packs customer and time 2.2 / 3.0
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isinf, isnan
from typing import Any

import duckdb
import polars as pl

from benchmarks.peers.data import FIRST, LAST
from benchmarks.peers.plan import ADDED, GAP_BASE, OF_DAYS, Leaf, evaluated, leaves
from holdfast.features.feature import Feature
from holdfast.timeline import MICROSECONDS_PER_DAY

TIME = pl.col("event_time")
DAY = TIME // MICROSECONDS_PER_DAY


class Polars:
    """The features of a set, one query per cutoff.

    Parameters
    ----------
    is_sorted : bool
        Whether ``prepare`` sorts the frame once for all cutoffs; if not, a query sorts if its features need order.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, features: Sequence[Feature], *, is_sorted: bool) -> None:
        self.features, self.is_sorted = features, is_sorted
        needed = leaves(features, LAST)
        self._columns = sorted({"amount", *(leaf.column for leaf in needed if leaf.column)})
        self._split = any(leaf.rows != "all" for leaf in needed)
        self._ordered = any(leaf.kind in OF_DAYS or leaf.kind == "last" for leaf in needed)
        columns = ", ".join(["customer", "event_time", "known_time", *self._columns])
        self._given: pl.DataFrame = connection.sql(f"SELECT {columns} FROM orders").pl()
        customers = int(self._given["customer"].max()) + 1  # type: ignore[arg-type]
        self._shift = max((customers * (LAST - FIRST)).bit_length() - 63, 0)
        self._frame = self._given

    def prepare(self) -> None:
        """Sort the frame, if that is asked for."""
        if self.is_sorted:
            self._frame = self._sorted(self._given.lazy()).collect(engine="streaming")

    def query(self, cutoff: int) -> pl.DataFrame:
        """One row per customer with a purchase before the cutoff: ``customer`` and the features."""
        visible = self._frame.lazy().filter(pl.col("known_time") < cutoff)
        needed = leaves(self.features, cutoff)
        bought = pl.col("amount") >= 0
        if self._split:
            refunds = self._aggregated(visible.filter(~bought), needed, "refund", cutoff)
            purchases = visible.filter(bought)
            if self._ordered:
                purchases = purchases if self.is_sorted else self._sorted(purchases)
                purchases = purchases.with_columns(_gap())
            table = self._aggregated(purchases, needed, "purchase", cutoff)
            table = table.join(refunds, on="customer", how="left", suffix="_refunded")
        else:
            table = self._aggregated(visible, needed, "all", cutoff).filter(pl.col("_purchases") > 0)
        language = _Expressions(split=self._split)
        named = [_filled(evaluated(feature, cutoff, language), feature) for feature in self.features]
        return table.select("customer", *named).collect(engine="streaming")

    def _sorted(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """By customer and time, packed into 63 bits: 4 or 8 neighbouring microseconds may be one."""
        span = (LAST - FIRST >> self._shift) + 1
        return frame.sort(pl.col("customer") * span + ((TIME - FIRST) // (1 << self._shift)))

    def _aggregated(self, frame: pl.LazyFrame, needed: Sequence[Leaf], rows: str, cutoff: int) -> pl.LazyFrame:
        """One row per customer with the leaves that these rows contribute to."""
        mine = [leaf for leaf in needed if leaf.rows in (rows, "all")]
        purchases = [] if self._split else [(pl.col("amount") >= 0).sum().alias("_purchases")]
        if self.is_sorted and not self._split:
            inside = [_masked(leaf, cutoff) for leaf in mine]
            return frame.group_by("customer").agg(*inside, *purchases)
        edges = sorted({edge for leaf in needed for edge in (leaf.near, leaf.far)} - {0.0, inf})
        number = sum(((cutoff_before(cutoff, edge) > TIME).cast(pl.Int64) for edge in edges), start=pl.lit(0))
        measures = {leaf.measure: _measured(leaf, pl.col).alias(leaf.measure) for leaf in mine}
        packed = frame.with_columns((pl.col("customer") * (len(edges) + 1) + number).alias("_key"))
        first = packed.group_by("_key").agg(*measures.values(), *purchases)
        split = first.with_columns(
            (pl.col("_key") // (len(edges) + 1)).alias("customer"), (pl.col("_key") % (len(edges) + 1)).alias("_window")
        )
        total = [pl.col("_purchases").sum()] if purchases else []
        return split.group_by("customer").agg(*(_over_windows(leaf, edges) for leaf in mine), *total)


def cutoff_before(cutoff: int, days: float) -> int:
    """The instant so many days before the cutoff."""
    return cutoff - round(days * MICROSECONDS_PER_DAY)


def _filled(value: pl.Expr, feature: Feature) -> pl.Expr:
    return (value if isnan(feature.when_empty) else value.fill_null(feature.when_empty)).alias(feature.name)


def _gap() -> list[pl.Expr]:
    """Days since the customer's purchase before; missing for the first."""
    same = pl.col("customer") == pl.col("customer").shift(1)
    return [pl.when(same).then(DAY - DAY.shift(1)).alias("gap")]


def _measured(leaf: Leaf, column: Any) -> pl.Expr:
    """The leaf over all rows of the group; ``column`` gives a column, or its part inside a window."""
    match leaf.kind:
        case "count":
            return column("customer").count()
        case "sum" | "max" | "last":
            return getattr(column(leaf.column), leaf.kind)()
        case "squares":
            return (column(leaf.column) * column(leaf.column)).sum()
        case "first_time":
            return column("event_time").min()
        case "last_time":
            return column("event_time").max()
        case "first_day":
            return column("event_time").min() // MICROSECONDS_PER_DAY
        case "last_day":
            return column("event_time").max() // MICROSECONDS_PER_DAY
        case "days":
            return (column("gap").is_null() | (column("gap") > 0)).sum()
        case "gap_squares":
            return (column("gap") * column("gap")).sum()
        case "last_gap":
            return pl.when(column("gap") > 0).then(DAY * GAP_BASE + column("gap")).max()
    raise ValueError(f"Wanted a known kind of leaf, found {leaf.kind!r}.")


def _masked(leaf: Leaf, cutoff: int) -> pl.Expr:
    inside = pl.lit(value=True)
    if not isinf(leaf.far):
        inside &= cutoff_before(cutoff, leaf.far) <= TIME
    if leaf.near:
        inside &= cutoff_before(cutoff, leaf.near) > TIME
    whole = isinf(leaf.far) and not leaf.near
    return _measured(leaf, lambda name: pl.col(name) if whole else pl.when(inside).then(pl.col(name))).alias(leaf.name)


def _over_windows(leaf: Leaf, edges: Sequence[float]) -> pl.Expr:
    """The leaf from the measures of a customer's windows, numbered from the latest."""
    value, number = pl.col(leaf.measure), pl.col("_window")
    if leaf.combined == "last":
        if leaf.near or not isinf(leaf.far):
            raise ValueError("A last value within a window has no form here yet.")
        return value.get(number.arg_min()).alias(leaf.name)
    inside = pl.lit(value=True)
    if not isinf(leaf.far):
        inside &= number <= edges.index(leaf.far)
    if leaf.near:
        inside &= number > edges.index(leaf.near)
    whole = isinf(leaf.far) and not leaf.near
    return getattr(value if whole else pl.when(inside).then(value), leaf.combined)().alias(leaf.name)


class _Expressions:
    """The language of the plan in Polars; leaves of all rows stand in the joined table twice."""

    def __init__(self, *, split: bool) -> None:
        self._split = split

    def leaf(self, leaf: Leaf) -> pl.Expr:
        value = pl.col(leaf.name)
        if leaf.rows == "all" and self._split:
            other = pl.col(f"{leaf.name}_refunded")
            if leaf.combined not in {"sum", "max"}:
                raise ValueError(f"The {leaf.kind} of purchases and refunds together has no form here yet.")
            value = value + other.fill_null(0) if leaf.combined == "sum" else pl.max_horizontal(value, other)
        if leaf.kind == "last_gap":
            value = value % GAP_BASE
        value = value.cast(pl.Float64)
        return value.fill_null(0.0) if leaf.kind in ADDED else value

    def divided(self, above: pl.Expr, below: pl.Expr) -> pl.Expr:
        return pl.when(below != 0).then(above / below)

    def root(self, value: pl.Expr) -> pl.Expr:
        return value.clip(lower_bound=0.0).sqrt()
