"""One chunk of customers' events of one kind, as flat arrays, and what each snapshot may see of them.

A :class:`Stream` comes in sorted by customer and time. A :class:`View` goes out: for every snapshot (a customer at a
cutoff) the half-open range of rows that lie before the cutoff, on both clocks. Everything that is later computed,
features and labels alike, is a function of ranges that a view hands out, so this file alone decides what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

import numpy as np

from holdfast.history.arrays import Indices, Mask, Numbers
from holdfast.history.ranges import late, positions, running_largest, visible
from holdfast.timeline import Days, Instants

T = TypeVar("T")


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
    def known_until(self) -> Instants:
        """For each row, when it and all earlier rows of its customer were known."""
        return running_largest(self.known, self.starts)


class Chosen(Mapping[str, Numbers]):
    """Some rows of some columns, each picked when it is first asked for: most columns of most parts never are."""

    def __init__(self, columns: Mapping[str, Numbers], pick: Callable[[Numbers], Numbers]) -> None:
        self._columns, self._pick = columns, pick
        self._picked: dict[str, Numbers] = {}

    def __getitem__(self, name: str) -> Numbers:
        if name not in self._picked:
            self._picked[name] = self._pick(self._columns[name])
        return self._picked[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


@dataclass(frozen=True)
class Where:
    """A condition on one column: ``Where("kind", "==", "visit")``, ``Where("amount", ">=", 0.0)``.

    The tests are ``==``, ``>=``, ``>``, ``<`` and ``<=``; texts compare in their sorted order. A missing value, or a
    text that no event has, satisfies no condition. ``Where(…) & Where(…)`` asks for both.
    """

    column: str
    test: str
    value: float | str

    def __post_init__(self) -> None:
        if self.test not in _TESTS:
            raise ValueError(f"Wanted one of {' '.join(_TESTS)} to test {self.column!r} with, found {self.test!r}.")

    def __and__(self, other: Where) -> Both:
        return Both(self, other)

    @property
    def columns(self) -> frozenset[str]:
        """The columns that the condition reads."""
        return frozenset({self.column})

    def rows(self, view: View) -> Mask:
        """Which rows of the view's stream satisfy it."""
        wanted: float
        if isinstance(self.value, str):
            levels = view.levels.get(self.column, ())
            wanted = levels.index(self.value) if self.value in levels else np.nan
        else:
            wanted = self.value
        return _TESTS[self.test](view.columns[self.column], wanted)


@dataclass(frozen=True)
class Both:
    """Two conditions at once."""

    one: Where
    other: Where

    @property
    def columns(self) -> frozenset[str]:
        """The columns that the conditions read."""
        return self.one.columns | self.other.columns

    def rows(self, view: View) -> Mask:
        """Which rows of the view's stream satisfy both."""
        return self.one.rows(view) & self.other.rows(view)


Condition = Where | Both

_TESTS: dict[str, Callable[[Numbers, float], Mask]] = {
    "==": np.equal,
    ">=": np.greater_equal,
    ">": np.greater,
    "<": np.less,
    "<=": np.less_equal,
}


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


@dataclass(frozen=True)
class View:
    """The rows of a stream that each of n snapshots may look at.

    Rows ``first[i]:last[i]`` of ``times`` and ``columns`` are what snapshot i may see, in order of time. Where they
    end at the cutoff, as all that was known does, the last of them is the end of every window that ends there.
    """

    times: Instants
    columns: Mapping[str, Numbers]
    levels: Mapping[str, tuple[str, ...]]
    first: Indices
    last: Indices
    cutoffs: Instants
    ends_at_cutoff: bool = True
    _ranges: dict[Days, Indices] = field(default_factory=dict, repr=False, compare=False)
    _parts: dict[Condition, View] = field(default_factory=dict, repr=False, compare=False)
    _prepared: dict[tuple[object, str], object] = field(default_factory=dict, repr=False, compare=False)

    def only(self, where: Condition | None) -> View:
        """The same snapshots, looking at the rows that satisfy the condition."""
        if where is None:
            return self
        if where not in self._parts:
            keep = where.rows(self)
            if keep.all():
                self._parts[where] = self
            else:
                place = np.concatenate(([0], np.cumsum(keep)))
                columns = Chosen(self.columns, lambda values: values[keep])
                first, last = place[self.first], place[self.last]
                self._parts[where] = View(
                    self.times[keep], columns, self.levels, first, last, self.cutoffs, self.ends_at_cutoff
                )
        return self._parts[where]

    def within(self, window: Window) -> tuple[Indices, Indices]:
        """For each snapshot the range of visible rows inside the window."""
        return self._edge(window.begin), self._edge(window.end)

    def _edge(self, edge: Days) -> Indices:
        if self.ends_at_cutoff and edge.count >= 0:
            return self.last
        if edge not in self._ranges:
            self._ranges[edge] = positions(self.times, self.first, self.last, self.cutoffs, edge.microseconds)
        return self._ranges[edge]

    def among(self, snapshots: Indices) -> View:
        """Some of the snapshots, looking at the same rows; what is prepared of the rows is shared."""
        first, last, cutoffs = self.first[snapshots], self.last[snapshots], self.cutoffs[snapshots]
        parts = {where: part.among(snapshots) for where, part in self._parts.items() if part is not self}
        return View(self.times, self.columns, self.levels, first, last, cutoffs, _parts=parts, _prepared=self._prepared)

    def of_times(self, prepare: Callable[[Instants], T]) -> T:
        """What ``prepare`` makes of the times; computed once."""
        return self._once(prepare, "", self.times)

    def of_column(self, prepare: Callable[[Numbers], T], column: str) -> T:
        """What ``prepare`` makes of a column; computed once."""
        return self._once(prepare, column, self.columns[column])

    def _once(self, prepare: Callable[..., T], column: str, values: object) -> T:
        if (prepare, column) not in self._prepared:
            self._prepared[prepare, column] = prepare(values)
        return self._prepared[prepare, column]  # type: ignore[return-value] # it is what prepare made


def past(stream: Stream, customers: Indices, cutoffs: Instants) -> View:
    """What was known: rows that happened before the cutoff and had been learnt of before it.

    Rows known on time need no copy. Where a row had happened but was not yet known, the snapshot gets a copy of that
    customer's rows without it, appended behind the others; late rows cost in proportion to how many there are.
    """
    first = stream.starts[customers]
    last = positions(stream.times, first, stream.starts[customers + 1], cutoffs, 0)
    behind = np.flatnonzero(late(stream.known_until, first, last, cutoffs))
    if behind.size == 0:
        return View(stream.times, stream.columns, stream.levels, first, last, cutoffs)
    rows, begins = visible(stream.known, first[behind], last[behind], cutoffs[behind])
    first[behind], last[behind] = stream.times.size + begins[:-1], stream.times.size + begins[1:]
    columns = Chosen(stream.columns, lambda values: np.concatenate((values, values[rows])))
    return View(np.concatenate((stream.times, stream.times[rows])), columns, stream.levels, first, last, cutoffs)


def whole(stream: Stream, customers: Indices, cutoffs: Instants) -> View:
    """Past and future alike, for labels: they state what happened, whenever it became known."""
    first, last = stream.starts[customers], stream.starts[customers + 1]
    return View(stream.times, stream.columns, stream.levels, first, last, cutoffs, ends_at_cutoff=False)


def empty(cutoffs: Instants) -> View:
    """A view on nothing, for what depends on the cutoff alone."""
    nothing = np.zeros(cutoffs.shape, dtype=np.int64)
    return View(np.empty(0, dtype=np.int64), {}, {}, nothing, nothing, cutoffs)
