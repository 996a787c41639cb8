"""Population, cutoffs and the table that comes of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from holdfast.errors import ConfigError, DataError
from holdfast.features.catalogue import Vocabulary, catalogue
from holdfast.features.feature import Feature
from holdfast.history.aggregates import Count, Last, Sum
from holdfast.labels import ChurnSettings, LabelSettings, ValueSettings
from holdfast.snapshots import (
    CutoffSettings,
    PopulationSettings,
    build_snapshots,
    complete_until,
    feature_columns,
    require_complete,
    training_cutoffs,
)
from holdfast.sources import Engine
from holdfast.timeline import instant, show
from tests.raw_business import CUTOFF, DAY, opened, opened_rows, raw_business

BOUGHT = PopulationSettings(bought_within_days=180)
LABELS = LabelSettings(
    churn=ChurnSettings(kind="no_order", horizon_days=90), value=ValueSettings(of="revenue", horizon_days=90)
)
ORDERS = Feature("orders_all", "orders", Count(), "count", "placed {value} orders", "frequency")
ENDS = LabelSettings(
    churn=ChurnSettings(kind="subscription_end", horizon_days=30, gap_days=14, grace_days=7),
    value=ValueSettings(of="mrr", horizon_days=30),
)


@pytest.fixture(scope="module")
def tables() -> Iterator[Engine]:
    """A business with all sources."""
    with opened(raw_business(11)) as opened_tables:
        yield opened_tables


def order(customer: str, day: float, amount: float = 10.0, **more: Any) -> dict[str, Any]:
    """An order so many days after the cutoff."""
    return {"customer_id": customer, "event_time": CUTOFF + round(day * DAY), "amount": amount, **more}


def contract(customer: str, day: float, kind: str) -> dict[str, Any]:
    """A start or end of a contract of 20 a month."""
    return {"customer_id": customer, "event_time": CUTOFF + round(day * DAY), "kind": kind, "mrr": 20.0}


def members(rule: PopulationSettings, **rows: list[dict[str, Any]]) -> list[str]:
    """Who belongs to the population at the cutoff."""
    with opened_rows(**rows) as tables:
        return build_snapshots(tables, [], population=rule, cutoffs=[CUTOFF])["customer_id"].tolist()


# Who belongs to the population.


def test_a_buyer_belongs_from_the_purchase_until_the_window_is_over() -> None:
    """Half-open as everything: bought exactly 180 days ago is in, a microsecond longer ago is out, now is not yet."""
    rows = [order("in", -180), order("out", -180 - 1 / DAY), order("now", 0), order("before", -1 / DAY)]
    assert members(BOUGHT, orders=rows) == ["before", "in"]


def test_a_refund_makes_no_customer() -> None:
    """Who only sent goods back bought earlier, outside the window."""
    assert members(BOUGHT, orders=[order("a", -10, -5.0), order("b", -10, 0.0)]) == ["b"]


def test_a_purchase_that_was_not_known_yet_makes_no_customer() -> None:
    """Both clocks decide who belongs, as they decide what is known."""
    late = order("late", -5, known_time=CUTOFF)
    assert members(BOUGHT, orders=[late, order("known", -5, known_time=CUTOFF - 1)]) == ["known"]


def test_any_engagement_makes_an_active_customer() -> None:
    """An app has users before it has buyers."""
    visits = [
        {"customer_id": name, "event_time": CUTOFF + day * DAY, "kind": "visit"}
        for name, day in [("a", -31), ("b", -30), ("c", 0)]
    ]
    assert members(PopulationSettings(active_within_days=30), engagement=visits) == ["b"]


def test_a_running_contract_makes_a_subscriber() -> None:
    """However long ago it started; one that ends at the cutoff still runs, as its end has not happened yet."""
    rows = [
        contract("ended", -100, "started"),
        contract("ended", -1, "ended"),
        contract("ends", -4000, "started"),
        contract("ends", 0, "ended"),
        contract("later", 1, "started"),
    ]
    assert members(PopulationSettings(subscribed=True), subscriptions=rows) == ["ends"]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"bought_within_days": 90, "subscribed": True},
        {"bought_within_days": 90, "active_within_days": 90},
        {"subscribed": False},
        {"bought_within_days": 0},
        {"bought_within_days": float("inf")},
        {"active_within_days": float("nan")},
        {"bought_within_days": 1e300},
    ],
)
def test_a_population_is_exactly_one_rule(given: dict[str, Any]) -> None:
    """Who counts as a customer decides the answer, so it is neither guessed nor combined."""
    with pytest.raises(ValidationError):
        PopulationSettings(**given)


# The table.


def test_the_table_has_one_typed_row_per_member_and_cutoff(tables: Engine) -> None:
    """Sorted by cutoff and customer, so that equal data gives equal files."""
    features = catalogue(Vocabulary.of(tables))
    cutoffs = [CUTOFF - 90 * DAY, CUTOFF - 180 * DAY]
    table = build_snapshots(tables, features, population=BOUGHT, cutoffs=cutoffs, labels=LABELS)
    assert not table.duplicated(["customer_id", "cutoff"]).any()
    assert table[["cutoff", "customer_id"]].equals(
        table[["cutoff", "customer_id"]].sort_values(["cutoff", "customer_id"])
    )
    assert set(table["cutoff"]) == set(cutoffs)
    assert table.dtypes["customer_id"] == "str"
    assert table.dtypes["cutoff"] == np.int64
    assert feature_columns(table) == [feature.name for feature in features]
    categories = {feature.name for feature in features if feature.is_category}
    assert all(table.dtypes[name] == ("str" if name in categories else np.float64) for name in feature_columns(table))
    assert set(table["churned"]) <= {0.0, 1.0}
    assert not np.isinf(table.select_dtypes("float64")).any(axis=None)


@pytest.mark.parametrize("events_per_chunk", [1, 60, 400])
def test_the_table_does_not_depend_on_the_chunks(tables: Engine, events_per_chunk: int) -> None:
    """A machine with less memory gives the same bits."""
    features = catalogue(Vocabulary.of(tables))
    given = {"population": BOUGHT, "cutoffs": [CUTOFF - 200 * DAY, CUTOFF - 100 * DAY], "labels": LABELS}
    whole = build_snapshots(tables, features, **given)
    chunked = build_snapshots(tables, features, **given, events_per_chunk=events_per_chunk)
    pd.testing.assert_frame_equal(chunked, whole, check_exact=True)


def test_training_and_scoring_give_the_same_features(tables: Engine) -> None:
    """Labels want further columns and further cutoffs; neither may move a feature."""
    features = catalogue(Vocabulary.of(tables))
    labels = LABELS.model_copy(update={"value": ValueSettings(of="margin", horizon_days=90)})
    at = CUTOFF - 100 * DAY
    trained = build_snapshots(tables, features, population=BOUGHT, cutoffs=[at - 30 * DAY, at], labels=labels)
    scored = build_snapshots(tables, features, population=BOUGHT, cutoffs=[at])
    trained = trained[trained["cutoff"] == at].reset_index(drop=True)[scored.columns]
    pd.testing.assert_frame_equal(trained, scored, check_exact=True)


def test_a_cutoff_given_twice_counts_once() -> None:
    """A test cutoff may also be a regular one."""
    with opened_rows(orders=[order("a", -5)]) as tables:
        assert len(build_snapshots(tables, [ORDERS], population=BOUGHT, cutoffs=[CUTOFF, CUTOFF])) == 1


def test_who_left_in_the_gap_is_counted_and_not_there() -> None:
    """A stage that drops rows says how many; scoring keeps them, since nobody knows it yet."""
    rows = [contract(name, -100, "started") for name in ("stays", "leaves", "left")]
    rows += [contract("leaves", 20, "ended"), contract("left", 5, "ended"), contract("stays", 90, "renewed")]
    subscribed = PopulationSettings(subscribed=True)
    with opened_rows(subscriptions=rows) as tables:
        table = build_snapshots(tables, [], population=subscribed, cutoffs=[CUTOFF], labels=ENDS)
        scored = build_snapshots(tables, [], population=subscribed, cutoffs=[CUTOFF])
    assert dict(zip(table["customer_id"], table["churned"], strict=True)) == {"leaves": 1.0, "stays": 0.0}
    assert table.attrs["left_in_gap"] == 1
    assert len(scored) == 3
    assert scored.attrs["left_in_gap"] == 0


def test_texts_survive_the_way_through_the_chunks() -> None:
    """Codes become words again, customer by customer, missing ones included."""
    rows = [order(name, -5, category=text) for name, text in [("a", "Tee"), ("b", "Café"), ("c", None)]]
    last = Feature("category_last", "items", Last("category"), "category", "bought {value} last", "breadth")
    with opened_rows(orders=rows) as tables:
        table = build_snapshots(tables, [last], population=BOUGHT, cutoffs=[CUTOFF], events_per_chunk=1)
    assert table["category_last"].isna().tolist() == [False, False, True]
    assert table["category_last"].dropna().tolist() == ["Tee", "Café"]


# What is refused.


def test_nobody_in_the_population_is_an_error_that_tells_where_the_data_lies() -> None:
    """A cutoff beyond the data gives an empty list, which would look like good news."""
    with opened_rows(orders=[order("a", -1000), order("b", -990)]) as tables, pytest.raises(DataError) as found:
        build_snapshots(tables, [ORDERS], population=BOUGHT, cutoffs=[CUTOFF])
    message = str(found.value)
    assert "Nobody belongs to the population at 2024-03-01" in message
    assert "{'bought_within_days': 180.0} in source 'orders'" in message
    assert f"The data covers {show(CUTOFF - 1000 * DAY)} to {show(CUTOFF - 990 * DAY)}" in message


@pytest.mark.parametrize(
    ("rule", "labels", "features", "says"),
    [
        (PopulationSettings(subscribed=True), None, [], "The population needs active_delta in 'subscriptions'"),
        (BOUGHT, ENDS, [], "The definition of churn and value needs active_delta, mrr_delta in 'subscriptions'"),
        (
            BOUGHT,
            LABELS.model_copy(update={"value": ValueSettings(of="margin", horizon_days=90)}),
            [],
            "The definition of churn and value needs amount, margin in 'orders', found amount, items",
        ),
        (
            BOUGHT,
            None,
            [Feature("sum_score", "surveys", Sum("score"), "score", "gave {value}", "feedback")],
            "The features needs score in 'surveys', found no such source. Map it under sources.surveys",
        ),
    ],
)
def test_what_is_not_mapped_is_named(
    rule: PopulationSettings, labels: LabelSettings | None, features: list[Feature], says: str
) -> None:
    """Who needs which column of which source, and where to write it."""
    with opened_rows(orders=[order("a", -5)]) as tables, pytest.raises(ConfigError) as found:
        build_snapshots(tables, features, population=rule, cutoffs=[CUTOFF], labels=labels)
    assert says in str(found.value)
    assert "configured are orders" in str(found.value)


@pytest.mark.parametrize("names", [("spend", "spend"), ("churned",), ("cutoff", "spend")])
def test_features_need_names_of_their_own(names: tuple[str, ...]) -> None:
    """The second of two would silently replace the first, or the label."""
    features = [Feature(name, "orders", Sum("amount"), "currency", "spent {value}", "monetary") for name in names]
    with (
        opened_rows(orders=[order("a", -5)]) as tables,
        pytest.raises(ConfigError, match=rf"found {names[0]} twice or taken by the table itself\. Rename them"),
    ):
        build_snapshots(tables, features, population=BOUGHT, cutoffs=[CUTOFF])


# Cutoffs.


@pytest.fixture(scope="module")
def year() -> Iterator[Engine]:
    """Orders from 2023-01-01 to 2023-12-31, a month apart at most."""
    days = range(0, 365, 14)
    rows = [{"customer_id": "a", "event_time": instant("2023-01-01") + day * DAY, "amount": 1.0} for day in days]
    rows.append({"customer_id": "b", "event_time": instant("2023-12-31"), "amount": 1.0})
    with opened_rows(orders=rows) as opened_tables:
        yield opened_tables


def cutoffs(**given: Any) -> CutoffSettings:
    """Monthly from 2023-03-01, tested at 2023-09-01."""
    return CutoffSettings(**{"every": "month", "first": "2023-03-01", "test": ("2023-09-01",), **given})


def test_monthly_cutoffs_are_the_complete_ones_and_those_to_test_on(year: Engine) -> None:
    """Months whose outcome is complete after the test serve the final model."""
    found = [show(cutoff) for cutoff in training_cutoffs(cutoffs(test=("2023-09-15",)), year, LABELS)]
    assert found == [*(f"2023-{month:02}-01" for month in range(3, 10)), "2023-09-15", "2023-10-01"]
    assert show(complete_until(year, LABELS)) == "2023-10-02"


def test_cutoffs_by_days_are_in_step_with_the_last_test(year: Engine) -> None:
    """So that the rhythm of training ends where testing begins."""
    found = training_cutoffs(cutoffs(every=30, first="2023-06-20"), year, LABELS)
    assert [show(cutoff) for cutoff in found] == ["2023-07-03", "2023-08-02", "2023-09-01", "2023-10-01"]


def test_no_cutoff_lies_before_the_data(year: Engine) -> None:
    """A customer base of nobody teaches nothing."""
    assert show(training_cutoffs(cutoffs(first="1999-01-01"), year, LABELS)[0]) == "2023-02-01"


def test_a_cutoff_whose_outcome_is_open_is_refused_with_the_date_from_which_it_serves(year: Engine) -> None:
    """Customers who have not ordered yet are not lost yet."""
    with pytest.raises(DataError) as found:
        training_cutoffs(cutoffs(test=("2023-11-01",)), year, LABELS)
    assert str(found.value) == (
        "Cutoff 2023-11-01 needs 90 days of outcome; the data of orders ends at 2023-12-31. Use it from 2024-01-30 on, "
        "when its outcome is complete, or take a cutoff no later than 2023-10-02."
    )


def test_a_source_that_stops_early_is_not_mistaken_for_customers_who_stopped() -> None:
    """Tickets of today beside orders of last quarter would make everyone look lost."""
    orders = [{"customer_id": "a", "event_time": f"2023-0{month}-01", "amount": 1.0} for month in range(1, 7)]
    tickets = [{"customer_id": "a", "opened_time": "2023-12-31"}]
    with opened_rows(orders=orders, tickets=tickets) as tables:
        assert show(complete_until(tables, LABELS)) == "2023-03-03"
        with pytest.raises(DataError, match="the data of orders ends at 2023-06-01"):
            require_complete([instant("2023-05-01")], tables, LABELS)


def test_a_cutoff_is_complete_at_the_last_instant_of_its_outcome(year: Engine) -> None:
    """Not a day is wasted, and not a microsecond invented."""
    last = instant("2023-10-02")
    require_complete([last], year, LABELS)
    with pytest.raises(DataError, match="needs 90 days of outcome"):
        require_complete([last + 1], year, LABELS)


def test_a_cutoff_before_the_data_is_refused(year: Engine) -> None:
    """Nothing had happened yet."""
    with pytest.raises(DataError, match=r"Cutoff 2022-05-01 lies before the first event of the data \(2023-01-01\)"):
        require_complete([instant("2022-05-01")], year, LABELS)


@pytest.mark.parametrize("horizon", [400, 36_525])
def test_a_horizon_longer_than_the_history_is_one_clear_message(year: Engine, horizon: float) -> None:
    """Also one of a hundred years, whose end lies far from anything the data covers."""
    churn = ChurnSettings(kind="no_order", horizon_days=horizon)
    labels = LabelSettings(churn=churn, value=ValueSettings(of="revenue", horizon_days=90))
    with pytest.raises(DataError, match=f"needs {horizon} days of outcome; .* or shorten the horizon"):
        training_cutoffs(cutoffs(), year, labels)


def test_without_a_cutoff_before_the_test_there_is_nothing_to_train_on(year: Engine) -> None:
    """The message tells which dates it looked at."""
    with pytest.raises(
        ConfigError, match=r"from cutoffs\.first \(2023-09-02\) up to the first test cutoff \(2023-09-01\)"
    ):
        training_cutoffs(cutoffs(first="2023-09-02"), year, LABELS)
    with pytest.raises(ConfigError, match="found none"):
        training_cutoffs(cutoffs(first="2030-01-01", every=7), year, LABELS)


@pytest.mark.parametrize(
    "given",
    [{"every": 0}, {"every": -30}, {"every": 1e-9}, {"every": float("inf")}, {"every": "week"}, {"test": ()}],
)
def test_a_rhythm_that_never_ends_is_refused(given: dict[str, Any]) -> None:
    """Steps of nothing would loop for ever or fill the memory."""
    with pytest.raises(ValidationError):
        cutoffs(**given)


def test_a_static_attribute_does_not_stretch_the_data_to_the_beginning_of_time() -> None:
    """What was always known says nothing about when the events begin."""
    with opened(raw_business(11)) as tables:
        assert tables.data_from > instant("2015-01-01")
