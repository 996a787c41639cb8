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
from holdfast.history.kernel import positions
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

    A missing value satisfies no condition. ``Where(…) & Where(…)`` asks for both.
    """

    column: str
    test: str
    value: float | str

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
            wanted = levels.index(self.value) if self.value in levels else -1
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
    late = np.flatnonzero(stream.known > stream.times)
    if late.size == 0:
        return View(stream.times, stream.columns, stream.levels, first, last, cutoffs)

    owner = np.searchsorted(stream.starts, late, side="right") - 1
    late_until = np.full(stream.starts.size - 1, np.iinfo(np.int64).min)
    np.maximum.at(late_until, owner, stream.known[late])
    suspects = np.flatnonzero((late_until[customers] >= cutoffs) & (last > first))
    rows = [np.arange(first[i], last[i]) for i in suspects]
    kept = [seen[stream.known[seen] < cutoffs[i]] for i, seen in zip(suspects, rows, strict=True)]
    changed = [k for k, (seen, known) in enumerate(zip(rows, kept, strict=True)) if len(known) < len(seen)]
    if not changed:
        return View(stream.times, stream.columns, stream.levels, first, last, cutoffs)
    copied = np.concatenate([kept[k] for k in changed])
    ends = stream.times.size + np.cumsum([len(kept[k]) for k in changed])
    first, last = first.copy(), last.copy()
    first[suspects[changed]] = np.concatenate(([stream.times.size], ends[:-1]))
    last[suspects[changed]] = ends
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
