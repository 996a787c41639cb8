"""What a snapshot may see of a stream."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.history.conditions import Where
from holdfast.history.stream import Stream, View, Window, empty, past, whole
from holdfast.timeline import BEGINNING, LIFETIME, Days
from tests.strategies import DAY, stream_of

CUTOFF = 1000 * DAY


def stream(*moments: tuple[float, float], customers: int = 1) -> Stream:
    """Events of one customer: day it happened and day it became known, relative to the cutoff."""
    return stream_of(
        [
            {"customer": 0, "time": CUTOFF + round(time * DAY), "known": CUTOFF + round(known * DAY), "value": float(i)}
            for i, (time, known) in enumerate(moments)
        ],
        ["value"],
        customers=customers,
    )


def seen(view: View, window: Window | None = None) -> list[float]:
    """The values that the first snapshot sees."""
    lo, hi = (view.first, view.last) if window is None else view.within(window)
    return view.columns["value"][lo[0] : hi[0]].tolist()


def at(cutoff: int) -> tuple[np.ndarray, np.ndarray]:
    """One snapshot of the first customer."""
    return np.array([0]), np.array([cutoff])


def test_an_event_at_the_cutoff_has_not_happened_yet() -> None:
    """Half-open time: the cutoff belongs to the future, the microsecond before it to the past."""
    moment = stream((0, 0))
    assert seen(past(moment, *at(CUTOFF))) == []
    assert seen(past(moment, *at(CUTOFF + 1))) == [0.0]


def test_an_event_is_hidden_until_it_is_known() -> None:
    """A row that was loaded late was not there when the score was made."""
    late = stream((-9, -9), (-8, 2), (-7, -7))
    assert seen(past(late, *at(CUTOFF))) == [0.0, 2.0]
    assert seen(past(late, *at(CUTOFF + 2 * DAY))) == [0.0, 2.0]
    assert seen(past(late, *at(CUTOFF + 2 * DAY + 1))) == [0.0, 1.0, 2.0]


def test_a_late_row_of_one_snapshot_leaves_the_others_alone() -> None:
    """Copies are appended behind the stream; ranges of other snapshots must still point to their own rows."""
    late = stream((-9, -9), (-8, 2), (-7, -7), customers=2)
    view = past(late, np.array([0, 0, 1]), np.array([CUTOFF, CUTOFF + 3 * DAY, CUTOFF]))
    rows = [view.columns["value"][first:last].tolist() for first, last in zip(view.first, view.last, strict=True)]
    assert rows == [[0.0, 2.0], [0.0, 1.0, 2.0], []]
    assert view.only(Where("value", ">=", 1.0)).within(Window.before(LIFETIME))[1].size == 3
    assert seen(view.only(Where("value", ">=", 1.0))) == [2.0]


def test_rows_known_on_time_are_not_copied() -> None:
    """Late rows elsewhere in the data must not cost the memory of a second stream."""
    late = stream((-9, -9), (-8, -7.5), (-1, 3))
    assert past(late, *at(CUTOFF - 2 * DAY)).times is late.times
    assert past(late, *at(CUTOFF)).times is not late.times


def test_windows_that_follow_each_other_share_no_event() -> None:
    """An event on an edge counts once, whatever the lengths."""
    events = stream((-60, -60), (-30, -30), (-29.999, -29.999), (-0.001, -0.001))
    view = past(events, *at(CUTOFF))
    assert seen(view, Window.before(Days(30))) == [1.0, 2.0, 3.0]
    assert seen(view, Window.before(Days(30), ago=Days(30))) == [0.0]


def test_a_lifetime_begins_before_what_was_known_from_the_beginning() -> None:
    """A static attribute is an event at the beginning of time, and every cutoff sees it."""
    born = Stream(np.array([0, 1]), np.array([BEGINNING]), np.array([BEGINNING]), {"value": np.array([7.0])})
    assert seen(past(born, *at(CUTOFF)), Window.before(LIFETIME)) == [7.0]


def test_labels_see_past_and_future() -> None:
    """What happened is a fact, whenever it became known."""
    assert seen(whole(stream((-1, 50), (1, 1)), *at(CUTOFF))) == [0.0, 1.0]


def test_a_view_on_nothing_has_one_empty_range_per_snapshot() -> None:
    """Features of the calendar need no events."""
    view = empty(np.array([CUTOFF, CUTOFF]))
    assert (view.last - view.first).tolist() == [0, 0]


def test_a_missing_value_satisfies_no_condition() -> None:
    """An order of unknown amount is neither a purchase nor a refund."""
    events = [{"customer": 0, "time": 1, "known": 1, "value": None}]
    view = past(stream_of(events, ["value"], customers=1), *at(CUTOFF))
    assert not any(Where("value", test, 0.0).rows(view).any() for test in ("==", ">=", ">", "<", "<="))


def test_a_text_that_no_event_has_satisfies_no_condition() -> None:
    """Its code must not compare with the codes of others."""
    events = [{"customer": 0, "time": 1, "known": 1, "value": text} for text in ("a", "b")]
    view = past(stream_of(events, ["value"], {"value": ("a", "b")}, customers=1), *at(CUTOFF))
    assert not any(Where("value", test, "c").rows(view).any() for test in ("==", ">=", ">", "<", "<="))
    assert Where("value", ">", "a").rows(view).tolist() == [False, True]


def test_an_unknown_test_is_refused_where_it_is_written() -> None:
    """The mistake shows where the feature is declared, not deep in a run."""
    with pytest.raises(ValueError, match=r"Wanted one of == >= > < <= to test 'value' with, found '!='"):
        Where("value", "!=", 0.0)
