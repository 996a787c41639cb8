"""Signs of life as people would tell them: what customers did of their own accord, day by day."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from holdfast.history.stream import Stream
from holdfast.labels import LATER, PAST, SIGNS, ChurnSettings, reads_signs
from holdfast.labels.signs import days_with_signs, of_own_accord
from tests.strategies import DAY, stream_of

CUTOFF = 1000 * DAY
KINDS = ("email_open", "email_sent", "visit")
NO_ORDER = ChurnSettings(kind="no_order", horizon_days=90)


def stream(*rows: tuple[float, dict[str, Any]], levels: dict[str, tuple[str, ...]] | None = None) -> Stream:
    """Events of one customer by day relative to the cutoff."""
    listed = [
        {"customer": 0, "time": CUTOFF + round(day * DAY), "known": CUTOFF + round(day * DAY), **columns}
        for day, columns in rows
    ]
    return stream_of(listed, sorted(rows[0][1]) if rows else ["amount"], levels, customers=1)


def orders(*rows: tuple[float, float]) -> dict[str, Stream]:
    """Orders by day and amount."""
    return {"orders": stream(*((day, {"amount": amount}) for day, amount in rows))}


def engagement(*rows: tuple[float, str]) -> dict[str, Stream]:
    """Engagement by day and kind."""
    return {"engagement": stream(*((day, {"kind": kind}) for day, kind in rows), levels={"kind": KINDS})}


def moments(source: str, *rows: tuple[float, str]) -> dict[str, Stream]:
    """Tickets or contacts by day and moment."""
    levels = {"moment": ("closed", "opened", "responded", "sent")}
    return {source: stream(*((day, {"moment": moment}) for day, moment in rows), levels=levels)}


def found(streams: dict[str, Stream], settings: ChurnSettings = NO_ORDER) -> dict[str, float]:
    """The periods with days of life, by name; the periods of 90 days are 30 days long."""
    days = days_with_signs(settings, streams, np.array([0]), np.array([CUTOFF]))
    assert tuple(days) == SIGNS
    return {name: float(count[0]) for name, count in days.items() if count[0]}


def test_an_email_that_we_sent_is_no_sign_of_life_and_an_opened_one_is() -> None:
    """Or whoever is written to every week would never be gone."""
    assert found(engagement((5, "email_sent"), (-5, "email_sent"))) == {}
    assert found(engagement((5, "email_sent"), (-5, "email_open"))) == {"signs_past_1": 1}


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        ("email_open", True),
        ("Click", True),
        ("login", True),
        ("email_sent", False),
        ("Email Delivered", False),
        ("hard_bounce", False),
        ("unsubscribed", False),
        ("ad_impression", False),
    ],
)
def test_whose_doing_engagement_is_can_be_told_by_its_name(kind: str, own: bool) -> None:
    """Nobody should have to list what each e-mail system writes."""
    assert of_own_accord(kind) == own


def test_a_refund_is_no_sign_of_life() -> None:
    """It is booked when our warehouse gets to it; an order of nothing, as of a sample, is one."""
    assert found(orders((5, -10), (-5, -3))) == {}
    assert found(orders((5, 0))) == {"signs_later_1": 1}


def test_what_customers_begin_in_any_source_is_a_sign_and_what_we_do_there_is_none() -> None:
    """A question, an answer to a survey or to a contact; not that we closed the one and sent the other."""
    assert found(moments("tickets", (5, "opened"), (35, "closed"))) == {"signs_later_1": 1}
    assert found(moments("contacts", (5, "sent"), (35, "responded"))) == {"signs_later_2": 1}
    assert found({"surveys": stream((65, {"score": 3.0}))} | orders((-1, 5))) == {
        "signs_past_1": 1,
        "signs_later_3": 1,
    }


def test_a_day_counts_once_whatever_happened_on_it() -> None:
    """An order leaves a visit, a mail and three lines; whoever is active on two days is more so than that."""
    sources = orders((5.1, 10), (5.2, 10), (6, 1)) | engagement((5.3, "visit"), (5.9, "email_open"))
    sources |= moments("tickets", (5.5, "opened"))
    assert found(sources) == {"signs_later_1": 2}


def test_periods_are_half_open() -> None:
    """The cutoff itself and each first instant belong to what follows; the last period ends with its last instant."""
    first = -PAST * 30.0
    assert found(orders((first - 1 / 24, 1), (first, 1), (0, 1), (30, 1), (LATER * 30.0, 1))) == {
        f"signs_past_{PAST}": 1,
        "signs_later_1": 1,
        "signs_later_2": 1,
    }
    assert found(orders((-1 / 24, 1), (30 - 1 / 24, 1))) == {"signs_past_1": 1, "signs_later_1": 1}


def test_the_gap_belongs_to_the_time_after_the_cutoff() -> None:
    """Three periods reach from the cutoff to the end of the outcome window, the time to act included."""
    with_gap = ChurnSettings(kind="no_order", horizon_days=60, gap_days=30)
    assert found(orders((0, 1), (89, 1)), with_gap) == {"signs_later_1": 1, "signs_later_3": 1}


def test_the_kinds_that_are_signs_of_life_can_be_chosen() -> None:
    """A business may know that its app opens in the background."""
    own = ChurnSettings(kind="no_order", horizon_days=90, signs_of_life=("visit",))
    streams = orders((65, 1)) | engagement((5, "visit"), (35, "email_open"))
    assert found(streams, own) == {"signs_later_1": 1, "signs_later_3": 1}
    of_events = ChurnSettings(kind="no_event", horizon_days=90, events=("email_open",))
    assert found(streams, of_events) == {"signs_later_2": 1, "signs_later_3": 1}


@pytest.mark.parametrize("kind", ["no_event", "subscription_end"])
def test_signs_of_life_belong_to_churn_by_orders(kind: str) -> None:
    """Two settings for one thing would contradict each other."""
    more = {"grace_days": 7} if kind == "subscription_end" else {}
    with pytest.raises(ValidationError, match="signs_of_life belongs to kind no_order"):
        ChurnSettings.model_validate({"kind": kind, "horizon_days": 30, "signs_of_life": ("visit",), **more})


def test_only_sources_that_are_there_are_read() -> None:
    """A business of orders alone has signs of life, too; one under contract needs none."""
    columns = {"orders": {"amount", "margin"}, "engagement": {"kind"}, "attributes": {"plan"}}
    assert reads_signs(NO_ORDER, columns) == {"orders": {"amount"}, "engagement": {"kind"}}
    assert reads_signs(NO_ORDER, {"orders": {"amount"}}) == {"orders": {"amount"}}
    contract = ChurnSettings(kind="subscription_end", horizon_days=30, grace_days=7)
    assert reads_signs(contract, columns) == {}


def test_customers_are_kept_apart() -> None:
    """One is active on the last day of a chunk's customer, the next on the same day."""
    listed = [
        {"customer": customer, "time": CUTOFF + day * DAY, "known": CUTOFF + day * DAY, "amount": 1.0}
        for customer, day in [(0, 5), (2, 5), (2, 6)]
    ]
    found = days_with_signs(
        NO_ORDER, {"orders": stream_of(listed, ["amount"], customers=3)}, np.array([0, 1, 2]), np.array([CUTOFF] * 3)
    )
    assert found["signs_later_1"].tolist() == [1, 0, 2]
