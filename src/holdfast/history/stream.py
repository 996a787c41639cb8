"""One chunk of customers' events of one kind, as flat arrays, and what each snapshot may see of them.

A :class:`Stream` comes in sorted by customer and time. A :class:`View` goes out: for every snapshot (a customer at a
cutoff) the half-open range of rows that lie before the cutoff, on both clocks. Everything that is later computed,
features and labels alike, is a function of ranges that a view hands out, so this file alone decides what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from holdfast.history.arrays import Indices, Numbers
from holdfast.history.conditions import Condition
from holdfast.history.ranges import late, positions, running_largest, visible
from holdfast.history.rows import Chosen, Rows
from holdfast.timeline import Days, Instants


@dataclass(frozen=True)
class Stream:
    """Events of consecutive customers, sorted by customer, time, known time and then every column.

    Attributes
    ----------
    starts : array of shape (n_customers + 1,)
        Rows ``starts[k]:starts[k + 1]`` belong to the k-th customer of the chunk.
    times, known : arrays of shape (n_events,)
        When it happened, and when our systems learnt of it; never earlier than it happened.
    columns : mapping of name to array of shape (n_events,)
        Numbers as they are, categories as the index of their level; NaN where there is none.
    levels : mapping of name to the sorted texts of a category column
    """

    starts: Indices
    times: Instants
    known: Instants
    columns: Mapping[str, Numbers]
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def rows(self) -> Rows:
        """All events, past and future."""
        return Rows(self.times, self.columns, self.levels)

    @cached_property
    def known_until(self) -> Instants:
        """For each row, when it and all earlier rows of its customer were known."""
        return running_largest(self.known, self.starts)


@dataclass(frozen=True)
class Window:
    """A half-open stretch of time relative to the cutoff, ``[cutoff + begin, cutoff + end)``; the past is negative."""

    begin: Days
    end: Days

    @classmethod
    def before(cls, days: Days, ago: Days = Days(0)) -> Window:  # noqa: B008 - Days is frozen
        """The ``days`` that end ``ago`` days before the cutoff."""
        return cls(Days(-days.count - ago.count), Days(-ago.count))

    @property
    def length(self) -> Days:
        """How long the stretch is."""
        return Days(self.end.count - self.begin.count)


class Edges:
    """Where windows begin and end among the rows of each snapshot; each edge is looked for once.

    Parameters
    ----------
    find : callable
        From an edge, relative to the cutoff, to the first row at or after it, for each snapshot.
    """

    def __init__(self, find: Callable[[Days], Indices]) -> None:
        self._find = find
        self._found: dict[Days, Indices] = {}

    def __call__(self, edge: Days) -> Indices:
        """The first row at or after the edge, for each snapshot."""
        if edge not in self._found:
            self._found[edge] = self._find(edge)
        return self._found[edge]


@dataclass(frozen=True)
class View:
    """The rows that each of n snapshots may look at: ``first[i]:last[i]`` for snapshot i, in order of time."""

    rows: Rows
    first: Indices
    last: Indices
    cutoffs: Instants
    edges: Edges
    _parts: dict[Condition, View] = field(default_factory=dict, repr=False, compare=False)
    _answers: dict[tuple[Hashable, Window], Numbers] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, rows: Rows, first: Indices, last: Indices, cutoffs: Instants, *, until_cutoff: bool) -> View:
        """Look for edges in the rows; where these end at the cutoff, so does every window that ends there."""

        def find(edge: Days) -> Indices:
            if until_cutoff and edge.count >= 0:
                return last
            return positions(rows.times, first, last, cutoffs, edge.microseconds)

        return cls(rows, first, last, cutoffs, Edges(find))

    @property
    def times(self) -> Instants:
        """When each row happened."""
        return self.rows.times

    @property
    def columns(self) -> Mapping[str, Numbers]:
        """The rows' columns."""
        return self.rows.columns

    @property
    def levels(self) -> Mapping[str, tuple[str, ...]]:
        """The texts of the category columns."""
        return self.rows.levels

    def only(self, where: Condition | None) -> View:
        """The same snapshots, looking at the rows that satisfy the condition."""
        if where is None:
            return self
        if where not in self._parts:
            (rows, place), edges = self.rows.only(where), self.edges  # no way back to this view, which holds the part
            self._parts[where] = View(
                rows, place[self.first], place[self.last], self.cutoffs, Edges(lambda edge: place[edges(edge)])
            )
        return self._parts[where]

    def within(self, window: Window) -> tuple[Indices, Indices]:
        """For each snapshot the range of visible rows inside the window."""
        return self.edges(window.begin), self.edges(window.end)

    def answer(self, who: Hashable, loop: Callable[[View, Indices, Indices], Numbers], window: Window) -> Numbers:
        """What the loop says of the rows in the window; computed once, and shared by all who ask in the same name."""
        if (who, window) not in self._answers:
            self._answers[who, window] = loop(self, *self.within(window))
        return self._answers[who, window]

    def among(self, snapshots: Indices) -> View:
        """Some of the snapshots of a view on the past, looking at the same rows."""
        first, last, cutoffs = self.first[snapshots], self.last[snapshots], self.cutoffs[snapshots]
        return View.of(self.rows, first, last, cutoffs, until_cutoff=True)


def past(stream: Stream, customers: Indices, cutoffs: Instants) -> View:
    """What was known: rows that happened before the cutoff and had been learnt of before it.

    Rows known on time need no copy. Where a row had happened but was not yet known, the snapshot gets a copy of that
    customer's rows without it, appended behind the others; late rows cost in proportion to how many there are.
    """
    first = stream.starts[customers]
    last = positions(stream.times, first, stream.starts[customers + 1], cutoffs, 0)
    behind = np.flatnonzero(late(stream.known_until, first, last, cutoffs))
    if behind.size == 0:
        return View.of(stream.rows, first, last, cutoffs, until_cutoff=True)
    rows, begins = visible(stream.known, first[behind], last[behind], cutoffs[behind])
    first[behind], last[behind] = stream.times.size + begins[:-1], stream.times.size + begins[1:]
    columns = Chosen(stream.columns, lambda values: np.concatenate((values, values[rows])))
    times = np.concatenate((stream.times, stream.times[rows]))
    return View.of(Rows(times, columns, stream.levels), first, last, cutoffs, until_cutoff=True)


def whole(stream: Stream, customers: Indices, cutoffs: Instants) -> View:
    """Past and future alike, for labels: they state what happened, whenever it became known."""
    first, last = stream.starts[customers], stream.starts[customers + 1]
    return View.of(stream.rows, first, last, cutoffs, until_cutoff=False)


def empty(cutoffs: Instants) -> View:
    """A view on nothing, for what depends on the cutoff alone."""
    nothing = np.zeros(cutoffs.shape, dtype=np.int64)
    return View.of(Rows(np.empty(0, dtype=np.int64), {}, {}), nothing, nothing, cutoffs, until_cutoff=True)
