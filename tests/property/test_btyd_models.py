"""What must hold of a customer-base model for any parameters and any history."""

from __future__ import annotations

import json
from dataclasses import astuple
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from holdfast.models.btyd import BetaGeometric, GammaGamma, Histories, ModifiedBetaGeometric, ParetoNBD
from holdfast.models.btyd.kinds import from_json

PURCHASE_MODELS = (BetaGeometric, ModifiedBetaGeometric, ParetoNBD)
logs = st.floats(-4.0, 4.0)


@st.composite
def models(draw: Any, logs: Any = logs) -> Any:
    """A model of any kind; rates are per day or so."""
    kind = draw(st.sampled_from(PURCHASE_MODELS))
    return kind(*np.exp([draw(logs) for _ in range(4)]).tolist())


@st.composite
def histories(draw: Any, most: int = 60) -> tuple[float, float, float]:
    """Repeats, age at the last purchase, age; also all on the first day."""
    x, T = draw(st.integers(0, most)), draw(st.floats(0.0, 2000.0))
    return float(x), T * draw(st.sampled_from([0.0, 0.3, 0.99, 1.0]) | st.floats(0, 1)) if x else 0.0, T


def steepest(slope: Any, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The gradient as given, and from differences of the fourth order."""
    step, near = 1e-3, np.empty(len(at))
    for i in range(len(at)):
        unit = np.eye(len(at))[i] * step
        value = [slope(at + k * unit)[0] for k in (-2, -1, 1, 2)]
        near[i] = (value[0] - 8 * value[1] + 8 * value[2] - value[3]) / (12 * step)
    return slope(at)[1], near


@given(models(), st.lists(histories(), min_size=1, max_size=5))
def test_gradients_are_exact(model: Any, rows: list[tuple[float, float, float]]) -> None:
    """An optimiser that trusts a wrong gradient stops beside the top and says nothing."""
    data = Histories.of(*np.array(rows).T)
    given_, near = steepest(lambda at: type(model)(*np.exp(at).tolist()).slope(data), np.log(astuple(model)))
    assert given_ == pytest.approx(near, rel=1e-6, abs=1e-7 * (1 + data.repeats.sum()))


@given(models(st.floats(-2.0, 3.0)), st.floats(1.0, 200.0), st.lists(st.floats(0.0, 2000.0), min_size=1, max_size=5))
def test_gradients_are_exact_for_those_who_bought_lately(model: Any, within: float, ages: list[float]) -> None:
    """The same where customers were chosen by their last purchase, as more than one in ten thousand are."""
    age = np.array(ages) + within
    assume((model._chosen(age, within)[0] > 1e-4).all())
    data = Histories.of(np.arange(1.0, len(ages) + 1), ages, age, bought_within=within)
    given_, near = steepest(lambda at: type(model)(*np.exp(at).tolist()).slope(data), np.log(astuple(model)))
    assert given_ == pytest.approx(near, rel=1e-5, abs=1e-6 * (1 + data.repeats.sum()))


@given(st.tuples(logs, st.floats(0.1, 4.0), logs), st.integers(1, 500), st.floats(0.01, 1e5))
def test_gradients_of_the_worth_are_exact(at: tuple[float, float, float], n: int, z: float) -> None:
    """The same for gamma-gamma."""
    columns = np.array([n], dtype=float), np.array([z]), np.ones(1)
    given_, near = steepest(lambda at: GammaGamma(*np.exp(at)).slope(*columns), np.array(at))
    assert given_ == pytest.approx(near, rel=1e-6, abs=1e-8 * n)


@given(models(), histories(), st.floats(0.0, 500.0), st.floats(0.0, 3000.0))
def test_answers_agree_with_each_other(model: Any, history: tuple[float, float, float], h: float, more: float) -> None:
    """Probabilities lie in [0, 1], fall with the horizon, chain over two horizons, and fit the expected number."""
    x, t, T = history
    alive = model.probability_alive(*history)
    short, both = model.probability_none(*history, h), model.probability_none(*history, h + more)
    assert 0 <= both <= short * (1 + 1e-12) <= 1 + 1e-12
    assert 1 - alive <= both + 1e-12
    assert both == pytest.approx(short * model.probability_none(x, t, T + h, more), rel=1e-9, abs=1e-300)
    expected = model.expected(*history, np.array([h, h + more]))
    assert expected[0] <= expected[1] * (1 + 1e-9) + 1e-12
    assert expected[0] >= (1 - short) * (1 - 1e-7) - 1e-12
    assert model.probability_none(*history, 0.0) == pytest.approx(1.0, rel=1e-12)
    assert model.expected(*history, 0.0) == 0


@given(models(st.floats(-12.0, 9.0)), st.sampled_from([0, 1, 2, 100, 10_000]), st.floats(0.0, 1.0))
def test_extremes_have_finite_answers(model: Any, x: int, share: float) -> None:
    """The first day of a customer, thousands of purchases, ten years ahead, shapes near 0: warnings are errors here."""
    ages = np.array([0.0, 1e-3, 1.0, 365.0, 20_000.0])
    last = ages * share if x else 0 * ages
    horizons = np.array([0.0, 1.0, 3650.0])[:, None]
    answers = [
        model.probability_alive(x, last, ages),
        model.probability_none(x, last, ages, horizons),
        model.expected(x, last, ages, horizons),
        np.concatenate([np.ravel(part) for part in model.slope(Histories.of(np.full(5, x), last, ages))]),
    ]
    assert all(np.isfinite(answer).all() for answer in answers)
    assert answers[1].shape == answers[2].shape == (3, 5)
    assert (answers[2] >= 0).all()


@given(models())
def test_a_stored_model_is_the_model(model: Any) -> None:
    """Text and back, to the bit."""
    assert from_json(json.loads(json.dumps(model.to_json()))) == model
    worth = GammaGamma(model.buying_shape, 1 + model.buying_rate, 3.3)
    assert GammaGamma.from_json(json.loads(json.dumps(worth.to_json()))) == worth
