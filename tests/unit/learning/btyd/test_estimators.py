"""Customer-base models behind scikit-learn's interface, on columns of a wide matrix."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from benchmarks.peers import stories
from holdfast.learning.btyd import CustomerBaseClassifier, CustomerBaseRegressor, fit_purchases
from holdfast.models.btyd import Histories, ParetoNBD
from holdfast.models.btyd.history_risk import HistoryRisk
from holdfast.models.btyd.history_value import HistoryValue
from holdfast.models.checks import InputError

KINDS = ("bg_nbd", "mbg_nbd", "pareto_nbd")
PLACES = {"orders": 4, "days_since_order": 0, "days_since_first_order": 2}
TRUTH = ParetoNBD(0.9, 30.0, 0.8, 100.0)


@parametrize_with_checks(
    [
        *(CustomerBaseClassifier(kind, days_since_first_order=1) for kind in KINDS),
        *(CustomerBaseRegressor(kind, days_since_first_order=1, spend=1) for kind in KINDS),
    ]
)
def test_estimators_keep_the_scikit_learn_promise(estimator: Any, check: Any) -> None:
    """Users put them into pipelines, grid searches and cross-validation, which rely on this contract."""
    check(estimator)


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
def test_the_second_column_is_no_purchase_in_the_horizon(kind: str, table: np.ndarray, world: stories.World) -> None:
    """Not the probability of having left, which is no churn score: a slow buyer who is alive churns as well.

    The customers live the story of Pareto/NBD; the others come within five points.
    """
    found = CustomerBaseClassifier(kind, 90, **PLACES).fit(table, world.future == 0)
    p = found.predict_proba(table)[:, 1]
    assert p.mean() == pytest.approx((world.future == 0).mean(), abs=0.05)
    assert np.corrcoef(p, world.future == 0)[0, 1] > 0.4
    assert (found.predict(table) == (p > 0.5)).all()
    several = np.stack([found.probability_none(table, days) for days in (30, 60, 90, 180)])
    assert (np.diff(several, axis=0) < 0).all()
    assert (several[2] == p).all()


def test_the_target_says_nothing_but_its_classes(table: np.ndarray, world: stories.World) -> None:
    """The parameters come from the past alone, so no outcome can leak into them."""
    y = (world.future == 0).astype(int)
    shuffled = np.random.default_rng(0).permutation(y)
    model = CustomerBaseClassifier(**PLACES)
    assert clone(model).fit(table, y).model_ == clone(model).fit(table, shuffled).model_
    value = CustomerBaseRegressor(**PLACES, spend=3)
    assert clone(value).fit(table, y).model_ == clone(value).fit(table, shuffled).model_


def test_the_matrix_means_what_the_histories_mean(table: np.ndarray, world: stories.World) -> None:
    """Orders less the first one, the age less the silence, the age."""
    found = CustomerBaseClassifier("pareto_nbd", 90, **PLACES).fit(table, world.future == 0).model_.model
    same = fit_purchases(ParetoNBD, Histories.of(world.repeats, world.last, world.age), penalty=1.0)
    history = world.repeats, world.last, world.age
    assert found.probability_none(*history, 90) == pytest.approx(same.probability_none(*history, 90), rel=1e-6)


def test_who_has_not_bought_is_not_learnt_from(table: np.ndarray, world: stories.World) -> None:
    """A customer who has only signed up has no history; the answer is that of the mean customer."""
    y = world.future == 0
    strangers = np.vstack([table, np.where([[True, False, True, False, True]], np.nan, table[:50])])
    found = CustomerBaseClassifier(**PLACES).fit(strangers, np.append(y, y[:50]))
    assert found.model_.model == CustomerBaseClassifier(**PLACES).fit(table, y).model_.model
    p = found.predict_proba(strangers)[:, 1]
    assert p[-50:] == pytest.approx(np.full(50, p[:-50].mean()))
    with pytest.raises(InputError, match="Wanted customers who have bought, found none in 50 rows"):
        CustomerBaseClassifier(**PLACES).fit(strangers[-50:], np.arange(50) % 2)


def test_of_several_cutoffs_the_latest_is_learnt(table: np.ndarray, world: stories.World) -> None:
    """A customer's earlier snapshots are the beginning of the same history, and would count it twice."""
    y, cutoff = world.future == 0, np.where(np.arange(len(table)) < 1000, 5, 9)
    found = CustomerBaseClassifier(**PLACES).fit(table, y, cutoff=cutoff)
    assert found.model_.model == CustomerBaseClassifier(**PLACES).fit(table[1000:], y[1000:]).model_.model


