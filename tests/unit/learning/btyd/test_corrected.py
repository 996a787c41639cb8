"""Models of a customer base that learn from outcomes and answer for longer horizons."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.peers import stories
from holdfast.learning.btyd import CorrectedBaseLearner, CustomerBaseLearner
from holdfast.models.btyd import ParetoNBD
from holdfast.models.btyd.corrected_risk import CorrectedRisk
from holdfast.models.btyd.corrected_value import CorrectedValue
from holdfast.models.btyd.correction import Correction
from holdfast.models.btyd.history_columns import HistoryColumns
from holdfast.models.calibration import mean_log_loss
from holdfast.models.checks import InputError

NEAR, FAR = 30, 120
PLACES = HistoryColumns(orders=4, days_since_order=0, days_since_first_order=2)
BASE = CustomerBaseLearner(PLACES, "pareto_nbd", NEAR)
LEARNER = CorrectedBaseLearner(BASE, spend=3, horizon_days=FAR, marks=(1,), spans=(5,))


def learnt(X: np.ndarray, bought: np.ndarray, learner: CorrectedBaseLearner = LEARNER, **how: Any) -> CorrectedValue:
    """A corrected model of purchases of 30 each."""
    return learner.fit(X, bought * 30.0, purchases=bought, **how)


def _rows(world: stories.World, seed: int, mark: float) -> np.ndarray:
    """Days since the last order, a mark, days since the first, spend, orders, and the mean gap."""
    rng = np.random.default_rng(seed)
    orders = world.repeats + 1
    spend = rng.gamma(6.0 * orders, 5.0)
    with np.errstate(invalid="ignore"):
        gap = world.last / np.where(world.repeats > 0, world.repeats, np.nan)
    return np.column_stack([world.age - world.last, np.full(len(orders), mark), world.age, spend, orders, gap])


def _business(customers: int, horizon: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Customers with the mark buy ten times as often, which a short history does not tell yet."""
    worlds = [
        stories.live(ParetoNBD(2.0, slowness, 1.0, 90.0), customers, age=(2, 20), horizon=horizon, seed=seed + i)
        for i, slowness in enumerate((300.0, 30.0))
    ]
    X = np.vstack([_rows(world, seed, float(i)) for i, world in enumerate(worlds)])
    return X, np.concatenate([world.future for world in worlds])


@pytest.fixture(scope="module")
def near() -> tuple[np.ndarray, np.ndarray]:
    """Rows, and purchases within the 30 days after."""
    return _business(3000, NEAR, 1)


@pytest.fixture(scope="module")
def far() -> tuple[np.ndarray, np.ndarray]:
    """Other customers of the same business, and purchases within the 120 days after."""
    return _business(3000, FAR, 11)


def test_what_short_windows_teach_holds_for_longer_ones(
    near: tuple[np.ndarray, np.ndarray], far: tuple[np.ndarray, np.ndarray]
) -> None:
    """A young business has no outcome of the horizon it asks about; a third of it must do.

    The correction finds the mark: on 120 days it gains more than a hundredth in log loss, takes two fifths off the
    error of both kinds of customers, and keeps the expected total within a tenth of what came.
    """
    (X, bought), (Z, later) = near, far
    none = later == 0
    far_base = replace(BASE, horizon_days=FAR)
    rows = far_base.rows(X)
    value = learnt(X, bought)
    plain, corrected = (mean_log_loss(m.log_odds(Z), none.astype(float)) for m in (far_base.risk(*rows), value.risk))
    assert corrected < plain - 0.01
    assert value.risk.probability(Z).mean() == pytest.approx(none.mean(), abs=0.04)
    assert value.orders(Z).sum() == pytest.approx(later.sum(), rel=0.1)
    assert value.mean(Z).sum() == pytest.approx(30 * later.sum(), rel=0.1)
    plain_value = far_base.value(*rows, 3)
    for mark in (0, 1):
        some = Z[:, 1] == mark
        off, before = (np.log(m.orders(Z)[some].sum() / later[some].sum()) for m in (value, plain_value))
        assert abs(off) < 0.6 * abs(before)


