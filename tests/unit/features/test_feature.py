"""A feature is a record that checks itself."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from holdfast.features.feature import Feature, spoken
from holdfast.history.aggregates import Count, Last, Sum
from holdfast.models.feature_record import FeatureRecord
from holdfast.timeline import Days

SPEND = Feature("spend_90d", "orders", Sum("amount"), "currency", "spent {value} in 90 days", "monetary", Days(90))


def test_an_unknown_unit_is_refused() -> None:
    """Reasons format a value by its unit; a misspelt one would print a bare number."""
    with pytest.raises(ValueError, match=r"'visits' has unit 'number'; wanted one of count, days, currency"):
        Feature("visits", "engagement", Count(), "number", "came {value} times", "engagement")


@pytest.mark.parametrize("meaning", ["spent a lot", "spent {value} of {value}", "spent {value} on {kind}", "{}{value}"])
def test_a_meaning_has_one_place_for_the_value(meaning: str) -> None:
    """A sentence without the value, or with a second brace, fails only when a customer's reason is written."""
    with pytest.raises(ValueError, match=r"wanted a sentence with one \{value\}"):
        Feature("spend", "orders", Sum("amount"), "currency", meaning, "monetary")


def test_a_category_is_the_first_or_last_text_of_a_column() -> None:
    """A count of texts is a number; only a single text has levels."""
    with pytest.raises(ValueError, match="wanted the aggregate First or Last of a column"):
        Feature("plans", "subscriptions", Count(), "category", "has {value}", "plan")
    assert Feature("plan", "subscriptions", Last("plan"), "category", "has {value}", "plan").is_category


def test_a_bundle_keeps_everything_but_the_computation_as_plain_json() -> None:
    """A consumer of a model has no source tree; NaN is no JSON, so unknown becomes null."""
    stored = json.loads(json.dumps(SPEND.record().to_json(), allow_nan=False))
    assert stored == {
        "name": "spend_90d",
        "dtype": "number",
        "unit": "currency",
        "window_days": 90,
        "meaning": "spent {value} in 90 days",
        "family": "monetary",
        "when_empty": None,
        "when_missing": "spend 90d not known",
        "actionable": False,
        "risk": None,
        "role": None,
        "accumulates": False,
        "categories": [],
    }
    assert FeatureRecord.from_json(stored) == SPEND.record()
    lifetime = Feature("plan", "subscriptions", Last("plan"), "category", "has {value}", "plan", when_empty=0.0)
    assert lifetime.record().window_days is None
    assert lifetime.record().when_empty == 0.0
    assert math.isnan(SPEND.when_empty)


def test_a_level_is_spoken_without_underscores_and_braces() -> None:
    """Names of systems become words, and can never be taken for the place of a value."""
    assert spoken("email_open") == "email open"
    assert spoken("{value}") == "(value)"


def test_a_direction_is_one_of_two_words_and_of_a_number() -> None:
    """A consumer of the model sees it where it was declared, and nothing where it was not."""
    assert SPEND.record().risk is None
    assert replace(SPEND, risk="falls").record() == replace(SPEND.record(), risk="falls")
    with pytest.raises(ValueError, match="has risk 'up'; wanted one of rises, falls"):
        replace(SPEND, risk="up")  # type: ignore[arg-type] # what a typist might do
    with pytest.raises(ValueError, match="'plan' is a category, and categories have no order"):
        Feature("plan", "subscriptions", Last("plan"), "category", "has {value}", "plan", risk="rises")
