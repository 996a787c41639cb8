"""Who has gone, where orders are all that is seen: as many as what came later bears out, and the right ones."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.labels import LATER, PAST
from holdfast.learning.btyd.customer_base import CustomerBaseLearner
from holdfast.learning.silence import SilenceModel
from holdfast.learning.state_labels import LaterSigns
from holdfast.models.btyd import ParetoNBD
from holdfast.models.btyd.history_columns import HistoryColumns

COLUMNS = HistoryColumns(0, 1, 2)
PERIOD, AGE, CUSTOMERS = 30.0, 300.0, 6_000
TRUTH = ParetoNBD(0.8, 40.0, 0.7, 150.0)


def shop(lapses: float = 0.0) -> tuple[np.ndarray, LaterSigns, np.ndarray, np.ndarray]:
    """Customers of a base, some of whom pause for two months after each order; who had gone, and by the window's end.

    Everybody came at once, ``AGE`` days before the cutoff; all later periods are known.
    """
    rng = np.random.default_rng(5)
    rate = rng.gamma(TRUTH.buying_shape, 1 / TRUTH.buying_rate, CUSTOMERS)
    end = rng.exponential(1 / rng.gamma(TRUTH.leaving_shape, 1 / TRUTH.leaving_rate, CUSTOMERS))
    pauses = np.where(rng.random(CUSTOMERS) < lapses, 60.0, 0.0)
    X, counts = np.zeros((CUSTOMERS, 3)), np.zeros((CUSTOMERS, PAST + LATER))
    for i in range(CUSTOMERS):
        times, now = [0.0], 0.0
        while (now := now + pauses[i] + rng.exponential(1 / rate[i])) < min(end[i], AGE + LATER * PERIOD):
            times.append(now)
        before = [time for time in times if time < AGE]
        X[i] = len(before), AGE - before[-1], AGE
        later = [int((time - AGE) // PERIOD) for time in times if time >= AGE]
        counts[i, PAST:] = np.bincount(later, minlength=LATER)
    signs = LaterSigns(counts, np.ones(counts.shape, dtype=bool), PERIOD)
    return X, signs, end < AGE, (end >= AGE) & (end < AGE + 3 * PERIOD)


def learnt(X: np.ndarray, signs: LaterSigns) -> SilenceModel:
    """As training learns it."""
    found = signs.silence_model(
        CustomerBaseLearner(COLUMNS, "pareto_nbd", 90.0), X, None, np.ones(len(X), dtype=np.bool_)
    )
    assert found is not None
    return found


def test_as_many_have_gone_and_leave_as_truly_do() -> None:
    """The labels teach the models: what they get wrong on average, every customer is told wrong."""
    X, signs, gone, leaving = shop()
    found = signs.by_silence(learnt(X, signs), X)
    assert found.gone.mean() == pytest.approx(gone.mean(), abs=0.04)
    assert found.leaving.mean() == pytest.approx(leaving.mean(), abs=0.02)
    for rows in np.array_split(np.argsort(found.gone, kind="stable"), 5):
        assert found.gone[rows].mean() == pytest.approx(gone[rows].mean(), abs=0.08)


def test_who_bought_only_once_may_have_gone() -> None:
    """A base in which customers leave only at a purchase after the first would call every one of them still there."""
    X, signs, gone, _ = shop()
    once = (X[:, 0] == 1) & (signs.counts[:, PAST:].sum(axis=1) == 0)
    found = signs.by_silence(learnt(X, signs), X).gone[once]
    assert gone[once].mean() > 0.5
    assert found.mean() == pytest.approx(gone[once].mean(), abs=0.05)


def test_pauses_after_orders_are_not_taken_for_leaving() -> None:
    """Orders in heaps make a customer base bury who pauses; the returns that follow correct it."""
    X, signs, gone, _ = shop(lapses=0.7)
    model = learnt(X, signs)
    history = COLUMNS.read(X)
    error = {
        name: abs(each.gone(history, np.zeros(CUSTOMERS)).mean() - gone.mean())
        for name, each in {"corrected": model, "as it is": SilenceModel(model.base, COLUMNS)}.items()
    }
    assert error["corrected"] < 0.5 * error["as it is"]


def test_the_longer_the_silence_the_likelier_it_is_for_good() -> None:
    """And no silence at all tells nothing new."""
    model = SilenceModel(TRUTH, COLUMNS)
    history = tuple(np.full(4, value) for value in (5.0, 200.0, 300.0))
    found = model.gone(history, np.array([0.0, 30.0, 90.0, 1_000.0]))
    assert (np.diff(found) > 0).all()
    assert found[0] == pytest.approx(1 - TRUTH.probability_alive(5.0, 200.0, 300.0))


def test_who_shows_life_again_had_not_gone() -> None:
    """Whatever a model believed."""
    X, signs, _, _ = shop()
    returned = signs.counts[:, PAST:].sum(axis=1) > 0
    for found in (signs.by_silence(learnt(X, signs), X), signs.by_silence()):
        assert (found.gone[returned] == 0).all()
        assert (found.gone[~returned] > 0).all()
        assert ((found.leaving >= 0) & (found.staying >= -1e-12)).all()
        late = signs.counts[:, PAST + 3 :].sum(axis=1) > 0
        assert (found.leaving[late] == 0).all()
