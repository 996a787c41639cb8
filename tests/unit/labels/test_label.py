"""Labels as people would tell them: what happened in the outcome window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from holdfast.history.stream import Stream
from holdfast.labels import ChurnSettings, LabelSettings, ValueSettings, label, label_names, needed
from holdfast.timeline import DAYS_PER_MONTH
from tests.strategies import DAY, stream_of

CUTOFF = 1000 * DAY
NO_ORDER = {"kind": "no_order", "horizon_days": 90}
REVENUE = {"of": "revenue", "horizon_days": 90}


def definition(churn: dict[str, Any] | None = None, value: dict[str, Any] | None = None) -> LabelSettings:
    """No order and revenue of 90 days unless told otherwise."""
    return LabelSettings(
        churn=ChurnSettings(**{**NO_ORDER, **(churn or {})}), value=ValueSettings(**{**REVENUE, **(value or {})})
    )


def events(*rows: tuple[float, dict[str, Any]], levels: dict[str, tuple[str, ...]] | None = None) -> Stream:
    """Events of one customer by day relative to the cutoff."""
    listed = [
        {"customer": 0, "time": CUTOFF + round(day * DAY), "known": CUTOFF + round(day * DAY), **columns}
        for day, columns in rows
    ]
    return stream_of(listed, sorted(rows[0][1]) if rows else ["amount", "margin"], levels, customers=1)


def orders(*rows: tuple[float, float]) -> dict[str, Stream]:
    """Orders of one customer: day and amount; the margin is a tenth."""
    return {"orders": events(*((day, {"amount": amount, "margin": amount / 10}) for day, amount in rows))}


def contracts(*rows: tuple[float, float, float]) -> dict[str, Stream]:
    """Day, change of running contracts, change of monthly revenue."""
    return {"subscriptions": events(*((day, {"active_delta": a, "mrr_delta": m}) for day, a, m in rows))}


def labels(settings: LabelSettings, streams: dict[str, Stream]) -> dict[str, float]:
    """The labels of the one customer at the cutoff."""
    found = label(settings, streams, np.array([0]), np.array([CUTOFF]))
    assert tuple(found) == label_names(settings)
    return {name: float(values[0]) for name, values in found.items()}


def test_an_order_in_the_outcome_window_keeps_a_customer() -> None:
    """The window is half-open like every other: its first instant counts, its last does not."""
    assert labels(definition(), orders((-5, 10), (0, 10)))["churned"] == 0
    assert labels(definition(), orders((-5, 10), (89.9, 10)))["churned"] == 0
    assert labels(definition(), orders((-5, 10), (90, 10)))["churned"] == 1
    assert labels(definition(), orders((-5, 10)))["churned"] == 1


def test_what_happens_in_the_gap_counts_for_nothing() -> None:
    """The gap is the time to act; an order that comes anyway is neither a save nor value won."""
    found = labels(definition({"gap_days": 14}), orders((-5, 10), (13.9, 10)))
    assert (found["churned"], found["future_value"]) == (1, 0)
    found = labels(definition({"gap_days": 14}), orders((-5, 10), (103.9, 10), (104, 7)))
    assert (found["churned"], found["future_value"]) == (0, 10)


def test_a_refund_is_no_sign_of_life_and_costs_value() -> None:
    """Sending goods back is not buying."""
    found = labels(definition(), orders((-5, 10), (5, -10)))
    assert (found["churned"], found["future_value"]) == (1, -10)


def test_the_value_window_may_be_longer_than_that_of_churn() -> None:
    """Churn is decided in three months, value may be counted over a year."""
    found = labels(definition(value={"horizon_days": 365}), orders((-5, 10), (200, 40)))
    assert (found["churned"], found["future_value"]) == (1, 40)


def test_value_may_be_margin() -> None:
    """What a customer leaves, rather than what passes through."""
    assert labels(definition(value={"of": "margin"}), orders((5, 30), (6, 40)))["future_value"] == 7


@pytest.mark.parametrize(("kinds", "churned"), [(None, 0), (("visit",), 0), (("email_open",), 1), (("gone",), 1)])
def test_only_the_named_kinds_of_engagement_are_signs_of_life(kinds: tuple[str, ...] | None, churned: float) -> None:
    """An opened mail may mean little where a visit means much; all kinds count if none is named."""
    streams = {
        **orders(),
        "engagement": events(
            (5, {"kind": "visit"}), (-5, {"kind": "email_open"}), levels={"kind": ("email_open", "visit")}
        ),
    }
    assert labels(definition({"kind": "no_event", "events": kinds}), streams)["churned"] == churned


def test_nobody_shows_engagement_where_there_is_none() -> None:
    """A stream without events still gives one label per snapshot."""
    streams = {**orders(), "engagement": stream_of([], ["kind"], {"kind": ()}, customers=1)}
    settings = definition({"kind": "no_event"})
    found = label(settings, streams, np.array([0, 0]), np.array([CUTOFF, CUTOFF + DAY]))
    assert found["churned"].tolist() == [1, 1]


def subscription_end(**more: float) -> LabelSettings:
    """The contract ends within 30 days and is not renewed within a week."""
    churn = {"kind": "subscription_end", "horizon_days": 30, "grace_days": 7, **more}
    return definition(churn, {"of": "mrr", "horizon_days": 30})


def test_an_end_followed_by_a_start_within_the_grace_is_no_churn() -> None:
    """A payment that comes a few days late is not a loss."""
    assert labels(subscription_end(), contracts((-90, 1, 20), (10, -1, -20), (15, 1, 20)))["churned"] == 0
    assert labels(subscription_end(), contracts((-90, 1, 20), (10, -1, -20), (17, 1, 20)))["churned"] == 1


def test_a_contract_replaced_by_another_has_not_ended() -> None:
    """A change of plan is an end and a start at one moment."""
    assert labels(subscription_end(grace_days=0), contracts((-90, 1, 20), (10, -1, -20), (10, 1, 50)))["churned"] == 0


def test_who_left_in_the_gap_has_no_label() -> None:
    """They are lost already, so there is nothing to predict and nothing to save."""
    assert np.isnan(labels(subscription_end(gap_days=14), contracts((-90, 1, 20), (10, -1, -20)))["churned"])


def test_monthly_revenue_is_counted_for_the_time_it_runs() -> None:
    """20 a month for 10 days, 50 for 10 days, nothing for 10: an integral, not a sum of payments."""
    found = labels(subscription_end(), contracts((-90, 1, 20), (10, 0, 30), (20, -1, -50)))
    assert found["future_value"] == pytest.approx((20 * 10 + 50 * 10) / DAYS_PER_MONTH, rel=1e-12)


def test_monthly_revenue_begins_to_count_when_the_gap_is_over() -> None:
    """The level that the gap leaves behind runs for the length of the value window, no longer."""
    found = labels(subscription_end(gap_days=14), contracts((-90, 1, 20), (10, 0, 30), (34, 0, -40)))
    assert found["future_value"] == pytest.approx((50 * 20 + 10 * 10) / DAYS_PER_MONTH, rel=1e-12)


def test_monthly_revenue_that_never_changes_is_worth_its_months() -> None:
    """A year at 10 a month is 120."""
    year = definition(value={"of": "mrr", "horizon_days": 365.25})
    found = labels(year, {**orders(), **contracts((-90, 1, 10))})
    assert found["future_value"] == pytest.approx(120, rel=1e-12)


@pytest.mark.parametrize(
    ("day", "moment", "treated"), [(5, "sent", 1), (5, "responded", 0), (-1, "sent", 0), (90, "sent", 0)]
)
def test_a_customer_we_contacted_in_the_outcome_window_is_flagged(day: float, moment: str, treated: float) -> None:
    """Whom we tried to keep tells a different story than whom we left alone; an answer is not a contact."""
    contact = events((day, {"moment": moment}), levels={"moment": ("responded", "sent")})
    assert labels(definition(), {**orders((-5, 10)), "contacts": contact})["treated"] == treated


def test_without_a_contact_log_nobody_was_treated() -> None:
    """The contact log is optional."""
    assert labels(definition(), orders((-5, 10)))["treated"] == 0


def test_labels_name_the_columns_that_they_read() -> None:
    """The driver reads these beside what features need."""
    assert needed(definition(value={"of": "margin"})) == {"orders": {"amount", "margin"}}
    assert needed(subscription_end()) == {"subscriptions": {"active_delta", "mrr_delta"}}
    assert needed(definition({"kind": "no_event"})) == {"engagement": {"kind"}, "orders": {"amount"}}
