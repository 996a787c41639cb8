"""Definitions of churn and value: what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from holdfast.labels import ChurnSettings, LabelSettings, ValueSettings


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "horizon_days"),
        ({"horizon_days": 0}, "greater than 0"),
        ({"horizon_days": float("inf")}, "less than or equal to 36525"),
        ({"horizon_days": float("nan")}, "less than or equal to 36525"),
        ({"horizon_days": 1e12}, "less than or equal to 36525"),
        ({"horizon_days": 90, "gap_days": -1}, "greater than or equal to 0"),
        ({"horizon_days": 90, "grace_days": 7}, "grace_days belongs to kind subscription_end"),
        ({"horizon_days": 90, "events": ("visit",)}, "events belongs to kind no_event"),
        ({"kind": "subscription_end", "horizon_days": 90}, "which needs it"),
        ({"kind": "no_event", "horizon_days": 90, "events": ()}, "at least 1 item"),
        ({"kind": "cancelled", "horizon_days": 90}, "'no_order', 'subscription_end' or 'no_event'"),
        ({"horizon_days": 90, "horizon": 30}, "Extra inputs are not permitted"),
    ],
)
def test_a_definition_of_churn_that_cannot_be_right_is_refused(given: dict[str, Any], says: str) -> None:
    """What decides the answer has no default, and a length that no calendar holds would only fail much later."""
    with pytest.raises(ValidationError, match=says):
        ChurnSettings(**{"kind": "no_order", **given})


@pytest.mark.parametrize("given", [{}, {"of": "revenue"}, {"of": "profit", "horizon_days": 90}])
def test_a_definition_of_value_needs_its_kind_and_horizon(given: dict[str, Any]) -> None:
    """Revenue of which days? A silent answer would be a wrong one."""
    with pytest.raises(ValidationError):
        ValueSettings(**given)


@pytest.mark.parametrize(
    ("gap", "grace", "value_days", "complete_after"),
    [(0, 0, 90, 90), (14, 0, 90, 104), (14, 30, 90, 134), (0, 0, 365, 365)],
)
def test_labels_are_complete_when_the_longest_of_their_windows_is_over(
    gap: float, grace: float, value_days: float, complete_after: float
) -> None:
    """A label from a window that still runs counts customers as lost who are not."""
    churn = ChurnSettings(kind="subscription_end", horizon_days=90, gap_days=gap, grace_days=grace)
    settings = LabelSettings(churn=churn, value=ValueSettings(of="mrr", horizon_days=value_days))
    assert settings.complete_after.count == complete_after
    assert settings.gap.count == gap
