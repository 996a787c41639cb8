"""From streams to columns: types, empty values, texts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from holdfast.features.build import build, needed
from holdfast.features.catalogue import EVERYTHING, catalogue
from holdfast.features.feature import Feature
from holdfast.history.aggregates import Aggregate, Last, Ratio, Sum
from holdfast.history.conditions import Where
from holdfast.history.stream import Stream
from tests.strategies import DAY, stream_of

FEATURES = catalogue(EVERYTHING)
ONE, CUTOFF = np.array([0]), np.array([1000 * DAY])
CATEGORIES = {"category", "kind", "moment", "severity", "topic", "plan", "channel", "action", "country"}


def empty_streams() -> dict[str, Stream]:
    """One customer of whom nothing is known."""
    return {
        name: stream_of([], columns, dict.fromkeys(CATEGORIES & set(columns), ()), customers=1)
        for name, columns in EVERYTHING.columns.items()
    }


def of_amounts(aggregate: Aggregate, *amounts: float) -> float:
    """A feature of one customer who placed these orders on successive days."""
    rows = [{"customer": 0, "time": i * DAY, "known": i * DAY, "amount": value} for i, value in enumerate(amounts)]
    feature = Feature("tried", "orders", aggregate, "ratio", "shows {value}", "test")
    streams = {"orders": stream_of(rows, ["amount"], customers=1)}
    return float(build([feature], streams, ONE, CUTOFF)["tried"][0])


@pytest.fixture(scope="module")
def nothing() -> dict[str, Any]:
    """All features of the unknown customer."""
    return dict(build(FEATURES, empty_streams(), ONE, CUTOFF))


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_a_customer_of_whom_nothing_is_known_has_the_declared_empty_value(
    feature: Feature, nothing: dict[str, Any]
) -> None:
    """Counts and sums are 0, everything else is what its record declares, unknown by default."""
    (value,) = nothing[feature.name]
    if feature.is_category:
        assert pd.isna(value)
    elif feature.family == "season":
        assert -1 <= value <= 1
    elif math.isnan(value):
        assert math.isnan(feature.when_empty)
    else:
        assert value == 0


def test_numbers_are_floats_and_categories_are_texts() -> None:
    """The model's signature knows these two types; an integer column would be refused at the registry."""
    columns = pd.DataFrame(build(FEATURES, empty_streams(), ONE, CUTOFF))
    for feature in FEATURES:
        assert columns[feature.name].dtype == ("str" if feature.is_category else np.float64), feature.name


def test_a_text_is_the_last_known_one() -> None:
    """An attribute that changed is what it was at the cutoff, in the words of the data."""
    rows = [
        {"customer": 0, "time": day * DAY, "known": day * DAY, "plan": plan}
        for day, plan in [(1, "basic"), (2, "größer"), (3, None), (1001, "basic")]
    ]
    feature = Feature("plan", "subscriptions", Last("plan"), "category", "is on {value}", "plan")
    streams = {"subscriptions": stream_of(rows, ["plan"], {"plan": ("basic", "größer")}, customers=1)}
    found = build([feature], streams, np.array([0, 0]), np.array([2 * DAY, 1000 * DAY]))["plan"]
    assert list(found) == ["basic", "größer"]


def test_a_text_under_a_condition_is_a_feature_too() -> None:
    """The reason of the last refund reads two columns and shows one of them."""
    rows = [
        {"customer": 0, "time": day * DAY, "known": day * DAY, "moment": moment, "topic": topic}
        for day, moment, topic in [(1, "opened", "a"), (2, "rated", "b")]
    ]
    levels = {"moment": ("opened", "rated"), "topic": ("a", "b")}
    last = Last("topic", Where("moment", "==", "opened"))
    feature = Feature("topic_last", "tickets", last, "category", "asked about {value}", "support")
    streams = {"tickets": stream_of(rows, ["moment", "topic"], levels, customers=1)}
    assert list(build([feature], streams, ONE, CUTOFF)["topic_last"]) == ["a"]


def test_nothing_is_zero_and_not_minus_zero() -> None:
    """A share of refunds reads "0 %"; "-0 %" would puzzle whoever calls the customer."""
    refunds = Ratio(Sum("amount", Where("amount", "<", 0.0)), Sum("amount", Where("amount", ">=", 0.0)), times=-1.0)
    assert math.copysign(1, of_amounts(refunds, 10.0, 20.0)) == 1
    assert of_amounts(refunds, 10.0, -5.0) == 0.5


def test_only_the_columns_that_features_read_are_needed() -> None:
    """The driver leaves the others in the database; the calendar needs none."""
    some = [
        feature for feature in FEATURES if feature.name in {"orders_90d", "spend_90d", "season_sin", "engagement_7d"}
    ]
    assert needed(some) == {"orders": {"amount"}, "engagement": set()}