def test_totals_of_what_was_learnt_are_right(near: tuple[np.ndarray, np.ndarray]) -> None:
    """A correction that leaves its own training rows biased would carry the bias further."""
    X, bought = near
    value = learnt(X, bought)
    assert value.risk.probability(X, NEAR).mean() == pytest.approx((bought == 0).mean(), abs=1e-6)
    assert value.orders(X, NEAR).sum() == pytest.approx(bought.sum(), rel=0.02)


def test_where_outcomes_say_nothing_the_base_stays(near: tuple[np.ndarray, np.ndarray]) -> None:
    """A ridge of a billion rows: what is left of the correction is one level for all."""
    X, bought = near
    found = learnt(X, bought, replace(LEARNER, ridge=1e9)).risk
    base = replace(BASE, horizon_days=FAR)
    moved = found.log_odds(X) - base.risk(*base.rows(X)).log_odds(X)
    assert np.ptp(moved) < 1e-4


def test_the_risk_never_grows_with_the_horizon(near: tuple[np.ndarray, np.ndarray]) -> None:
    """Who has not bought within 60 days has not within 30; and expected purchases only come to more."""
    X, bought = near
    value = learnt(X, bought)
    none = np.stack([value.risk.probability(X, days) for days in (30, 60, 90, 180, 1000)])
    assert (np.diff(none, axis=0) <= 0).all()
    assert (value.risk.probability(X, FAR) == value.risk.probability(X)).all()
    orders = np.stack([value.orders(X, days) for days in (30, 60, 90, 180, 1000)])
    assert (np.diff(orders, axis=0) > 0).all()


def test_contributions_add_up_to_the_log_odds(near: tuple[np.ndarray, np.ndarray]) -> None:
    """Over any horizon, and for customers without a history as well; spend has no say in the risk."""
    X, bought = near
    found = learnt(X, bought).risk
    rows = X[::20].copy()
    rows[:5, [0, 2, 4, 5]] = np.nan
    rows[5:9, 1] = np.nan
    assert found.contributions(rows).sum(axis=1) == pytest.approx(found.log_odds(rows), abs=1e-9)
    parts = found.contributions(rows, 365)
    assert parts.sum(axis=1) == pytest.approx(found.log_odds(rows, 365), abs=1e-9)
    assert (parts[:, 3] == 0).all()
    assert len(set(parts[:, -1])) == 1
    known = rows[9:]
    assert (found.contributions(known)[known[:, 1] == 1, 1] < 0).all()  # they buy


