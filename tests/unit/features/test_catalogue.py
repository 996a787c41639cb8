"""The catalogue: which features given sources can give."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.features.catalogue import EVERYTHING, MOST_LEVELS, RESERVED, Vocabulary, catalogue
from holdfast.features.feature import UNITS, Feature
from holdfast.models.encoding import FEWEST_CUSTOMERS
from holdfast.models.feature_record import Role
from holdfast.timeline import LIFETIME, Days
from tests.raw_business import CUTOFF, DAY, opened, opened_rows, raw_business

ALL = catalogue(EVERYTHING)
NAMES = {feature.name for feature in ALL}


def without(stream: str, column: str | None = None) -> Vocabulary:
    """Everything but one stream, or but one column of it."""
    kept = () if column is None else tuple(name for name in EVERYTHING.columns[stream] if name != column)
    columns = {**EVERYTHING.columns, stream: kept}
    if column is None:
        del columns[stream]
    gone = stream if column is None else f"{stream}.{column}"
    return Vocabulary(columns, {key: texts for key, texts in EVERYTHING.levels.items() if not key.startswith(gone)})


def test_all_sources_together_give_at_least_seventy_features() -> None:
    """The promise of the default catalogue."""
    assert len(ALL) >= 70


def test_names_are_unique_and_simple() -> None:
    """A name is a column, a key of the bundle and a word to search for."""
    assert len(NAMES) == len(ALL)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in NAMES)


@pytest.mark.parametrize("feature", ALL, ids=lambda feature: feature.name)
def test_a_feature_can_be_spoken_of(feature: Feature) -> None:
    """One place for the value, a known unit, a family."""
    assert feature.meaning.count("{value}") == 1
    assert "12" in feature.meaning.format(value="12")
    assert feature.unit in UNITS
    assert feature.family


@pytest.mark.parametrize("feature", ALL, ids=lambda feature: feature.name)
def test_a_name_that_ends_in_a_window_says_the_true_one(feature: Feature) -> None:
    """``spend_90d`` over 60 days would be believed for years; and its sentence says the same days."""
    days = re.search(r"_(\d+)d$", feature.name)
    assert (days is None) == (feature.window == LIFETIME)
    if days:
        assert feature.window == Days(int(days[1]))
        said = re.search(r"(\d+) days", feature.meaning)
        assert said is None or said[1] == days[1]


@pytest.mark.parametrize("stream", EVERYTHING.columns)
def test_a_missing_source_takes_its_features_and_no_others(stream: str) -> None:
    """A shop without surveys has a model without surveys, and nothing else changes."""
    expected = [feature for feature in ALL if feature.source != stream]
    assert catalogue(without(stream)) == tuple(expected)
    assert len(expected) < len(ALL)


@pytest.mark.parametrize(
    ("stream", "column"), [(stream, column) for stream, columns in EVERYTHING.columns.items() for column in columns]
)
def test_a_missing_column_takes_the_features_that_read_it(stream: str, column: str) -> None:
    """An export without margins still gives spend."""
    expected = {
        feature.name for feature in ALL if feature.source != stream or column not in feature.aggregate.columns()
    }
    assert {feature.name for feature in catalogue(without(stream, column))} == expected


def test_without_any_source_only_the_calendar_remains() -> None:
    """The season needs no events."""
    assert {feature.family for feature in catalogue(Vocabulary({}, {}))} == {"season"}


LEVEL = st.text(min_size=1, max_size=12) | st.sampled_from(
    ["usage", "order", "engagement", "{value}", "E-Mail", "e mail"]
)


@settings(max_examples=100)
@given(kinds=st.lists(LEVEL, max_size=8, unique=True), topics=st.lists(LEVEL, max_size=8, unique=True))
def test_whatever_the_levels_are_called_names_are_unique_and_meanings_whole(
    kinds: list[str], topics: list[str]
) -> None:
    """Levels come from other people's systems: braces, spaces, and words that the catalogue uses itself."""
    levels = {"engagement.kind": tuple(sorted(kinds)), "tickets.topic": tuple(sorted(topics))}
    features = catalogue(replace(EVERYTHING, levels=levels))
    names = [feature.name for feature in features]
    assert len(set(names)) == len(names)
    assert all(feature.meaning.format(value="12").count("12") >= 1 for feature in features)
    assert set(names) >= {feature.name for feature in catalogue(replace(EVERYTHING, levels={}))}


