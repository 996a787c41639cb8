"""What a contact is worth, and who is held back."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from holdfast.outreach.control import draws
from holdfast.outreach.net_value import above, worth
from tests.unit.outreach.scored import outreach_settings

ONE = pd.DataFrame(
    {
        "p_gone": [0.2],
        "p_leaving": [0.5],
        "p_staying": [0.3],
        "value_if_kept": [220.0],
        "value_if_kept_low": [60.0],
        "value_if_kept_high": [620.0],
        "value_if_lost": [20.0],
    }
)
ACTIONS = outreach_settings().actions


def test_net_value_is_what_is_kept_minus_what_it_costs() -> None:
    """By hand: half leave, 30 % of them are saved, each brings 220 and not 20: 0.5 * 0.3 * (220 - 20) - 8 = 22."""
    found = worth(ONE, np.array(["service_recovery"], dtype=object), ACTIONS)
    assert found["net_value"][0] == pytest.approx(22.0)
    assert found["net_value_low"][0] == pytest.approx(-2.0)
    assert found["p_net_positive"][0] == pytest.approx(norm.cdf((200 - 8 / 0.15) / ((200 - 40) / norm.ppf(0.95))))


def test_to_leave_somebody_alone_is_worth_nothing_and_costs_nothing() -> None:
    """The zero against which every action is measured."""
    assert worth(ONE, np.array(["leave_alone"], dtype=object), ACTIONS).iloc[0].tolist() == [0.0, 0.0, 0.0]


def test_the_models_own_distribution_is_asked_for_the_amount_that_pays() -> None:
    """The contact pays if what is at stake exceeds cost / (p_leaving * save rate)."""
    asked: list[np.ndarray] = []

    def certain(amount: np.ndarray) -> np.ndarray:
        asked.append(amount)
        return np.array([0.75])

    found = worth(ONE, np.array(["service_recovery"], dtype=object), ACTIONS, certain)
    assert asked[0] == pytest.approx([8 / 0.15])
    assert found["p_net_positive"][0] == 0.75


def test_what_wins_back_is_worth_what_it_brings_back_of_those_who_have_gone() -> None:
    """By hand: a fifth has gone, 4 % of them come back, each brings 220 and not 20: 0.2 * 0.04 * 200 - 2 = -0.4."""
    found = worth(ONE, np.array(["win_back"], dtype=object), ACTIONS)
    assert found["net_value"][0] == pytest.approx(-0.4)
    nobody_gone = ONE.assign(p_gone=0.0)
    assert worth(nobody_gone, np.array(["win_back"], dtype=object), ACTIONS)["net_value"][0] == pytest.approx(-2.0)


def test_to_keep_whoever_has_gone_is_worth_next_to_nothing() -> None:
    """With 95 % gone and 2 % leaving, the dearest call brings back a tenth of its cost at most."""
    gone = ONE.assign(p_gone=0.95, p_leaving=0.02, p_staying=0.03)
    names = [name for name, action in ACTIONS.items() if not action.wins_back]
    for name in names:
        found = worth(gone, np.array([name], dtype=object), ACTIONS)["net_value"][0] + ACTIONS[name].cost
        assert 0 <= found <= 0.02 * 200 * ACTIONS[name].save_rate + 1e-12
    back = worth(gone, np.array(["win_back"], dtype=object), ACTIONS)["net_value"][0]
    assert back == pytest.approx(0.95 * 0.04 * 200 - 2)


@pytest.mark.parametrize("staying", [0.0, 0.1, 0.5])
def test_the_more_a_customer_has_gone_the_less_it_is_worth_to_keep_them(staying: float) -> None:
    """Whatever the split of the others, a larger ``p_gone`` never makes keeping somebody pay."""
    gone = np.linspace(0, 1 - staying, 21)
    rows = pd.concat([ONE] * 21, ignore_index=True).assign(p_gone=gone, p_leaving=1 - staying - gone, p_staying=staying)
    for name, action in ACTIONS.items():
        found = worth(rows, np.full(21, name, dtype=object), ACTIONS)
        rises = np.diff(found[["net_value", "p_net_positive"]].to_numpy(), axis=0) * (1 if action.wins_back else -1)
        assert (rises >= 0).all()


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
