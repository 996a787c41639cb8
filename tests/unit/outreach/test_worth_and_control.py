"""What a contact is worth, and who is held back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from holdfast.outreach.control import draws
from holdfast.outreach.net_value import above, worth
from tests.unit.outreach.scored import outreach_settings

ONE = pd.DataFrame({"p_churn": [0.5], "value": [200.0], "value_low": [40.0], "value_high": [600.0]})
ACTIONS = outreach_settings().actions


def test_net_value_is_what_is_kept_minus_what_it_costs() -> None:
    """By hand: half leave, 30 % of them are saved, 200 each, 8 for the call: 0.5 * 0.3 * 200 - 8 = 22."""
    found = worth(ONE, np.array(["service_recovery"], dtype=object), ACTIONS)
    assert found["net_value"][0] == pytest.approx(22.0)
    assert found["net_value_low"][0] == pytest.approx(-2.0)
    assert found["p_net_positive"][0] == pytest.approx(norm.cdf((200 - 8 / 0.15) / ((200 - 40) / norm.ppf(0.95))))


def test_to_leave_somebody_alone_is_worth_nothing_and_costs_nothing() -> None:
    """The zero against which every action is measured."""
    assert worth(ONE, np.array(["leave_alone"], dtype=object), ACTIONS).iloc[0].tolist() == [0.0, 0.0, 0.0]


def test_the_models_own_distribution_is_asked_for_the_amount_that_pays() -> None:
    """The contact pays if the value exceeds cost / (risk * save rate)."""
    asked: list[np.ndarray] = []

    def certain(amount: np.ndarray) -> np.ndarray:
        asked.append(amount)
        return np.array([0.75])

    found = worth(ONE, np.array(["service_recovery"], dtype=object), ACTIONS, certain)
    assert asked[0] == pytest.approx([8 / 0.15])
    assert found["p_net_positive"][0] == 0.75


def test_the_stand_in_distribution_meets_the_interval() -> None:
    """5 % lie below the lower bound and 5 % above the upper one, whatever the skew; a sure value is a step."""
    at = np.array([40.0, 200.0, 600.0])
    same = np.ones(3)
    assert above(at, 200 * same, 40 * same, 600 * same) == pytest.approx([0.95, 0.5, 0.05])
    assert above(np.array([9.0, 10.0, 11.0]), 10 * same, 10 * same, 10 * same) == pytest.approx([1.0, 0.0, 0.0])


def test_the_draw_depends_on_the_customer_alone() -> None:
    """The same customers stay control night after night, or the comparison is of nobody with nobody."""
    alone = draws(["b"], "spring")
    assert draws(["a", "b", "c"], "spring")[1] == alone[0]
    assert draws(["b"], "autumn")[0] != alone[0]
    assert draws(["bspring"], "")[0] != alone[0]


def test_the_draw_is_pinned() -> None:
    """A change of the hash would silently replace every control group in the world."""
    assert draws(["c00001", "Zoë"], "tests") == pytest.approx([0.2326863307913326, 0.3288177212544703], abs=1e-15)


def test_the_draw_is_uniform() -> None:
    """A control share of 10 % must hold back 10 %: within 4 standard errors on 20,000 customers, in every tenth."""
    drawn = draws((f"customer-{i}" for i in range(20_000)), "tests")
    counts = np.histogram(drawn, bins=10, range=(0, 1))[0]
    assert np.abs(counts - 2000).max() < 4 * np.sqrt(20_000 * 0.1 * 0.9)
    assert drawn.min() >= 0
    assert drawn.max() < 1


def test_a_larger_share_keeps_who_was_control_before() -> None:
    """Raising the share adds customers to the group and releases none."""
    drawn = draws((f"customer-{i}" for i in range(1000)), "tests")
    assert set(np.flatnonzero(drawn < 0.1)) <= set(np.flatnonzero(drawn < 0.2))
