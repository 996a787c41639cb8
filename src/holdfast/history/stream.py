"""One chunk of customers' events of one kind, as flat arrays, and what each snapshot may see of them.

A :class:`Stream` comes in sorted by customer and time. A :class:`View` goes out: for every snapshot (a customer at a
cutoff) the half-open range of rows that lie before the cutoff, on both clocks. Everything that is later computed,
features and labels alike, is a function of ranges that a view hands out, so this file alone decides what is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from holdfast.history.arrays import Indices, Mask, Numbers
from holdfast.history.kernel import positions, running_largest
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

    Rows ``first[i]:last[i]`` of ``times`` and ``columns`` are what snapshot i may see, in order of time.
    """

    times: Instants
    columns: Mapping[str, Numbers]
    levels: Mapping[str, tuple[str, ...]]
    first: Indices
    last: Indices
    cutoffs: Instants
    _ranges: dict[Window, tuple[Indices, Indices]] = field(default_factory=dict, repr=False, compare=False)
    _parts: dict[Condition, View] = field(default_factory=dict, repr=False, compare=False)

    def only(self, where: Condition | None) -> View:
        """The same snapshots, looking at the rows that satisfy the condition."""
        if where is None:
            return self
        if where not in self._parts:
            keep = where.rows(self)
            place = np.concatenate(([0], np.cumsum(keep)))
            self._parts[where] = replace(
                self,
                times=self.times[keep],
                columns={name: values[keep] for name, values in self.columns.items()},
                first=place[self.first],
                last=place[self.last],
                _ranges={},
                _parts={},
            )
        return self._parts[where]

    def within(self, window: Window) -> tuple[Indices, Indices]:
        """For each snapshot the range of visible rows inside the window."""
        if window not in self._ranges:
            begin, end = (
                positions(self.times, self.first, self.last, self.cutoffs + edge.microseconds)
                for edge in (window.begin, window.end)
            )
            self._ranges[window] = begin, end
        return self._ranges[window]


def past(stream: Stream, customers: Indices, cutoffs: Instants) -> View:
    """What was known: rows that happened before the cutoff and had been learnt of before it.

    Rows known on time need no copy. Where a row had happened but was not yet known, the snapshot gets a copy of that
    customer's rows without it, appended behind the others; late rows cost in proportion to how many there are.
    """
    first, stop = stream.starts[customers], stream.starts[customers + 1]
    last = positions(stream.times, first, stop, cutoffs)
    known_until = running_largest(stream.known, stream.starts)
    late = np.flatnonzero(last > first)
    late = late[known_until[last[late] - 1] >= cutoffs[late]]
    if late.size == 0:
        return View(stream.times, stream.columns, stream.levels, first, last, cutoffs)

    kept = [first[i] + np.flatnonzero(stream.known[first[i] : last[i]] < cutoffs[i]) for i in late]
    copied = np.concatenate(kept)
    ends = stream.times.size + np.cumsum([len(rows) for rows in kept])
    first, last = first.copy(), last.copy()
    first[late], last[late] = np.concatenate(([stream.times.size], ends[:-1])), ends
    columns = {name: np.concatenate((values, values[copied])) for name, values in stream.columns.items()}
    times = np.concatenate((stream.times, stream.times[copied]))
    return View(times, columns, stream.levels, first, last, cutoffs)


def whole(stream: Stream, customers: Indices, cutoffs: Instants) -> View:
    """Past and future alike, for labels: they state what happened, whenever it became known."""
    return View(
        stream.times, stream.columns, stream.levels, stream.starts[customers], stream.starts[customers + 1], cutoffs
    )


def empty(cutoffs: Instants) -> View:
    """A view on nothing, for what depends on the cutoff alone."""
    nothing = np.zeros(cutoffs.shape, dtype=np.int64)
    return View(np.empty(0, dtype=np.int64), {}, {}, nothing, nothing, cutoffs)
