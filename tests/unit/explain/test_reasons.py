"""The top reasons of each customer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from holdfast.errors import DataError
from holdfast.explain import reason_columns, reasons
from holdfast.models.feature_record import FeatureRecord


def records(**families: str) -> list[FeatureRecord]:
    """Features and their families."""
    return [
        FeatureRecord(name, unit="count", meaning=f"has {{value}} {name}", family=family)
        for name, family in families.items()
    ]


SPECS = records(a="orders", b="orders", c="spend", d="support", e="season")
VALUES = pd.DataFrame({"a": [2.0], "b": [3.0], "c": [4.0], "d": [5.0], "e": [6.0]})


def explained(*added: float, n: int = 3) -> pd.Series:
    """The reasons of one customer to whose log-odds the features add so much."""
    contributions = np.array([[*added, -1.5]])
    return reasons(contributions, VALUES, SPECS, None, n).iloc[0]


def test_the_strongest_drivers_that_raise_the_risk_come_first() -> None:
    """The first reason is what a colleague reads out; it must be the one that weighs most."""
    row = explained(0.1, 0.0, 0.5, 0.3, 0.0)
    assert [row["reason_1"], row["reason_2"], row["reason_3"]] == ["has 4 c", "has 5 d", "has 2 a"]
    assert [row["reason_1_contribution"], row["reason_2_contribution"]] == [0.5, 0.3]
    assert [row["reason_1_family"], row["reason_1_feature"]] == ["spend", "c"]


def test_a_family_speaks_once() -> None:
    """Three sentences about orders say one thing; three families say three."""
    row = explained(0.9, 0.8, 0.1, 0.0, 0.0)
    assert [row[f"reason_{i}_feature"] for i in (1, 2, 3)] == ["a", "c", ""]


def test_a_family_counts_as_a_whole() -> None:
    """A model may raise the risk by one feature and lower it by its neighbour; only their sum means something."""
    row = explained(0.9, -0.7, 0.5, 0.0, 0.0)
    assert [row["reason_1_feature"], row["reason_2_feature"]] == ["c", "a"]
    assert row["reason_2_contribution"] == pytest.approx(0.2)


def test_parts_of_a_family_speak_with_one_voice() -> None:
    """Visits and clicks are both engagement: two sentences about them would say one thing."""
    parts = records(a="engagement", b="engagement: visit", c="spend", d="support", e="season")
    contributions = np.array([[0.2, 0.3, 0.1, 0.0, 0.0, -1.5]])
    row = reasons(contributions, VALUES, parts, None).iloc[0]
    assert [row[f"reason_{i}_feature"] for i in (1, 2, 3)] == ["b", "c", ""]
    assert row["reason_1_contribution"] == pytest.approx(0.5)


def test_what_lowers_the_risk_is_no_reason() -> None:
    """Nothing that keeps a customer belongs under 'why they are at risk'; the empty place has no text and adds 0."""
    row = explained(-0.2, -0.1, -3.0, 0.4, 0.0)
    assert row["reason_1"] == "has 5 d"
    assert [row["reason_2"], row["reason_3"], row["reason_2_feature"]] == ["", "", ""]
    assert [row["reason_2_contribution"], row["reason_3_contribution"]] == [0.0, 0.0]
    assert row["other_contribution"] == pytest.approx(-3.3)


def test_the_season_is_no_reason_because_it_is_everybodys() -> None:
    """It still counts: its contribution stands under the others."""
    row = explained(0.0, 0.0, 0.0, 0.0, 2.0)
    assert row["reason_1"] == ""
    assert row["other_contribution"] == 2.0


def test_equally_strong_reasons_keep_the_order_of_the_records() -> None:
    """Two runs over the same data must write the same bytes."""
    row = explained(0.4, 0.4, 0.4, 0.4, 0.0)
    assert [row[f"reason_{i}_feature"] for i in (1, 2, 3)] == ["a", "c", "d"]


def test_base_reasons_and_the_rest_add_up_to_the_log_odds() -> None:
    """What the page claims to explain is the published risk itself, to the last digit."""
    rng = np.random.default_rng(0)
    contributions = rng.normal(0, 2, (500, 6))
    values = pd.DataFrame(rng.normal(0, 2, (500, 5)), columns=[*"abcde"], index=range(7, 507))
    found = reasons(contributions, values, SPECS, None)
    assert list(found) == reason_columns()
    assert list(found.index) == list(values.index)
    parts = found[["base_log_odds", *(f"reason_{i}_contribution" for i in (1, 2, 3)), "other_contribution"]]
    assert np.abs(parts.sum(axis=1) - contributions.sum(axis=1)).max() < 1e-12


def test_any_number_of_reasons_may_be_asked_for() -> None:
    """More reasons than families leave places empty instead of failing."""
    assert explained(0.1, 0.2, 0.3, 0.4, 0.5, n=5)["reason_5"] == ""
    assert explained(0.1, 0.2, 0.3, 0.4, 0.5, n=1)["other_contribution"] == pytest.approx(1.1)


def test_no_customers_give_an_empty_table_of_the_same_types() -> None:
    """A table whose types depend on its length breaks its readers on the quiet day."""
    whole = reasons(np.zeros((1, 6)), VALUES, SPECS, None)
    empty = reasons(np.zeros((0, 6)), VALUES[:0], SPECS, None)
    assert len(empty) == 0
    assert list(empty.dtypes) == list(whole.dtypes)


def test_contributions_that_are_no_numbers_are_refused() -> None:
    """A missing contribution would make a reason out of nothing."""
    contributions = np.array([[0.0, np.nan, 0.0, 0.0, 0.0, 0.0]])
    with pytest.raises(DataError, match="finite contributions"):
        reasons(contributions, VALUES, SPECS, None)


def test_tables_of_different_customers_or_features_are_refused() -> None:
    """Reasons of one customer beside the values of another would be slander."""
    for shape in ((2, 6), (1, 5)):
        with pytest.raises(DataError, match=rf"of shape \(1, 6\), found shape \({shape[0]}, {shape[1]}\)"):
            reasons(np.zeros(shape), VALUES, SPECS, None)