def test_only_recent_buyers_are_learnt_where_the_rows_are_a_population(table: np.ndarray, world: stories.World) -> None:
    """Rows beyond the window were in the training table by mistake; the likelihood says that there are none."""
    y, recent = world.future == 0, world.age - world.last <= 60
    settings = {**PLACES, "bought_within_days": 60}
    found = CustomerBaseClassifier(**settings).fit(table, y)
    assert found.model_.model == CustomerBaseClassifier(**settings).fit(table[recent], y[recent]).model_.model
    twice_a_day = np.array(
        [[0.2, 0.0, 60.1, 5.0, 1.0]]
    )  # one day of orders, whose first was longer ago than the window
    assert (
        CustomerBaseClassifier(**settings).fit(np.vstack([table, twice_a_day]), np.append(y, 1)).model_ == found.model_
    )
    naive = CustomerBaseClassifier(**PLACES).fit(table[recent], y[recent])
    p, q = (model.predict_proba(table[recent])[:, 1].mean() for model in (found, naive))
    assert abs(p - y[recent].mean()) < 0.05 < abs(q - y[recent].mean())


def test_contributions_add_up_to_the_log_odds(table: np.ndarray, world: stories.World) -> None:
    """A model that cannot say why does not fit in; only the three columns have a say."""
    found = CustomerBaseClassifier(**PLACES).fit(table, world.future == 0)
    rows = table[:200].copy()
    rows[:5, 4] = np.nan
    parts = found.contributions(rows)
    assert parts.sum(axis=1) == pytest.approx(found.decision_function(rows), abs=1e-9)
    assert (parts[:, [1, 3]] == 0).all()
    assert len(set(parts[:, -1])) == 1
    usual = np.zeros((1, 5))
    usual[0, [4, 0, 2]] = found.model_.usual
    assert found.contributions(usual)[0, :-1] == pytest.approx(0, abs=1e-12)


def test_spend_is_expected_without_bias(table: np.ndarray, world: stories.World) -> None:
    """On customers of the model's own story: purchases times their worth, within 5 % of what came."""
    found = CustomerBaseRegressor("pareto_nbd", 90, **PLACES, spend=3).fit(table, world.future)
    assert found.expected_orders(table).sum() == pytest.approx(world.future.sum(), rel=0.05)
    assert found.expected_orders(table, 30).sum() < found.expected_orders(table).sum()
    worth = table[:, 3] / table[:, 4]
    assert found.predict(table).sum() == pytest.approx((world.future * worth).sum(), rel=0.08)
    rows = table[:4].copy()
    rows[0, 3], rows[1, 3], rows[2, 0] = np.nan, -50.0, np.nan
    answer = found.predict(rows)
    assert np.isfinite(answer).all()
    assert answer[2] == pytest.approx(found.predict(table).mean())


def test_a_wrong_kind_or_column_is_named(table: np.ndarray, world: stories.World) -> None:
    """A typing error in a configuration."""
    with pytest.raises(InputError, match="Wanted a kind of model among bg_nbd, mbg_nbd, pareto_nbd; found 'bgnbd'"):
        CustomerBaseClassifier("bgnbd", **PLACES).fit(table, world.future == 0)
    with pytest.raises(InputError, match=r"Wanted columns \(9, 1, 2\) of a matrix, numbered from 0; found 5 feature"):
        CustomerBaseClassifier(orders=9).fit(table, world.future == 0)


def test_a_stored_model_answers_the_same(table: np.ndarray, world: stories.World) -> None:
    """As text, to the bit."""
    risk = CustomerBaseClassifier(**PLACES).fit(table, world.future == 0)
    about, texts = risk.to_parts()
    assert texts == {}
    stored = CustomerBaseClassifier.from_parts(json.loads(json.dumps(about)), texts)
    assert (stored.predict_proba(table) == risk.predict_proba(table)).all()
    assert HistoryRisk.from_parts(json.loads(json.dumps(about)), {}) == risk.model_
    value = CustomerBaseRegressor(**PLACES, spend=3).fit(table, world.future).model_
    assert HistoryValue.from_parts(json.loads(json.dumps(value.to_parts()[0])), {}) == value


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
