"""What holds for every mood chain, whatever its rates."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.simulate.mood import Mood, Moods

RATE = st.floats(0.0, 0.2)


@st.composite
def chains(draw: st.DrawFn) -> Moods:
    """Chains of three drifts, three tickets and three sores whose probabilities cannot exceed one."""

    def rates(count: int) -> tuple[float, ...]:
        return tuple(draw(RATE) for _ in range(count))

    return Moods(
        worsen=(*rates(2), 0.0),
        return_=(0.0, *rates(2)),
        hurt_return=draw(st.floats(0.0, 1.0)),
        push_ticket=(0.0, *rates(2)),
        push_sore=(0.0, *rates(2)),
        open_ticket=(draw(RATE), draw(RATE)),
        close_ticket=(0.0, *rates(2)),
        ticket_when=(1.0, 1.5, 2.0),
        voice=(1.0, 0.5, 0.1),
        heal=(0.0, *rates(2)),
        price_shock=draw(RATE),
    )


@given(chains(), st.integers(0, 2**32 - 1), st.booleans())
@settings(max_examples=60, deadline=None)
def test_looking_back_averages(chain: Moods, seed: int, invited: bool) -> None:
    """Probabilities sum to one: a constant stays what it is, and no expectation leaves the range of the values."""
    chances = chain.chances(np.array([0.0, 0.1]), np.array([0.5, 1.0]), np.array([0.0, 0.1]))
    values = np.random.default_rng(seed).normal(size=(1, *chain.shape, 2))
    before = chain.look_back(values, chances, invited=invited)
    assert before.min() >= values.min() - 1e-12
    assert before.max() <= values.max() + 1e-12
    np.testing.assert_allclose(chain.look_back(np.ones_like(values), chances, invited=invited), 1.0, atol=1e-12)


@given(chains(), st.integers(0, 2**32 - 1), st.tuples(*[st.integers(0, 2)] * 3))
@settings(max_examples=15, deadline=None)
def test_living_a_night_agrees_with_looking_back(chain: Moods, seed: int, cell: tuple[int, int, int]) -> None:
    """The two readings of the rules are one: the mean over many lives is the expectation before the night."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(size=(1, *chain.shape, 1))
    hazard, touch = np.array([0.1]), np.array([1.0])
    expected = chain.look_back(values, chain.chances(hazard, touch, np.zeros(1)), invited=False)[0][(*cell, 0)]
    lives = 20_000
    mood = Mood.fresh(np.zeros(lives, dtype=bool))
    mood.drift[:], mood.ticket[:], mood.sore[:] = cell
    chain.live(mood, np.repeat(hazard, lives), np.repeat(touch, lives), 0.0, rng)
    lived = values[0, mood.drift, mood.ticket, mood.sore, 0]
    assert abs(lived.mean() - expected) < 5 * max(lived.std(), 1e-9) / np.sqrt(lives) + 1e-9
