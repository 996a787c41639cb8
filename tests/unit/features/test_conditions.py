"""Conditions as texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.features.conditions import condition
from holdfast.history.conditions import All, Where


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("kind == 'visit'", Where("kind", "==", "visit")),
        ("topic==\"late, and 'broken'\"", Where("topic", "==", "late, and 'broken'")),
        ("amount >= 10", Where("amount", ">=", 10.0)),
        ("amount<-.5e3", Where("amount", "<", -500.0)),
        ("  score <= 6  ", Where("score", "<=", 6.0)),
        ("and == 1", Where("and", "==", 1.0)),
        ("kind == 'a' and amount > 1", Where("kind", "==", "a") & Where("amount", ">", 1.0)),
    ],
)
def test_a_condition_is_what_its_text_says(text: str, wanted: Where | All) -> None:
    """People write it as they would in a query."""
    assert condition(text) == wanted


def test_three_comparisons_are_all_asked_for() -> None:
    """Two are not the limit."""
    found = condition("kind == 'a' and amount > 1 and amount < 9")
    assert found == All((Where("kind", "==", "a"), Where("amount", ">", 1.0), Where("amount", "<", 9.0)))
    assert found.columns == {"kind", "amount"}


def test_a_condition_may_be_as_long_as_one_likes() -> None:
    """Generated conditions have thousands of terms; none of them nests into the other."""
    found = condition(" and ".join(["amount > 1"] * 5_000))
    assert isinstance(found, All)
    assert len(found.parts) == 5_000
    assert found.columns == {"amount"}


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        ("", "a column", "its end"),
        ("kind", "one of == >= > <= <", "its end"),
        ("kind = 'visit'", "one of == >= > <= <", "= 'visit'"),
        ("kind != 'visit'", "one of == >= > <= <", "!= 'visit'"),
        ("kind == visit", "a value", "visit"),
        ("kind == 'visit", "a value", "'visit"),
        ("kind > 'visit'", "a number after > or <", "'visit'"),
        ("kind == 'a' or kind == 'b'", "'and' or the end", "or kind == 'b'"),
        ("kind == 'a' and", "a column", "its end"),
        ("amount > 1 amount < 2", "'and' or the end", "amount < 2"),
        ("amount > 1and amount < 2", "a value", "1and amount < 2"),
        ("__import__('os').system('x')", "one of == >= > <= <", "('os').system('x')"),
        ("'a' == kind", "a column", "'a' == kind"),
        ("(amount > 1)", "a column", "(amount > 1)"),
    ],
)
def test_anything_else_is_refused_where_it_stops_making_sense(text: str, wanted: str, found: str) -> None:
    """A condition that is half understood would count the wrong events for years."""
    with pytest.raises(ValueError, match="in the condition") as caught:
        condition(text)
    assert f"wanted {wanted}, found " in str(caught.value)
    assert found in str(caught.value)


@given(text=st.text(alphabet="ab1.'\" =<>-+and()"))
def test_no_text_does_anything_but_state_a_condition_or_be_refused(text: str) -> None:
    """Whatever stands in a configuration, the answer is a record or a message."""
    try:
        found = condition(text)
    except ValueError as error:
        found, message = None, str(error)
    assert isinstance(found, Where | All) or "in the condition" in message
