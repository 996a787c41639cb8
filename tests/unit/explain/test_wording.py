"""Values as words."""

from __future__ import annotations

import math
from typing import Any

import pytest

from holdfast.explain import speaker
from holdfast.features.catalogue import EVERYTHING, catalogue
from holdfast.models.feature_record import FeatureRecord


def spec(meaning: str, unit: str, **more: Any) -> FeatureRecord:
    """A feature's record."""
    return FeatureRecord("feature_90d", unit=unit, meaning=meaning, **more)


@pytest.mark.parametrize(
    ("meaning", "unit", "value", "sentence"),
    [
        ("spent {value} in the last 90 days", "currency", 1234.4, "spent 1,234 EUR in the last 90 days"),
        ("spent {value} so far", "currency", 9.5, "spent 9.50 EUR so far"),
        ("spent {value} so far", "currency", 9.0, "spent 9 EUR so far"),
        ("changed by {value}", "currency", -0.001, "changed by 0 EUR"),
        ("last ordered {value} ago", "days", 12.4, "last ordered 12 days ago"),
        ("last ordered {value} ago", "days", 1.2, "last ordered 1 day ago"),
        ("last ordered {value} ago", "days", 0.5, "last ordered 0.5 days ago"),
        ("last ordered {value} days ago", "days", 12.0, "last ordered 12 days ago"),
        ("waited {value} for a solution", "hours", 36.0, "waited 36 hours for a solution"),
        ("comes up for renewal in {value}", "months", 2.5, "comes up for renewal in 2.5 months"),
        ("opened {value} of the e-mails", "share", 0.354, "opened 35 % of the e-mails"),
        ("returned {value} of the spend", "share", 0.004, "returned 0.4 % of the spend"),
        ("placed {value} orders", "count", 12345.0, "placed 12,345 orders"),
        ("placed {value} orders", "count", 1.0, "placed 1 order"),
        ("has {value} open tickets", "count", 1.0, "has 1 open ticket"),
        ("bought from {value} categories", "count", 1.0, "bought from 1 category"),
        ("ordered on {value} of the last 90 days", "count", 1.0, "ordered on 1 of the last 90 days"),
        ("uses {value}", "count", 1.0, "uses 1"),
        ("is silent for {value} the usual time", "ratio", 2.34, "is silent for 2.3 times the usual time"),
        ("moves by a trend of {value} over 90 days", "ratio", -0.456, "moves by a trend of -0.46 over 90 days"),
        ("gave a score of {value}", "score", 7.0, "gave a score of 7"),
        ("agreed: {value}", "flag", 1.0, "agreed: yes"),
        ("agreed: {value}", "flag", 0.0, "agreed: no"),
        ("has an open complaint", "flag", 1.0, "has an open complaint"),
        ("has an open complaint", "flag", 0.0, "not so: has an open complaint"),
        ("is on the plan {value}", "category", "Größer & Co", "is on the plan Größer & Co"),
        ("all else adds {value}", "log-odds", 0.256, "all else adds +0.26"),
    ],
)
def test_a_value_is_said_as_a_person_would_say_it(meaning: str, unit: str, value: object, sentence: str) -> None:
    """A reason that reads like a column of a table convinces nobody on the phone."""
    assert speaker(spec(meaning, unit), "EUR")(value) == sentence


def test_an_amount_without_a_configured_currency_is_a_bare_number() -> None:
    """A guessed currency would be a wrong statement."""
    assert speaker(spec("spent {value}", "currency"), None)(50.0) == "spent 50"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("days_since_order", "no order yet"),
        ("days_since_first_order", "no order yet"),
        ("days_since_unresolved", "has no open ticket"),
        ("days_since_email_click", "no email click yet"),
        ("order_overdue_ratio", "has too few orders for a rhythm"),
        ("order_value_mean_365d", "has placed no order in the last 365 days"),
        ("satisfaction_last", "has rated no solution yet"),
        ("email_open_rate_90d", "got no e-mail in the last 90 days"),
        ("plan", "plan not known"),
    ],
)
def test_a_missing_value_says_what_is_missing(name: str, sentence: str) -> None:
    """'last ordered nan days ago' is what a customer's manager must never read."""
    record = next(feature for feature in catalogue(EVERYTHING) if feature.name == name).record()
    for missing in (math.nan, None):
        assert speaker(record, "EUR")(missing) == sentence


def test_a_missing_value_with_a_declared_empty_value_is_spoken_of_as_that_value() -> None:
    """The record says what nothing amounts to; the sentence follows it."""
    assert speaker(spec("placed {value} orders", "count", when_empty=0.0), None)(math.nan) == "placed 0 orders"


def test_a_record_may_bring_its_own_words_for_a_missing_value() -> None:
    """Whoever declares a feature knows best what its absence means."""
    assert speaker(spec("paid {value}", "currency", when_missing="has never paid"), "EUR")(math.nan) == "has never paid"
