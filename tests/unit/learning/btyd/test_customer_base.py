"""Customer-base models on columns of a wide matrix."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from benchmarks.peers import stories
from holdfast.learning.btyd import CustomerBaseLearner, fit_purchases
from holdfast.models.btyd import Histories, ParetoNBD
from holdfast.models.btyd.history_columns import HistoryColumns
from holdfast.models.btyd.history_risk import HistoryRisk
from holdfast.models.btyd.history_value import HistoryValue
from holdfast.models.checks import InputError

KINDS = ("bg_nbd", "mbg_nbd", "pareto_nbd")
PLACES = HistoryColumns(orders=4, days_since_order=0, days_since_first_order=2)
TRUTH = ParetoNBD(0.9, 30.0, 0.8, 100.0)


def learner(kind: str = "mbg_nbd", **settings: Any) -> CustomerBaseLearner:
    """Of the history in columns 4, 0 and 2."""
    return CustomerBaseLearner(PLACES, kind, 90.0, **settings)


def risk_of(rows: np.ndarray, kind: str = "mbg_nbd", **settings: Any) -> HistoryRisk:
    """The risk that these rows teach."""
    base = learner(kind, **settings)
    return base.risk(*base.rows(rows))


def value_of(rows: np.ndarray, kind: str = "mbg_nbd") -> HistoryValue:
    """The value that these rows teach, with the spend in column 3."""
    base = learner(kind)
    return base.value(*base.rows(rows), 3)


@pytest.fixture(scope="module")
def world() -> stories.World:
    """Three thousand customers and what they did in the 90 days after."""
    return stories.live(TRUTH, 3000, age=(20, 500), horizon=90, seed=1)


@pytest.fixture(scope="module")
def table(world: stories.World) -> np.ndarray:
    """Their rows, with the history in columns 4, 0 and 2, spend in 3 and noise in 1."""
    rng = np.random.default_rng(2)
    orders = world.repeats + 1
    rate = rng.gamma(4.0, 1 / 15.0, len(orders))
    spend = rng.gamma(6.0 * orders, 1 / rate)
    return np.column_stack([world.age - world.last, rng.normal(size=len(orders)), world.age, spend, orders])


@pytest.mark.parametrize("kind", KINDS)
def test_the_risk_is_that_of_no_purchase_in_the_horizon(kind: str, table: np.ndarray, world: stories.World) -> None:
    """Not the probability of having left, which is no churn score: a slow buyer who is alive churns as well.

    The customers live the story of Pareto/NBD; the others come within five points.
    """
    found = risk_of(table, kind)
    p = found.probability(table)
    assert p.mean() == pytest.approx((world.future == 0).mean(), abs=0.05)
    assert np.corrcoef(p, world.future == 0)[0, 1] > 0.4
    several = np.stack([found.probability(table, days) for days in (30, 60, 90, 180)])
    assert (np.diff(several, axis=0) < 0).all()
    assert (several[2] == p).all()


def test_the_matrix_means_what_the_histories_mean(table: np.ndarray, world: stories.World) -> None:
    """Orders less the first one, the age less the silence, the age."""
    found = risk_of(table, "pareto_nbd").model
    same = fit_purchases(ParetoNBD, Histories.of(world.repeats, world.last, world.age), penalty=1.0)
    history = world.repeats, world.last, world.age
    assert found.probability_none(*history, 90) == pytest.approx(same.probability_none(*history, 90), rel=1e-6)


def test_who_has_not_bought_is_not_learnt_from(table: np.ndarray, world: stories.World) -> None:
    """A customer who has only signed up has no history; the answer is that of the mean customer."""
    strangers = np.vstack([table, np.where([[True, False, True, False, True]], np.nan, table[:50])])
    found = risk_of(strangers)
    assert found.model == risk_of(table).model
    p = found.probability(strangers)
    assert p[-50:] == pytest.approx(np.full(50, p[:-50].mean()))
    with pytest.raises(InputError, match="Wanted customers who have bought, found none in 50 rows"):
        risk_of(strangers[-50:])


def test_only_recent_buyers_are_learnt_where_the_rows_are_a_population(table: np.ndarray, world: stories.World) -> None:
    """Rows beyond the window were in the training table by mistake; the likelihood says that there are none."""
    y, recent = world.future == 0, world.age - world.last <= 60
    found = risk_of(table, bought_within_days=60)
    assert found.model == risk_of(table[recent], bought_within_days=60).model
    one_day = np.array([[0.2, 0.0, 60.1, 5.0, 1.0]])  # of orders, whose first was longer ago than the window
    assert risk_of(np.vstack([table, one_day]), bought_within_days=60) == found
    naive = risk_of(table[recent])
    p, q = (model.probability(table[recent]).mean() for model in (found, naive))
    assert abs(p - y[recent].mean()) < 0.05 < abs(q - y[recent].mean())


def test_contributions_add_up_to_the_log_odds(table: np.ndarray, world: stories.World) -> None:
    """A model that cannot say why does not fit in; only the three columns have a say."""
    found = risk_of(table)
    rows = table[:200].copy()
    rows[:5, 4] = np.nan
    parts = found.contributions(rows)
    assert parts.sum(axis=1) == pytest.approx(found.log_odds(rows), abs=1e-9)
    assert (parts[:, [1, 3]] == 0).all()
    assert len(set(parts[:, -1])) == 1
    usual = np.zeros((1, 5))
    usual[0, [4, 0, 2]] = found.usual
    assert found.contributions(usual)[0, :-1] == pytest.approx(0, abs=1e-12)


def test_spend_is_expected_without_bias(table: np.ndarray, world: stories.World) -> None:
    """On customers of the model's own story: purchases times their worth, within 5 % of what came."""
    found = value_of(table, "pareto_nbd")
    assert found.orders(table).sum() == pytest.approx(world.future.sum(), rel=0.05)
    assert found.orders(table, 30).sum() < found.orders(table).sum()
    worth = table[:, 3] / table[:, 4]
    assert found.mean(table).sum() == pytest.approx((world.future * worth).sum(), rel=0.08)
    rows = table[:4].copy()
    rows[0, 3], rows[1, 3], rows[2, 0] = np.nan, -50.0, np.nan
    answer = found.mean(rows)
    assert np.isfinite(answer).all()
    assert answer[2] == pytest.approx(found.mean(table).mean())


