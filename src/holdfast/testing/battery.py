"""The battery that every feature and aggregate passes, the package's own and yours.

Over drawn events (ties in time, events at the cutoff and at the edges of windows, one event, none, both clocks, the
years 1970 and 2100, amounts of a million million) a feature must

- equal its twin by hand, a few lines of plain Python, where one is given;
- not change when events are added that happen, or become known, at the cutoff or later;
- not depend on the order of rows, on other customers, on other cutoffs or on the size of a chunk;
- give its declared empty value where there is no event;
- be a finite float64 or NaN, or a text of its column, and the same again when asked again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from holdfast.features.build import build, needed
from holdfast.features.feature import Feature
from holdfast.features.own import found_in
from holdfast.history.aggregates import Aggregate, First, Last
from holdfast.history.chunk import Chunk
from holdfast.history.chunk_parts import chunk_parts
from holdfast.history.conditions import Where
from holdfast.testing.events import CATEGORIES, CUSTOMERS, Event, in_order, stream_of, tables_of, visible
from holdfast.timeline import BEGINNING, LIFETIME, MICROSECONDS_PER_DAY, Days, moment, show

if TYPE_CHECKING:
    from holdfast.testing.strategies import History

Answer = float | str | None
ByHand = Callable[[list[Event], int], Answer]
ByHandOf = Callable[[Feature, list[Event], int], Answer]

_LEVELS = ("a", "b")  # of a text column of which nothing else is known
_DEFAULT_TOLERANCE = 1e-9


def check_feature(
    feature: Feature,
    by_hand: ByHand | None = None,
    *,
    columns: Mapping[str, Sequence[str | float]] | None = None,
    examples: int = 200,
    seed: int = 0,
    relative: float = _DEFAULT_TOLERANCE,
) -> None:
    """Refuse a feature that fails the battery.

    Parameters
    ----------
    by_hand : function of (events, cutoff), optional
        What the feature means, in plain Python. ``events`` are dicts with ``time`` and ``known`` (microseconds since
        1970 in UTC) and the columns of the source, None where one is missing: all that was known of one customer before
        the cutoff, in order of time; :func:`holdfast.testing.within` keeps those of a window. It answers a number, a
        text for a category, or None where there is nothing to answer from.
    columns : mapping of column to values, optional
        Values that should occur among others; for columns of your own, or texts that matter.
    examples : int
        How many histories to draw.
    seed : int
        The same seed draws the same histories.
    relative : float
        How far feature and twin may differ, relative to the numbers that go into them; 0 asks for equal bits.

    Raises
    ------
    AssertionError
        Shows the smallest history found that the feature fails on.
    ConfigError
        Hypothesis is not installed.

    Examples
    --------
    >>> def visits(events, cutoff):
    ...     return float(len([e for e in within(events, cutoff, 90) if e["kind"] == "visit"]))
    >>> check_feature(visits_90d, visits)     # doctest: +SKIP
    """
    twin: ByHandOf | None = None if by_hand is None else lambda _, events, cutoff: by_hand(events, cutoff)
    check_features([feature], twin, columns=columns, examples=examples, seed=seed, relative=relative)


def check_aggregate(
    aggregate: Aggregate,
    source: str,
    by_hand: ByHand | None = None,
    *,
    window: Days = LIFETIME,
    columns: Mapping[str, Sequence[str | float]] | None = None,
    examples: int = 200,
    seed: int = 0,
    relative: float = _DEFAULT_TOLERANCE,
) -> None:
    """Refuse an aggregate that fails the battery, over one source and window; see :func:`check_feature`."""
    feature = Feature("aggregate", source, aggregate, "score", "answers {value}", "own", window)
    check_feature(feature, by_hand, columns=columns, examples=examples, seed=seed, relative=relative)


def check_features(
    features: Sequence[Feature],
    by_hand: ByHandOf | None = None,
    *,
    columns: Mapping[str, Sequence[str | float]] | None = None,
    examples: int = 200,
    seed: int = 0,
    relative: float = _DEFAULT_TOLERANCE,
) -> None:
    """Refuse features of one source that fail the battery: as :func:`check_feature`, on one draw for all of them.

    ``by_hand`` takes the feature, the events and the cutoff.
    """
    from holdfast.testing.strategies import histories, run

    trial = _Trial(features, by_hand, columns or {}, relative)
    trial.empty()
    lengths = {days.count for days in found_in(list(features), (Days,)) if days != LIFETIME}
    edges = sorted({0.0, 1.0, *lengths, *(2 * length for length in lengths)})  # some look at the window before as well
    drawn = histories(trial.source, trial.texts, trial.numbers, edges)
    run(drawn, trial.history, examples=examples, seed=seed)
    if trial.source is not None:
        run(drawn, trial.database, examples=max(examples // 20, 5), seed=seed + 1)


class _Trial:
    """The features of one source, and what they are held against."""

    def __init__(
        self,
        features: Sequence[Feature],
        by_hand: ByHandOf | None,
        columns: Mapping[str, Sequence[str | float]],
        relative: float,
    ) -> None:
        sources = {feature.source for feature in features}
        if len(sources) != 1:
            raise ValueError(f"Wanted features of one source, found {len(sources)} sources. Check them one by one.")
        (self.source,) = sources
        self.features, self.by_hand, self.relative = features, by_hand, relative
        self.texts, self.numbers = _columns(self.source, features, columns)

    def _built(
        self, listed: Sequence[Event], customers: Iterable[int], cutoffs: Iterable[int], *, of: int = CUSTOMERS
    ) -> pd.DataFrame:
        streams = {}
        if self.source is not None:
            streams[self.source] = stream_of(listed, [*self.texts, *self.numbers], self.texts, customers=of)
        at = np.fromiter(cutoffs, dtype=np.int64)
        return pd.DataFrame(build(self.features, streams, np.fromiter(customers, dtype=np.int64), at))

    def empty(self) -> None:
        """Without events a feature has its declared empty value; an aggregate may also count or add up to 0."""
        if self.source is None:
            return
        at = 0
        found = self._built([], [0], [at], of=1)
        for feature in self.features:
            value = found[feature.name].iloc[0]
            if self.by_hand is not None:
                wanted = self._wanted(feature, [], at)
                fits = _equal(value, wanted, 0.0)
            else:
                wanted = None if feature.is_category else feature.when_empty
                fits = _equal(value, wanted, 0.0) or value == 0
            if not fits:
                raise AssertionError(
                    f"{feature.name} gives {_shown(value)} for a customer without events; wanted {_shown(wanted)}, its "
                    "declared empty value."
                )

    def _wanted(self, feature: Feature, events: list[Event], cutoff: int) -> Answer:
        assert self.by_hand is not None  # noqa: S101 - for the type checker; callers asked
        answer = self.by_hand(feature, events, cutoff)
        missing = answer is None or (isinstance(answer, float) and math.isnan(answer))
        return answer if not missing else None if feature.is_category else feature.when_empty

    def history(self, drawn: History) -> None:
        """Everything that can be seen on one history."""
        customers = np.tile(np.arange(CUSTOMERS), len(drawn.cutoffs)).tolist()
        cutoffs = np.repeat(drawn.cutoffs, CUSTOMERS).tolist()
        found = self._built(drawn.events, customers, cutoffs)
        self._sound(found, drawn)
        self._same(found, self._built(drawn.events, customers, cutoffs), drawn, "when asked again")
        if self.by_hand is not None:
            self._like_by_hand(found, customers, cutoffs, drawn)

        i = drawn.alone % len(customers)
        customer, cutoff = customers[i], cutoffs[i]
        own = [{**event, "customer": 0} for event in drawn.events if event["customer"] == customer]
        one = found.iloc[[i]].reset_index(drop=True)
        self._same(one, self._built(own, [0], [cutoff], of=1), drawn, "without the other customers and cutoffs")
        known = visible(own, 0, cutoff)
        self._same(one, self._built(known, [0], [cutoff], of=1), drawn, "without what was not known yet")
        later = [{**e, "customer": 0, "known": max(e["known"], e["time"], cutoff)} for e in drawn.others]
        more = self._built(own + later, [0], [cutoff], of=1)
        self._same(one, more, replace(drawn, events=own + later), "when more happens or becomes known later")

    def database(self, drawn: History) -> None:
        """Out of the database the values are the same, whatever the order of rows and the size of a chunk."""
        customers = np.repeat(np.arange(CUSTOMERS), len(drawn.cutoffs)).tolist()
        found = self._built(drawn.events, customers, drawn.cutoffs * CUSTOMERS)
        order = np.random.default_rng(drawn.shuffle).permutation(len(drawn.events))
        shuffled = [drawn.events[place] for place in order]
        for listed, events_per_chunk in ((drawn.events, 1_000), (shuffled, 1_000), (shuffled, 1)):
            again = self._from_database(listed, drawn.cutoffs, events_per_chunk)
            self._same(found, again, drawn, "from the database, in another order of rows or in other chunks")

    def _from_database(self, listed: Sequence[Event], cutoffs: Sequence[int], events_per_chunk: int) -> pd.DataFrame:
        kinds = {**dict.fromkeys(self.texts, True), **dict.fromkeys(self.numbers, False)}
        columns = {feature.name: "str" if feature.is_category else "float64" for feature in self.features}

        def work(chunk: Chunk) -> pd.DataFrame:
            customers = np.repeat(np.arange(chunk.customers), len(cutoffs))
            at = np.tile(np.array(cutoffs, dtype=np.int64), chunk.customers)
            return pd.DataFrame(build(self.features, chunk.streams, customers, at))

        with tables_of(str(self.source), listed, kinds) as tables:
            parts = chunk_parts(tables, needed(self.features), work, columns, events_per_chunk=events_per_chunk)
            return pd.concat(list(parts.frames(None)), ignore_index=True)

    def _sound(self, found: pd.DataFrame, drawn: History) -> None:
        """Types and bounds that every model can read."""
        for feature in self.features:
            column = found[feature.name]
            if feature.is_category:
                wrong = [text for text in column.dropna() if not isinstance(text, str)]
            else:
                wrong = [value for value in column if math.isinf(value)] if column.dtype == np.float64 else list(column)
            if wrong:
                wanted = "a text" if feature.is_category else "a finite float64 or NaN"
                raise AssertionError(f"{feature.name} gives {wrong[0]!r}; wanted {wanted}.{_told(drawn.events)}")

    def _same(self, found: pd.DataFrame, again: pd.DataFrame, drawn: History, when: str) -> None:
        """To the bit."""
        for feature in self.features:
            for one, other in zip(found[feature.name], again[feature.name], strict=True):
                if not _equal(one, None if pd.isna(other) else other, 0.0):
                    raise AssertionError(
                        f"{feature.name} gives {_shown(one)}, but {_shown(other)} {when}; wanted the same, at "
                        f"{' and '.join(map(_moment, drawn.cutoffs))}.{_told(drawn.events)}"
                    )

    def _like_by_hand(
        self, found: pd.DataFrame, customers: Sequence[int], cutoffs: Sequence[int], drawn: History
    ) -> None:
        ordered = in_order(drawn.events)
        for i, (customer, cutoff) in enumerate(zip(customers, cutoffs, strict=True)):
            events = visible(ordered, customer, cutoff)
            slack = self.relative * 1e-6 * sum(abs(v) for e in events for v in e.values() if isinstance(v, float))
            for feature in self.features:
                value, wanted = found[feature.name].iloc[i], self._wanted(feature, list(events), cutoff)
                if not _equal(value, wanted, self.relative, slack):
                    told = _told([e for e in ordered if e["customer"] == customer])
                    raise AssertionError(
                        f"{feature.name} gives {_shown(value)}, by hand it is {_shown(wanted)}, for customer "
                        f"{customer} as of {_moment(cutoff)}.{told}"
                    )


def _columns(
    source: str | None, features: Sequence[Feature], given: Mapping[str, Sequence[str | float]]
) -> tuple[dict[str, tuple[str, ...]], dict[str, list[float]]]:
    """The columns of the source that hold texts, with their sorted texts, and those that hold numbers, with some."""
    from holdfast.testing.strategies import DRAWN

    texts = {name: set(levels) for name, levels in CATEGORIES.get(source or "", {}).items()}
    numbers: dict[str, list[float]] = {name: [] for name in DRAWN.get(source or "", {}) if name not in texts}
    wanted: list[tuple[str, str | float]] = [(name, value) for name, values in given.items() for value in values]
    wanted += [(where.column, where.value) for where in found_in(list(features), (Where,))]
    for feature in features:
        if feature.is_category and isinstance(feature.aggregate, First | Last):
            wanted += [(feature.aggregate.column, level) for level in _LEVELS if feature.aggregate.column not in texts]
    for column, value in wanted:
        if isinstance(value, str):
            texts.setdefault(column, set()).add(value)
            numbers.pop(column, None)
        elif column not in texts:
            numbers.setdefault(column, []).append(float(value))
    for feature in features:
        for column in feature.aggregate.columns() - texts.keys():
            numbers.setdefault(column, [])
    return {name: tuple(sorted(levels)) for name, levels in sorted(texts.items())}, dict(sorted(numbers.items()))


def _equal(found: Any, wanted: Answer, relative: float, slack: float = 0.0) -> bool:
    """Missing equals missing; numbers to the bit unless a difference is allowed."""
    if wanted is None or pd.isna(wanted) or pd.isna(found):
        return (wanted is None or bool(pd.isna(wanted))) and bool(pd.isna(found))
    if isinstance(wanted, str) or isinstance(found, str) or found == wanted:
        return bool(found == wanted)
    return bool(abs(found - wanted) <= relative * max(abs(found), abs(wanted)) + slack)


def _shown(value: Any) -> str:
    return "nothing" if value is None or pd.isna(value) else repr(value.item() if hasattr(value, "item") else value)


def _told(events: Sequence[Event]) -> str:
    """The events as people read them, one per line."""
    if not events:
        return " There are no events."
    lines = []
    for event in in_order(events):
        cells = ", ".join(f"{name}={event[name]!r}" for name in event if name not in {"customer", "time", "known"})
        known = "" if event["known"] == event["time"] else f", known {_moment(event['known'])}"
        lines.append(f"  customer {event['customer']}, {_moment(event['time'])}{known}: {cells}")
    return " The events:\n" + "\n".join(lines)


def _moment(at: int) -> str:
    if at == BEGINNING:
        return "before everything"
    return show(at) if at % MICROSECONDS_PER_DAY == 0 else moment(at).isoformat()
