"""Own features: what the configuration says, what is refused, and how they join the catalogue."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from holdfast.errors import ConfigError
from holdfast.features.catalogue import EVERYTHING, RESERVED, Vocabulary, catalogue
from holdfast.features.feature import UNITS, Feature
from holdfast.features.own import OwnFeatures, declared, descriptions, found_in, require_sensible, together
from holdfast.features.settings import FeatureSettings
from holdfast.history.aggregates import (
    Count,
    Distinct,
    Growth,
    Last,
    Mean,
    Over,
    Pace,
    Ratio,
    Share,
    Sum,
    Trend,
)
from holdfast.history.conditions import Where
from holdfast.history.custom import OwnFunction
from holdfast.history.registry import BUILT_IN, OF_A_LEVEL, OF_CONDITIONS, OF_NUMBERS, OF_VALUES, USUAL
from holdfast.models.feature_record import FeatureRecord
from holdfast.sources.kinds import KINDS
from holdfast.testing import check_feature
from holdfast.timeline import LIFETIME, Days
from tests.raw_business import CUTOFF, DAY, opened_rows

LOUNGE = {
    "source": "engagement",
    "aggregate": "count",
    "where": "kind == 'visit' and quantity >= 2",
    "window": 90,
    "unit": "count",
    "meaning": "visited the lounge {value} times in the last 90 days",
}


def settings(**changes: Any) -> FeatureSettings:
    """A feature that can be right; None removes a key."""
    return FeatureSettings.model_validate({key: v for key, v in (LOUNGE | changes).items() if v is not None})


def record(**changes: Any) -> Feature:
    """Its record."""
    (found,) = declared({"lounge_visits_90d": settings(**changes)})
    return found


def refused(**changes: Any) -> str:
    """The message with which a feature is refused."""
    with pytest.raises(ConfigError) as caught:
        record(**changes)
    return str(caught.value)


def test_settings_become_the_record_that_python_would_write() -> None:
    """Two ways to say the same must give the same."""
    where = Where("kind", "==", "visit") & Where("quantity", ">=", 2.0)
    assert record().aggregate == Count(where)
    assert (record().source, record().window, record().unit, record().family) == (
        "engagement",
        Days(90),
        "count",
        "own",
    )
    assert math.isnan(record().when_empty)
    assert not record().actionable
    assert record(when_empty=0, actionable=True, family="lounge").record() == FeatureRecord(
        name="lounge_visits_90d",
        unit="count",
        window_days=90.0,
        meaning="visited the lounge {value} times in the last 90 days",
        family="lounge",
        when_empty=0.0,
        when_missing="lounge visits 90d not known",
        actionable=True,
    )


@pytest.mark.parametrize(
    ("changes", "aggregate"),
    [
        ({"aggregate": "mean", "column": "quantity", "where": None}, Mean("quantity")),
        ({"aggregate": "distinct", "column": "kind", "where": None}, Distinct("kind")),
        ({"aggregate": "share", "where": "kind == 'visit'"}, Share(Where("kind", "==", "visit"))),
        ({"aggregate": "trend", "where": None}, Trend(Count())),
        ({"aggregate": "growth", "column": "quantity", "where": None}, Growth(Sum("quantity"))),
        ({"aggregate": "pace", "where": None}, Pace(Count(), USUAL)),
        (
            {"where": None, "divided_by": {"aggregate": "count", "where": "quantity > 1"}},
            Ratio(Count(), Count(Where("quantity", ">", 1.0))),
        ),
        (
            {"where": None, "divided_by": {"aggregate": "sum", "column": "quantity", "window": "lifetime"}},
            Ratio(Count(), Over(Sum("quantity"), LIFETIME)),
        ),
    ],
)
def test_words_are_aggregates(changes: dict[str, Any], aggregate: object) -> None:
    """With a column, a condition, a divisor, as they need."""
    assert record(**changes).aggregate == aggregate


@pytest.mark.parametrize("word", BUILT_IN)
def test_every_word_makes_a_feature_that_passes_the_battery(word: str) -> None:
    """What YAML can say is held to what holds for the catalogue."""
    column = "quantity" if word in OF_NUMBERS or word in OF_VALUES or word in OF_A_LEVEL else None
    where = "kind == 'visit'" if word in OF_CONDITIONS else None
    check_feature(record(aggregate=word, column=column, where=where, unit="score"), examples=20)


def test_a_lifetime_and_a_category() -> None:
    """The window has no default, because it decides the answer."""
    (found,) = declared(
        {"last_kind": settings(aggregate="last", column="kind", where=None, window="lifetime", unit="category")}
    )
    assert (found.window, found.aggregate, found.is_category) == (LIFETIME, Last("kind"), True)
    with pytest.raises(ValidationError, match="window"):
        settings(window=None)


@pytest.mark.parametrize("window", [0, -3, math.nan, 2_000_000, "life", True])
def test_a_window_that_cannot_be_is_refused_in_one_sentence(window: Any) -> None:
    """Days or lifetime are two alternatives to the reader, and one mistake."""
    with pytest.raises(ValidationError) as caught:
        settings(window=window)
    (problem,) = caught.value.errors()
    assert problem["loc"] == ("window",)
    assert problem["msg"].endswith("wanted days, more than 0 and at most 1,000,000, or lifetime")


def test_the_units_and_sources_of_the_settings_are_those_of_the_records() -> None:
    """A new unit or source must reach the configuration too."""
    fields = FeatureSettings.model_fields
    assert fields["unit"].annotation.__args__ == UNITS  # type: ignore[union-attr]
    assert set(fields["source"].annotation.__args__) == {*KINDS, "items"}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"aggregate": "cuont"}, "no aggregate is called 'cuont' (did you mean 'count'?). There are count, "),
        ({"aggregate": "sum"}, "the aggregate 'sum' wants a column"),
        ({"column": "quantity"}, "the aggregate 'count' reads no column, found 'quantity'"),
        ({"aggregate": "share", "where": None}, "the aggregate 'share' wants a condition"),
        ({"meaning": "visited often"}, "wanted a sentence with one {value}"),
        ({"unit": "category"}, "wanted the aggregate First or Last"),
        ({"window": 60}, "the name says 90 days, the window is 60 days"),
        ({"window": "lifetime"}, "the name says 90 days, the window is a lifetime"),
        ({"divided_by": {"aggregate": "mean"}}, "the aggregate 'mean' wants a column"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_place(changes: dict[str, Any], part: str) -> None:
    """Before anything is read."""
    message = refused(**changes)
    assert message.startswith("features.lounge_visits_90d: ")
    assert part in message


@pytest.mark.parametrize("changes", [{"where": "kind = 'visit'"}, {"windw": 3}, {"source": "order"}, {"window": 0}])
def test_settings_check_themselves(changes: dict[str, Any]) -> None:
    """Editors and the loader name these with every other mistake."""
    with pytest.raises(ValidationError):
        settings(**changes)


def test_records_of_python_stand_beside_settings_and_are_sorted() -> None:
    """The order in a file must not change a model."""
    more = Feature("a_first", "orders", Count(), "count", "ordered {value} times", "own")
    found = declared({"z_last": settings(), "b_next": settings()}, [more])
    assert [feature.name for feature in found] == ["a_first", "b_next", "z_last"]
    with pytest.raises(ConfigError, match="found a_first twice"):
        declared({"a_first": settings()}, [more])
    with pytest.raises(ConfigError, match="wanted a name in lower-case letters"):
        declared({}, [Feature("Visits", "orders", Count(), "count", "ordered {value} times", "own")])
    with pytest.raises(ConfigError, match="Wanted Feature records as own features, found str"):
        declared({}, ["visits"])  # type: ignore[list-item]


def test_own_features_stand_behind_the_catalogue() -> None:
    """And change nothing of it."""
    own = declared({"lounge_visits_90d": settings()})
    assert together(EVERYTHING, own) == (*catalogue(EVERYTHING), *own)
    assert together(EVERYTHING, ()) == catalogue(EVERYTHING)


@pytest.mark.parametrize("name", ["spend_90d", "days_since_survey", *sorted(RESERVED), "tenure_days"])
def test_a_name_that_is_taken_is_refused(name: str) -> None:
    """Also by a feature of a source that is not mapped yet: it would clash on the day when it is."""
    columns = {key: texts for key, texts in EVERYTHING.columns.items() if key != "surveys"}
    (own,) = declared({name: settings(window=90 if name == "spend_90d" else 30)})
    with pytest.raises(ConfigError, match=rf"features.{name}: this name is taken"):
        together(Vocabulary(columns, {}), (own,), {"tenure_days"})


def test_a_source_or_column_that_is_not_there_is_an_error() -> None:
    """A catalogue feature goes with its source; one that somebody asked for by name must not vanish unseen."""
    own = declared({"lounge_visits_90d": settings()})
    with pytest.raises(ConfigError, match="wanted the source 'engagement', found orders"):
        together(Vocabulary({"orders": ("amount",)}, {}), own)
    with pytest.raises(ConfigError, match=r"no column 'quantity' \(did you mean 'quantities'\?\). It has kind, quan"):
        together(Vocabulary({"engagement": ("kind", "quantities")}, {}), own)


def sensible(**changes: Any) -> str:
    """What the data has against a feature; nothing if it is fine."""
    row = {"customer_id": "a", "event_time": CUTOFF - DAY, "kind": "visit", "quantity": 1.0}
    with opened_rows(engagement=[row]) as tables:
        try:
            require_sensible(tables, declared({"lounge_visits_90d": settings(**changes)}))
        except ConfigError as error:
            return str(error)
    return ""


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({}, ""),
        ({"where": "kind == 'visitt'"}, "no event has kind == 'visitt' (did you mean 'visit'?)"),
        ({"where": "kind == 'xyz'"}, "no event has kind == 'xyz'; the column holds 1 different texts"),
        ({"where": "kind > 2"}, "wanted numbers in the column 'kind' of 'engagement', because the condition compares"),
        ({"where": "quantity == '2'"}, "wanted texts in the column 'quantity'"),
        ({"aggregate": "sum", "column": "kind"}, "wanted numbers in the column 'kind' of 'engagement', because Sum"),
        ({"aggregate": "last", "column": "kind"}, "because the unit is count; found texts"),
        ({"aggregate": "last", "column": "quantity", "unit": "category"}, "because the unit is category; found numb"),
        ({"where": None, "divided_by": {"aggregate": "mean", "column": "kind"}}, "because Mean computes with it"),
        ({"aggregate": "trend", "column": "kind", "where": None}, "because Sum computes with it"),
        ({"aggregate": "distinct", "column": "kind", "where": None}, ""),
    ],
)
def test_the_data_is_asked_whether_a_feature_makes_sense(changes: dict[str, Any], part: str) -> None:
    """A misspelt text would count nothing, and codes of texts added up would mean nothing, for years."""
    message = sensible(**changes)
    assert (part in message) if part else message == ""


def test_conditions_are_found_however_deep_they_are_nested() -> None:
    """In compositions, under other windows, in own aggregates."""
    one, two, three = (Where("amount", ">", float(i)) for i in range(3))
    function = OwnFunction("f", "0", lambda values, times, cutoff: 1.0)
    nest = Ratio(Over(Count(one & two), Days(3)), Trend(function("amount", three)))
    assert found_in(nest, (Where,)) == [one, two, three]
    assert found_in([nest], (Days,)) == [Days(3)]


def test_a_description_follows_what_is_computed_and_not_how_it_is_told() -> None:
    """A new sentence needs no new model; another condition does."""
    told = declared({"lounge_visits_90d": settings(meaning="came {value} times")})
    same = declared({"lounge_visits_90d": settings()})
    other = declared({"lounge_visits_90d": settings(where="kind == 'visit'")})
    assert descriptions(told) == descriptions(same) != descriptions(other)
    assert descriptions(same) != descriptions(declared({"lounge_visits_90d": settings(when_empty=0.0)}))


def test_the_fingerprint_is_that_of_the_package_until_there_is_something_own(tmp_path: Path) -> None:
    """Then it follows the definitions and the code of the modules."""
    path = tmp_path / "own_module_of_a_test.py"
    path.write_text("x = 1\n", encoding="utf-8")
    nothing = OwnFeatures.of((), {}, beside=tmp_path)
    one = OwnFeatures.of((), {"lounge_visits_90d": settings()}, beside=tmp_path)
    other = OwnFeatures.of((), {"lounge_visits_90d": settings(when_empty=0.0)}, beside=tmp_path)
    module = OwnFeatures.of(("own_module_of_a_test",), {}, beside=tmp_path)
    path.write_text("x = 2\n", encoding="utf-8")
    changed = OwnFeatures.of(("own_module_of_a_test",), {}, beside=tmp_path)
    found = [each.fingerprint("code") for each in (nothing, one, other, module, changed)]
    assert found[0] == "code"
    assert len(set(found)) == 5