def test_a_kind_that_would_take_the_name_of_a_feature_gets_its_source_before_it() -> None:
    """A product whose kind of engagement is "usage" has usage_30d already, summed from quantities."""
    features = catalogue(replace(EVERYTHING, levels={"engagement.kind": ("usage",)}))
    names = {feature.name: feature for feature in features}
    assert names["usage_30d"].aggregate.columns() == {"quantity"}
    assert names["engagement_usage_30d"].aggregate.columns() == {"kind"}


@pytest.mark.parametrize("taken", [*sorted(RESERVED - {"customer", "customer_id"}), "plan"])
def test_an_attribute_never_takes_a_name_of_the_table(taken: str) -> None:
    """An attribute called "churned" must not become the label."""
    columns = {**EVERYTHING.columns, "customers": ("moment", taken)}
    features = {feature.name: feature for feature in catalogue(replace(EVERYTHING, columns=columns))}
    assert features[f"customers_{taken}"].aggregate.columns() == {taken}
    assert taken not in features or features[taken].source != "customers"


def test_the_vocabulary_of_a_business_names_its_columns_and_levels() -> None:
    """It is read off the valid tables, so it needs no list in the configuration."""
    with opened(raw_business(3)) as tables:
        vocabulary = Vocabulary.of(tables)
    assert set(vocabulary.columns) == set(EVERYTHING.columns)
    assert vocabulary.columns["surveys"] == ("score",)
    assert vocabulary.levels["tickets.severity"] == ("high", "low")
    names = {feature.name for feature in catalogue(vocabulary)}
    assert {"country", "segment", "email_open_30d", "days_since_visit", "tickets_topic_price_90d"} <= names
    assert "consent" not in names


def test_only_the_commonest_levels_get_features_of_their_own() -> None:
    """A column with a level per campaign would drown the catalogue; ties go by the alphabet, so runs repeat."""
    kinds = [kind for i in range(12) for kind in [f"kind{i:02}"] * (2 if i >= 8 else 1)]
    rows = [
        {"customer_id": f"c{who}", "event_time": CUTOFF - i * DAY, "kind": kind, "quantity": 1.0}
        for i, kind in enumerate(kinds)
        for who in range(FEWEST_CUSTOMERS)
    ]
    with opened_rows(engagement=rows) as tables:
        levels = Vocabulary.of(tables).levels["engagement.kind"]
    assert levels == ("kind00", "kind01", "kind02", "kind03", "kind08", "kind09", "kind10", "kind11")
    assert len(levels) == MOST_LEVELS


def test_a_level_that_few_customers_share_gets_no_features() -> None:
    """Its name stands in every model and on every list: the subject of a ticket can hold the name of a person."""
    shared = {"price": FEWEST_CUSTOMERS, "complaint of J. Doe": FEWEST_CUSTOMERS - 1}
    rows = [
        {"customer_id": f"c{who}", "ticket_id": f"{topic} {who} {more}", "opened_time": CUTOFF - DAY, "topic": topic}
        for topic, customers in shared.items()
        for who in range(customers)
        for more in range(3)
    ]
    with opened_rows(tickets=rows) as tables:
        assert Vocabulary.of(tables).levels["tickets.topic"] == ("price",)


def test_every_role_is_played_by_one_feature() -> None:
    """A feature that loses its role takes the customer base, the season, a baseline or a contact rule with it."""
    played = [feature.role for feature in catalogue(EVERYTHING) if feature.role is not None]
    assert sorted(played) == sorted(get_args(Role))


def test_what_grows_with_the_history_is_declared() -> None:
    """Counts and sums of orders without a window say more of the data's length than of customers, where it is short."""
    growing = {feature.name for feature in catalogue(EVERYTHING) if feature.accumulates}
    counted = {
        feature.name
        for feature in catalogue(EVERYTHING)
        if feature.source in ("orders", "items")
        and feature.window == LIFETIME
        and feature.unit in ("count", "currency")
    }
    assert growing == (counted - {"discount_last"}) | {"days_since_first_order"}
