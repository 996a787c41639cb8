"""Events for properties: awkward instants and awkward numbers, drawn by Hypothesis.

This is the only file that imports Hypothesis. ``DRAWN`` lists the streams of a business with the columns they may have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from holdfast.errors import ConfigError
from holdfast.testing.events import CATEGORIES, CUSTOMERS, Business, Event
from holdfast.timeline import BEGINNING, MICROSECONDS_PER_DAY, instant

try:
    import hypothesis
    from hypothesis import strategies as st
except ImportError:
    raise ConfigError(
        "holdfast.testing draws its examples with Hypothesis, which is not installed. "
        "Install it with: pip install 'holdfast[testing]'"
    ) from None

DAY = MICROSECONDS_PER_DAY

ERAS = tuple(
    tuple(map(instant, moments))
    for moments in (
        ("1970-01-01", "1970-03-01"),
        ("2024-02-29", "2024-03-01"),
        ("2024-03-31T00:00:00+01:00", "2024-03-31T01:00:00+00:00", "2024-04-01T00:00:00+02:00"),
        ("2024-10-26T23:00:00+00:00", "2024-10-27T01:00:00+00:00"),
        ("2100-01-01",),
    )
)
"""Cutoffs that lie near each other: at the beginning of the clock, around a leap day, around the hours that European
clocks skip and repeat, and far in the future."""

EDGES = (0, 1, 30, 60, 90, 180, 365)
"""Days at which the windows of the catalogue begin or end."""


def offsets(edges: Sequence[float] = EDGES) -> st.SearchStrategy[int]:
    """Microseconds from a cutoff: at it, at the edges of windows, one before or after, or anywhere in two years."""
    days = st.sampled_from([0, *edges, *(-edge for edge in edges)])
    near = st.builds(lambda day, step: round(day * DAY) + step, days, st.sampled_from([-1, 0, 0, 1]))
    return near | st.integers(-800 * DAY, 200 * DAY)


def instants(era: tuple[int, ...], edges: Sequence[float] = EDGES) -> st.SearchStrategy[int]:
    """Instants near one of the cutoffs of an era, so that ties and edges are common."""
    return st.builds(int.__add__, st.sampled_from(era), offsets(edges))


def cutoffs(era: tuple[int, ...]) -> st.SearchStrategy[list[int]]:
    """One to three cutoffs of an era, mostly its own, at times any instant."""
    return st.lists(st.sampled_from(era) | instants(era), min_size=1, max_size=3, unique=True)


def delays() -> st.SearchStrategy[int]:
    """How long after it happened an event became known; mostly at once."""
    return st.sampled_from([0, 0, 0, 0, 1, DAY, 40 * DAY, 400 * DAY])


def numbers() -> st.SearchStrategy[float | None]:
    """Amounts from a fraction of a cent to a million million, both signs, often equal, sometimes missing."""
    common = st.sampled_from([None, 0.0, -0.0, 0.1, 0.2, 1.0, 6.0, 9.0, -3.5, 1e12, -1e12])
    return common | st.floats(-1e12, 1e12, allow_nan=False)


def events(
    columns: Mapping[str, st.SearchStrategy[Any]],
    era: tuple[int, ...],
    *,
    at_most: int = 12,
    edges: Sequence[float] = EDGES,
) -> st.SearchStrategy[list[Event]]:
    """A list of events of a few customers, none and one included."""
    return st.lists(
        st.builds(
            lambda customer, time, delay, values: {"customer": customer, "time": time, "known": time + delay, **values},
            st.integers(0, CUSTOMERS - 1),
            instants(era, edges),
            delays(),
            st.fixed_dictionaries(dict(columns)),
        ),
        max_size=at_most,
    )


def _texts(*texts: str) -> st.SearchStrategy[str | None]:
    return st.sampled_from([*texts, None])


DRAWN: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "orders": {
        "amount": numbers(),
        "margin": numbers(),
        "discount": numbers(),
        "items": st.sampled_from([1.0, 2.0, 7.0]),
    },
    "items": {"category": _texts("a", "b", "ü"), "amount": numbers()},
    "engagement": {"kind": st.sampled_from(CATEGORIES["engagement"]["kind"]), "quantity": numbers()},
    "tickets": {
        "moment": st.sampled_from(["opened", "resolved", "reopened", "rated"]),
        "severity": _texts("high", "low"),
        "topic": _texts("delivery", "price"),
        "open_delta": st.sampled_from([-1.0, 0.0, 1.0]),
        "hours_to_resolve": numbers(),
        "satisfaction": numbers(),
    },
    "subscriptions": {
        "moment": st.sampled_from(["started", "renewed", "plan_changed", "price_changed", "payment_failed", "ended"]),
        "plan": _texts("basic", "pro"),
        "mrr": numbers(),
        "mrr_delta": st.sampled_from([-99.5, -10.0, 0.0, 0.1, 10.0, 99.5]),
        "active_delta": st.sampled_from([-1.0, 0.0, 1.0, 1.0]),
        "term_end_day": st.sampled_from([None, 0.0, 19_800.0, 47_500.0]),
    },
    "surveys": {"score": st.sampled_from([None, 0.0, 6.0, 6.5, 7.0, 9.0, 10.0])},
    "contacts": {
        "moment": st.sampled_from(["sent", "responded"]),
        "channel": _texts("email", "phone"),
        "action": _texts("offer", "survey"),
        "offer": st.sampled_from([None, 0.0, 1.0]),
    },
    "customers": {
        "moment": st.sampled_from(["joined", "attribute"]),
        "country": _texts("FR", "UK"),
        "consent": st.sampled_from([None, 0.0, 1.0]),
    },
}
"""Per stream the columns and what they may hold."""


def _from_the_start(listed: list[Event], flags: list[bool]) -> list[Event]:
    """Some attributes were known before everything else."""
    for event, flag in zip(listed, flags, strict=False):
        if flag and event["moment"] == "attribute":
            event["time"] = event["known"] = BEGINNING
    return listed


def businesses(era: tuple[int, ...]) -> st.SearchStrategy[Business]:
    """All streams of one small business; what is known of a customer from the start lies at the beginning of time."""
    drawn = {name: events(columns, era) for name, columns in DRAWN.items()}
    flags = st.lists(st.booleans(), min_size=12, max_size=12)
    return st.fixed_dictionaries({**drawn, "customers": st.builds(_from_the_start, drawn["customers"], flags)})


@dataclass(frozen=True)
class History:
    """One case: events, others that come later, cutoffs, which snapshot to look at alone, and a shuffle."""

    events: list[Event]
    others: list[Event]
    cutoffs: list[int]
    alone: int
    shuffle: int


def histories(
    source: str | None,
    texts: Mapping[str, Sequence[str]],
    numbers_of: Mapping[str, Sequence[float]],
    edges: Sequence[float],
) -> st.SearchStrategy[History]:
    """Histories of a few customers in one stream.

    Parameters
    ----------
    texts : mapping of column to its texts
    numbers_of : mapping of column to numbers that should occur among others
    edges : sequence of float
        Days before a cutoff at which something changes.
    """
    columns: dict[str, st.SearchStrategy[Any]] = {name: _texts(*levels) for name, levels in texts.items()}
    usual = DRAWN.get(source or "", {})
    for name, some in numbers_of.items():
        drawn = usual.get(name, numbers())
        columns[name] = drawn | st.sampled_from([at + step for at in some for step in (-1, 0, 1)]) if some else drawn

    def of(era: tuple[int, ...]) -> st.SearchStrategy[History]:
        listed = events(columns, era, edges=edges) if source is not None else st.just([])
        if source == "customers":
            listed = st.builds(_from_the_start, listed, st.lists(st.booleans(), min_size=12, max_size=12))
        return st.builds(History, listed, listed, cutoffs(era), st.integers(0, 8), st.integers(0, 99))

    return st.one_of(*map(of, ERAS))


def run(strategy: st.SearchStrategy[History], check: Callable[[History], None], *, examples: int, seed: int) -> None:
    """Call the check with drawn histories; the first that it refuses is made as small as possible and refused again."""
    refused: list[History] = []

    def noting(drawn: History) -> None:
        try:
            check(drawn)
        except AssertionError:
            refused[:] = [drawn]
            raise

    chosen = hypothesis.settings(
        max_examples=examples,
        deadline=None,  # a compiled function takes its time when it is called first
        database=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),  # to explain takes longer than to find
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    try:
        hypothesis.seed(seed)(chosen(hypothesis.given(strategy)(noting)))()
    except AssertionError as error:
        check(_fewer(refused[0], check))
        error.__notes__ = []  # Hypothesis repeats the history as code; the message tells it in words
        raise


def _fewer(history: History, check: Callable[[History], None]) -> History:
    """The history without every event that it can do without; Hypothesis gives up before it has tried them all."""
    for name in ("others", "events"):
        for event in list(getattr(history, name)):
            without: dict[str, Any] = {name: [each for each in getattr(history, name) if each is not event]}
            less = replace(history, **without)
            try:
                check(less)
            except AssertionError:
                history = less
    return history
