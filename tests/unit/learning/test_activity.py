"""The hidden Markov model of activity, on customers whose states are known because they were drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from holdfast.learning import activity
from holdfast.learning.activity import GONE, THERE, ActivityModel, since_the_first

PERIODS, BEGIN, END = 15, 8, 11
MOVES = np.array([[0.92, 0.08], [0.03, 0.97]])
LEFT = 0.04


@dataclass(frozen=True)
class Drawn:
    """Counts of customers, the periods that are seen of them, and the states that they were drawn from."""

    counts: np.ndarray
    seen: np.ndarray
    states: np.ndarray


def draw(customers: int = 4_000, *, left: float = LEFT, moves: np.ndarray = MOVES, seed: int = 0) -> Drawn:
    """All are there at first; the rate of each is drawn once, from a gamma distribution of mean 6."""
    rng = np.random.default_rng(seed)
    rate, states = rng.gamma(3.0, 2.0, customers), np.zeros((customers, PERIODS), dtype=int)
    for period in range(1, PERIODS):
        states[:, period] = rng.random(customers) < moves[states[:, period - 1], GONE]
    counts = rng.poisson(rate[:, None] * np.where(states == GONE, left, 1.0)).astype(float)
    return Drawn(counts, since_the_first(counts, np.ones(counts.shape, dtype=bool)), states)


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """Customers of a business where some go and a few come back."""
    return draw()


@pytest.fixture(scope="module")
def model(drawn: Drawn) -> ActivityModel:
    """What their counts tell, without their states."""
    return ActivityModel.fit(drawn.counts, drawn.seen)


def test_the_rules_that_counts_were_drawn_by_are_found_again(drawn: Drawn, model: ActivityModel) -> None:
    """How many go and come back, and what little those who have gone still do."""
    assert model.left == pytest.approx(LEFT, abs=0.02)
    assert model.moves[THERE, GONE] == pytest.approx(MOVES[THERE, GONE], abs=0.01)
    assert model.moves[GONE, THERE] == pytest.approx(MOVES[GONE, THERE], abs=0.01)
    assert model.moves.sum(axis=1) == pytest.approx([1, 1])
    assert model.shares @ model.rates == pytest.approx(6.0, rel=0.05)


def test_as_many_have_gone_as_the_model_says(drawn: Drawn, model: ActivityModel) -> None:
    """At the cutoff, and of those who were there, by the end of the outcome window."""
    both, _ = model.states(drawn.counts, drawn.seen, BEGIN, END)
    assert both.sum(axis=(1, 2)) == pytest.approx(np.ones(len(both)))
    at, after = drawn.states[:, BEGIN], drawn.states[:, END]
    assert both[:, GONE].sum(axis=1).mean() == pytest.approx((at == GONE).mean(), abs=0.02)
    left = (at == THERE) & (after == GONE)
    assert both[:, THERE, GONE].mean() == pytest.approx(left.mean(), abs=0.015)


def test_of_those_with_a_probability_so_many_have_gone(drawn: Drawn, model: ActivityModel) -> None:
    """Calibrated, also in between, where the labels say that they doubt."""
    gone = model.states(drawn.counts, drawn.seen, BEGIN, END)[0][:, GONE].sum(axis=1)
    truly = drawn.states[:, BEGIN] == GONE
    bins = np.digitize(gone, [0.1, 0.5, 0.9])
    for each in range(4):
        rows = bins == each
        error = np.sqrt(max((gone[rows] * (1 - gone[rows])).sum(), 1)) / rows.sum()
        assert abs(gone[rows].mean() - truly[rows].mean()) < 4 * error + 0.02


def test_how_long_leavers_were_there_is_part_of_the_window(drawn: Drawn, model: ActivityModel) -> None:
    """Who goes in the window is there for less than all of it, and on average for as long as the drawn ones were."""
    both, there = model.states(drawn.counts, drawn.seen, BEGIN, END)
    assert ((there >= 0) & (there <= both[:, THERE, GONE] + 1e-12)).all()
    left = (drawn.states[:, BEGIN] == THERE) & (drawn.states[:, END] == GONE)
    stayed = (drawn.states[left, BEGIN + 1 : END + 1] == THERE).mean(axis=1)
    assert there.mean() == pytest.approx(stayed.sum() / len(left), abs=0.01)


def test_where_death_is_silent_whoever_shows_life_later_had_not_gone() -> None:
    """Nothing remains and nobody returns: one sign in the last period is proof."""
    certain = draw(left=0.0, moves=np.array([[0.9, 0.1], [0.0, 1.0]]), seed=3)
    model = ActivityModel.fit(certain.counts, certain.seen)
    assert model.left < 0.01
    assert model.moves[GONE, THERE] < 0.01
    gone = model.states(certain.counts, certain.seen, BEGIN, END)[0][:, GONE].sum(axis=1)
    assert gone[certain.counts[:, BEGIN + 1 :].sum(axis=1) > 2].max() < 0.05
    assert gone.mean() == pytest.approx((certain.states[:, BEGIN] == GONE).mean(), abs=0.02)


def test_of_customers_of_whom_nothing_is_seen_the_model_says_what_is_usual(drawn: Drawn, model: ActivityModel) -> None:
    """A row without a sign of life teaches nothing and gets an answer that is finite."""
    nobody = np.zeros((3, PERIODS))
    seen = np.zeros(nobody.shape, dtype=bool)
    both, there = model.states(nobody, seen, BEGIN, END)
    assert np.isfinite(both).all()
    assert np.isfinite(there).all()
    assert both.sum(axis=(1, 2)) == pytest.approx([1, 1, 1])
    with_them = ActivityModel.fit(np.vstack([drawn.counts, nobody]), np.vstack([drawn.seen, seen]))
    assert with_them.moves == pytest.approx(model.moves)


def test_before_the_first_sign_nobody_is_a_customer() -> None:
    """The months before a newcomer came are no silence, and unknown ones stay unknown."""
    counts = np.array([[0, 0, 2, 0, 1], [1, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 3, 0]], dtype=float)
    known = np.ones(counts.shape, dtype=bool)
    known[:, 4] = False
    assert since_the_first(counts, known).astype(int).tolist() == [
        [0, 0, 1, 1, 0],
        [1, 1, 1, 1, 0],
        [0, 0, 0, 0, 0],
        [0, 0, 0, 1, 0],
    ]


def test_a_newcomer_is_told_by_what_they_did_since(model: ActivityModel) -> None:
    """Who came in the period of the cutoff and is active was not silent for eight periods before it."""
    came = np.zeros((1, PERIODS))
    came[0, BEGIN:] = [6, 5, 6, 7, 5, 6, 6]
    seen = since_the_first(came, np.ones(came.shape, dtype=bool))
    assert model.states(came, seen, BEGIN, END)[0][0, THERE, THERE] > 0.99


def test_who_is_scored_beside_whom_changes_nothing(
    drawn: Drawn, model: ActivityModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are worked on in pieces to save memory; the pieces must not be seen in the result."""
    whole = model.states(drawn.counts, drawn.seen, BEGIN, END)
    monkeypatch.setattr(activity, "_ROWS", 333)
    for one, other in zip(model.states(drawn.counts, drawn.seen, BEGIN, END), whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-15)