def test_each_cutoff_has_the_base_that_was_known_there(near: tuple[np.ndarray, np.ndarray]) -> None:
    """Rows of one cutoff may not tell another what customers did in between; the latest customers are only asked."""
    X, bought = near
    cutoff = np.repeat([5, 9], len(X) // 2)
    found = learnt(X, bought, cutoff=cutoff).risk
    assert found.base.model == BASE.risk(*BASE.rows(X[cutoff == 9])).model
    now = X[: len(X) // 3]
    asked = learnt(X, bought, cutoff=cutoff, latest=now).risk
    assert asked.base.model == BASE.risk(*BASE.rows(now)).model
    assert (asked.correction.coef == found.correction.coef).all()
    assert (learnt(X, bought).risk.correction.coef != found.correction.coef).any()


def test_money_to_come_late_is_worth_less(near: tuple[np.ndarray, np.ndarray]) -> None:
    """Three years ahead at a tenth a year: less than without, more than if all came at the end."""
    X, bought = near
    model = learnt(X, bought)
    years = 3 * 365.25
    plain, discounted = model.mean(X, years), model.mean(X, years, yearly_discount=0.1)
    assert (discounted < plain).all()
    assert (discounted > plain / 1.1**3).all()
    assert model.mean(X, years, yearly_discount=1e-12) == pytest.approx(plain, rel=1e-6)
    one_month = model.mean(X, 30, yearly_discount=0.1)
    assert one_month == pytest.approx(model.mean(X, 30) / 1.1 ** (15 / 365.25))
    with pytest.raises(InputError, match=r"Wanted a yearly discount of 0 or more, such as 0\.1; found -0\.1"):
        model.mean(X, years, yearly_discount=-0.1)


def test_without_counts_the_spend_says_who_bought(near: tuple[np.ndarray, np.ndarray]) -> None:
    """Value is often all that a table has."""
    X, bought = near
    spent = LEARNER.fit(X, bought * 30.0)
    assert (learnt(X, bought).mean(X) == spent.mean(X)).all()
    assert spent.orders(X).sum() > 0


def test_a_weight_of_two_is_a_second_row(near: tuple[np.ndarray, np.ndarray]) -> None:
    """Samples carry weights; the fit must not notice."""
    X, bought = near
    X, bought = X[::10], bought[::10]
    twice = np.arange(len(X)) % 3 == 0
    copied = np.concatenate([X, X[twice]]), np.concatenate([bought, bought[twice]])
    weighted, copies = learnt(X, bought, weight=1.0 + twice), learnt(*copied)
    assert weighted.risk.log_odds(X) == pytest.approx(copies.risk.log_odds(X), abs=1e-5)


def test_a_stored_model_answers_the_same(near: tuple[np.ndarray, np.ndarray]) -> None:
    """As text, to the bit."""
    X, bought = near
    value = learnt(X, bought)
    about, texts = value.risk.to_parts()
    assert texts == {}
    again = CorrectedRisk.from_parts(json.loads(json.dumps(about)), texts)
    assert (again.probability(X) == value.risk.probability(X)).all()
    assert (again.contributions(X[:50]) == value.risk.contributions(X[:50])).all()
    kept = CorrectedValue.from_parts(json.loads(json.dumps(value.to_parts()[0])), {})
    assert (kept.mean(X, 400, yearly_discount=0.1) == value.mean(X, 400, yearly_discount=0.1)).all()
    assert (kept.orders(X) == value.orders(X)).all()


def test_a_row_alone_is_scored_as_among_many(near: tuple[np.ndarray, np.ndarray]) -> None:
    """The night's list and a single look-up must not differ."""
    X, bought = near
    found = learnt(X, bought).risk
    together = found.log_odds(X[:300])
    assert [found.log_odds(X[i : i + 1])[0] for i in range(0, 300, 30)] == together[::30].tolist()


def test_a_rate_is_fitted_as_a_poisson_regression() -> None:
    """Against the closed form: with one number of two values, each group meets its own mean."""
    numbers = np.repeat([[0.0], [1.0]], 50, axis=0)
    y = np.concatenate([np.tile([0.0, 1.0], 25), np.tile([1.0, 4.0], 25)])
    offset = np.full(100, np.log(2.0))
    found = Correction.fit(numbers, y, offset, outcome="rate", penalty=0.0, weight=np.ones(100))
    assert np.exp(offset + found.score(numbers))[[0, 99]] == pytest.approx([0.5, 2.5], rel=1e-6)
    kept = Correction.from_json(json.loads(json.dumps(found.to_json())))
    assert (kept.score(numbers) == found.score(numbers)).all()
    beyond = np.array([[7.0], [np.nan]])
    assert found.score(beyond)[0] == found.score(np.array([[1.0]]))[0]  # no farther than was seen
    assert np.isfinite(found.score(beyond)).all()


def test_a_fitted_model_travels_with_numpy_and_scipy_alone() -> None:
    """A consumer of a stored model installs no training stack for it."""
    program = """
import sys
class Absent:
    names = {"sklearn", "numba", "pandas", "lightgbm", "duckdb", "pydantic", "threadpoolctl"}
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import holdfast.models.btyd.corrected_risk, holdfast.models.btyd.corrected_value
"""
    subprocess.run([sys.executable, "-c", program], check=True)