def test_a_wrong_kind_is_named(table: np.ndarray) -> None:
    """A typing error in a configuration."""
    with pytest.raises(InputError, match="Wanted a kind of model among bg_nbd, mbg_nbd, pareto_nbd; found 'bgnbd'"):
        risk_of(table, "bgnbd")


def test_a_stored_model_answers_the_same(table: np.ndarray) -> None:
    """As text, to the bit."""
    risk, value = risk_of(table), value_of(table)
    about, texts = risk.to_parts()
    assert texts == {}
    stored = HistoryRisk.from_parts(json.loads(json.dumps(about)), texts)
    assert stored == risk
    assert (stored.probability(table) == risk.probability(table)).all()
    assert HistoryValue.from_parts(json.loads(json.dumps(value.to_parts()[0])), {}) == value


@pytest.mark.parametrize("kind", KINDS)
def test_a_customer_alone_is_worth_what_he_is_among_all(table: np.ndarray, kind: str) -> None:
    """To the last bit: engines score in pieces of their own, and the list is named by its content."""
    found = value_of(table, kind)
    rows = table[:400]
    for size in (1, 7):
        in_pieces = [found.mean(rows[i : i + size]) for i in range(0, len(rows), size)]
        assert np.array_equal(np.concatenate(in_pieces), found.mean(rows))


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
import holdfast.models.btyd.history_risk, holdfast.models.btyd.history_value
"""
    subprocess.run([sys.executable, "-c", program], check=True)
