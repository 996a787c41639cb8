"""The churn classifier on a business whose rules are known."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from holdfast.errors import DataError
from holdfast.learning import AtRiskClassifier, LogisticBaseline
from holdfast.learning.binned_matrix import BinnedMatrix, LabelledRows
from holdfast.learning.boosting import Recipe, fit_ridge, fit_rounds
from holdfast.learning.ridge import Objective, describe
from holdfast.models import learn_categories, to_matrix
from holdfast.models.calibration import sigmoid
from holdfast.models.risk import RiskModel
from holdfast.timeline import MICROSECONDS_PER_DAY as DAY
from tests.unit.learning.samples import FEATURES, MONTH, shop, snapshots


def data(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Matrix, outcomes and cutoffs."""
    X = to_matrix(table, learn_categories(table, FEATURES))
    return X, table["churned"].to_numpy(), table["cutoff"].to_numpy(dtype=np.int64)


def fitted(table: pd.DataFrame, **settings: object) -> AtRiskClassifier:
    """A quick classifier on a table."""
    X, y, cutoff = data(table)
    return AtRiskClassifier(n_estimators=60, purge_days=60, **settings).fit(X, y, cutoff=cutoff)


@pytest.fixture(scope="module")
def classifier(table: pd.DataFrame) -> AtRiskClassifier:
    """Fitted on the shared table."""
    return fitted(table, categorical_features=(4,))


def test_it_ranks_strangers_nearly_as_well_as_the_truth(classifier: AtRiskClassifier) -> None:
    """On new customers of the same business, knowing the rules themselves would gain little."""
    X, y, _ = data(strangers := snapshots(customers=1_500, cutoffs=1, seed=9))
    truth = roc_auc_score(y, strangers["log_odds"])
    assert roc_auc_score(y, classifier.decision_function(X)) > truth - 0.03


def test_probabilities_on_strangers_are_calibrated(classifier: AtRiskClassifier) -> None:
    """Expected loss is probability times value: a ranking alone is not enough."""
    X, y, _ = data(snapshots(customers=1_500, cutoffs=1, seed=9))
    assert classifier.predict_proba(X)[:, 1].mean() == pytest.approx(y.mean(), abs=0.04)


def test_contributions_sum_to_the_calibrated_log_odds(classifier: AtRiskClassifier, table: pd.DataFrame) -> None:
    """Base plus contributions is the log-odds that the list shows, calibration included."""
    X, _, _ = data(table)
    parts = classifier.contributions(X)
    assert parts.shape == (len(X), 6)
    assert np.abs(parts.sum(axis=1) - classifier.decision_function(X)).max() < 1e-9


def test_a_category_is_used_as_one(classifier: AtRiskClassifier, table: pd.DataFrame) -> None:
    """The channel 'fair' churns more; code 0 is no smaller than code 1, and an unknown channel is no error."""
    X, _, _ = data(table)
    moved = [X.copy() for _ in range(3)]
    for code, matrix in zip((0.0, 1.0, np.nan), moved, strict=True):
        matrix[:, 4] = code
    fair, shop, unknown = (classifier.decision_function(matrix).mean() for matrix in moved)
    assert fair > shop + 0.1
    assert np.isfinite(unknown)
    assert classifier.model_.score.linear is not None
    assert 4 not in classifier.model_.score.linear.columns


def test_the_number_of_threads_changes_nothing(classifier: AtRiskClassifier, table: pd.DataFrame) -> None:
    """The same data and seed give the same bytes, on a laptop and on a server."""
    other = fitted(table, categorical_features=(4,), n_jobs=1)
    assert other.model_.to_parts() == classifier.model_.to_parts()


def test_stored_parts_make_the_same_model(classifier: AtRiskClassifier, table: pd.DataFrame) -> None:
    """Whoever loads it gets the probabilities that were tested."""
    X, _, _ = data(table)
    again = RiskModel.from_parts(*classifier.model_.to_parts())
    assert np.array_equal(again.probability(X), classifier.predict_proba(X)[:, 1])


def test_what_a_cutoff_shares_is_its_level_and_nobodys_reason(table: pd.DataFrame) -> None:
    """A month that decides everything names the cutoff, and the trees would learn each by heart."""
    X, y, cutoff = data(table)
    season = np.sin(cutoff / (365.25 * DAY) * 2 * np.pi)
    loud = np.where(season > np.median(season), 1 - y, y)
    Z = np.column_stack([X[:, :4], season])
    found = AtRiskClassifier(n_estimators=60, purge_days=30).fit(Z, loud, cutoff=cutoff)
    assert np.abs(found.contributions(Z)[:, 4]).max() == 0.0


def test_the_season_of_last_year_is_forecast(table: pd.DataFrame) -> None:
    """Churn that is twice as likely in winter moves the probabilities of the next winter, and the base alone."""
    X, _, _ = data(table)
    cutoff = np.arange(len(X)) % 20 * MONTH
    angle = cutoff / (365.2425 * DAY) * 2 * np.pi
    draw = np.random.default_rng(0)
    y = (draw.random(len(X)) < sigmoid(X[:, 0] + np.cos(angle))).astype(float)
    Z = np.column_stack([X[:, :4], np.sin(angle), np.cos(angle)])
    found = AtRiskClassifier(n_estimators=20, purge_days=30, season_columns=(4, 5)).fit(Z, y, cutoff=cutoff)
    winter, summer = (np.column_stack([X[:, :4], np.full(len(X), 0.0), np.full(len(X), c)]) for c in (1.0, -1.0))
    gap = found.decision_function(winter) - found.decision_function(summer)
    assert np.ptp(gap) < 1e-9
    assert 1.2 < gap[0] < 2.4
    base = found.contributions(winter)[:, -1] - found.contributions(summer)[:, -1]
    assert np.allclose(base, gap)


def test_the_customer_base_adds_what_orders_tell(table: pd.DataFrame) -> None:
    """Its odds enter the score; reasons name the three columns that they came from, and still add up."""
    draw = np.random.default_rng(1)
    age = draw.uniform(60, 700, 3000)
    orders = 1 + draw.poisson(age / 60 * draw.gamma(1, 1, 3000))
    since = np.where(orders > 1, age * draw.beta(1, 3, 3000), age)
    X = np.column_stack([draw.normal(size=3000), orders, np.minimum(since, 180), age])
    cutoff = np.arange(3000) % 6 * MONTH
    y = (draw.random(3000) < sigmoid(X[:, 2] / (age / orders) - 1)).astype(float)
    found = AtRiskClassifier(
        n_estimators=40,
        purge_days=30,
        history_columns=(1, 2, 3),
        accumulating_columns=(1, 3),
        bought_within_days=180,
        horizon_days=30,
    ).fit(X, y, cutoff=cutoff)
    parts = found.contributions(X)
    assert parts.shape == (3000, 5)
    assert np.abs(parts.sum(axis=1) - found.decision_function(X)).max() < 1e-9
    assert np.abs(parts[:, [1, 3]]).max() > 0.05  # ridge and trees do not read them: this came by the customer base
    again = RiskModel.from_parts(*found.model_.to_parts())
    assert np.array_equal(again.probability(X), found.predict_proba(X)[:, 1])
    one_by_one = np.concatenate([found.decision_function(X[[i]]) for i in range(20)])
    assert np.array_equal(one_by_one, found.decision_function(X)[:20])


def test_the_customer_base_stands_alone_where_nothing_adds_to_it() -> None:
    """Few customers who buy by chance, and many columns of noise: the record says so, and nothing else is a reason."""
    X, came, cutoff = shop(customers=150, seed=2)
    X = np.column_stack([X, np.random.default_rng(0).normal(size=(len(X), 40))])
    found = AtRiskClassifier(purge_days=90, horizon_days=90, history_columns=(0, 1, 2)).fit(X, came == 0, cutoff=cutoff)
    record = found.choice_record_
    assert record["chosen"] == "customer base" == min(record["log_loss"], key=record["log_loss"].__getitem__)
    assert set(record["log_loss"]) == {"customer base", "ridge", "ridge and trees"}
    assert np.abs(found.contributions(X)[:, 3:-1]).max() == 0.0
    assert found.n_trees_ == 0


@pytest.mark.parametrize("bent", [False, True], ids=["smooth", "bent"])
def test_trees_are_there_where_later_cutoffs_bear_them(bent: bool) -> None:
    """Many rows of a straight line need none; a step and an interaction need some."""
    draw = np.random.default_rng(4)
    X = draw.normal(size=(6_000, 5))
    z = 2 * (X[:, 0] > 0.5) * np.sign(X[:, 1]) if bent else np.sign(X[:, 0]) * np.log1p(np.abs(X[:, 0]))
    y = draw.random(len(X)) < sigmoid(z)
    found = AtRiskClassifier(purge_days=30).fit(X, y, cutoff=np.arange(len(X)) % 6 * MONTH)
    assert found.choice_record_["chosen"] == ("ridge and trees" if bent else "ridge")
    assert (found.n_trees_ > 0) is bent


def test_without_a_record_there_are_no_trees() -> None:
    """Too few of one kind to judge by: nothing says that trees would help."""
    draw = np.random.default_rng(4)
    X, y = draw.normal(size=(200, 3)), np.arange(200) < 25
    found = AtRiskClassifier().fit(X, y)
    assert found.choice_record_ == {"chosen": "ridge", "log_loss": {}}


def test_rows_at_random_do_not_judge_where_there_are_several_cutoffs() -> None:
    """Too few leave at each cutoff to judge there; rows at random show trees the same leavers, at a cutoff nearby."""
    draw = np.random.default_rng(0)
    fixed, leaves = draw.normal(size=(300, 15)), draw.integers(2, 60, 300)
    at, who = np.nonzero(np.arange(14)[:, None] < leaves)
    churned = leaves[who] <= at + 2
    assert 5 < np.bincount(at, churned).max() < 20
    found = AtRiskClassifier(purge_days=60).fit(fixed[who], churned, cutoff=at * MONTH)
    assert found.choice_record_ == {"chosen": "ridge", "log_loss": {}}
    assert found.n_trees_ == 0
    told_no_time = AtRiskClassifier(purge_days=60).fit(fixed[who], churned)
    assert told_no_time.n_trees_ > 0, "nothing in the features says who leaves, and yet trees seem to help"


def test_more_rows_bear_more_trees() -> None:
    """The trees of a fold are as many as its rows bear by what the latest showed; so are those of all rows."""
    draw = np.random.default_rng(5)
    X = draw.normal(size=(4_000, 4))
    y = (draw.random(len(X)) < sigmoid(2 * (X[:, 0] > 0) * np.sign(X[:, 1]))).astype(float)
    recipe = Recipe.of("binary", AtRiskClassifier(categorical_features=()).get_params())[0]
    matrix = BinnedMatrix.of(X, None, (), n_jobs=1, seed=0)
    early, later = (LabelledRows.some(matrix, rows, y, None, None) for rows in np.split(np.arange(4_000), 2))
    ridge = fit_ridge(recipe, early, describe(X, range(4)))
    rounds = fit_rounds(recipe, ridge, n_trees=200, later=later)
    assert 0 < rounds.n_trees < 200
    assert rounds.borne_by(2_000) == rounds.n_trees
    assert rounds.borne_by(16_000) == 2 * rounds.n_trees


@pytest.mark.parametrize("objective", ["binary", "regression"])
def test_what_trees_say_of_the_rows_learnt_from_is_known_without_asking_them(objective: Objective) -> None:
    """Trees beyond those that later rows bear are taken back: neither the score nor what is known of it has them."""
    draw = np.random.default_rng(6)
    X = draw.normal(size=(4_000, 4))
    X[::50, 2] = np.nan
    cutoff = np.repeat(np.arange(4) * DAY, 1_000)
    z = 2 * (X[:, 0] > 0) * np.sign(X[:, 1]) + 0.2 * cutoff / DAY
    y = (draw.random(len(X)) < sigmoid(z)).astype(float) if objective == "binary" else z + draw.normal(size=len(X))
    recipe = Recipe.of(objective, AtRiskClassifier(categorical_features=()).get_params())[0]
    matrix = BinnedMatrix.of(X, cutoff, (), n_jobs=1, seed=0)
    early, later = (LabelledRows.some(matrix, rows, y, None, cutoff) for rows in np.split(np.arange(4_000), [3_000]))
    ridge = fit_ridge(recipe, early, describe(X, range(4)))
    for rounds in (fit_rounds(recipe, ridge, n_trees=200, later=later), fit_rounds(recipe, ridge, n_trees=20)):
        assert rounds.n_trees > 0
        found = rounds.score
        assert found.score.score(X[:3_000]) == pytest.approx(found.fitted, abs=1e-9)
        assert found.score.trees is not None
        assert found.score.trees.text.count("Tree=") == rounds.n_trees


def test_recipes_are_compared_at_a_coarser_rate_and_the_chosen_one_learns_at_its_own(table: pd.DataFrame) -> None:
    """What is stored is the recipe that was asked for, whatever it was compared by."""
    X, y, cutoff = data(table)
    found = AtRiskClassifier(n_estimators=60, learning_rate=0.02, purge_days=60).fit(X, y, cutoff=cutoff)
    assert found.recipe_["num_leaves"] in (15, 31)
    trees = found.model_.score.trees
    assert trees is None or set(re.findall(r"shrinkage=(\S+)", trees.text)) <= {"0.02", "1"}


def test_without_later_cutoffs_random_rows_decide_and_nothing_is_calibrated(table: pd.DataFrame) -> None:
    """One cutoff is enough to begin with."""
    X, y, cutoff = data(table[table["cutoff"] == table["cutoff"].min()])
    found = AtRiskClassifier(n_estimators=60, purge_days=60).fit(X, y, cutoff=cutoff)
    assert found.calibration_record_["chosen"] == "identity"
    assert 0 <= found.n_trees_ <= 60


def test_a_weight_moves_the_level(table: pd.DataFrame) -> None:
    """Churners that count three times are three times as many."""
    X, y, _ = data(table)
    plain, heavy = (AtRiskClassifier(n_estimators=60).fit(X, y, sample_weight=w) for w in (None, 1 + 2 * y))
    plain = plain.predict_proba(X)[:, 1].mean()
    assert heavy.predict_proba(X)[:, 1].mean() > plain + 0.1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda X, y: (X, np.ones_like(y)), "one class only"),
        (lambda X, y: (np.where(X[0, 0] == X, np.inf, X), y), "infinity in column 0"),
        (lambda X, y: (X[:0], y[:0]), "0 sample"),
        (lambda X, y: (X, np.arange(len(y)) % 3), "Only binary classification"),
    ],
    ids=["one class", "infinite", "no rows", "three classes"],
)
def test_what_nobody_can_learn_from_is_refused(table: pd.DataFrame, change: object, message: str) -> None:
    """LightGBM fits a single class and infinite cells without a word."""
    X, y, _ = data(table)
    with pytest.raises(ValueError, match=message):
        AtRiskClassifier().fit(*change(X, y))  # type: ignore[operator]


def test_refusals_carry_the_exit_code_of_bad_data(table: pd.DataFrame) -> None:
    """The command line tells bad data from a bug by it."""
    X, y, cutoff = data(table)
    with pytest.raises(DataError, match="one class only"):
        AtRiskClassifier().fit(X, 0 * y)
    with pytest.raises(DataError, match="one cutoff for each of 2400 rows"):
        AtRiskClassifier().fit(X, y, cutoff=cutoff[1:])


def test_baselines_know_only_their_columns(table: pd.DataFrame) -> None:
    """A baseline that saw more would be no baseline; missing values are welcome."""
    X, y, cutoff = data(table)
    three = LogisticBaseline(columns=(0, 1, 2)).fit(X, y, cutoff=cutoff)
    one = LogisticBaseline(columns=0).fit(X, y)
    none = LogisticBaseline(columns=()).fit(X, y)
    changed = X.copy()
    changed[:, 3:] = np.nan
    assert np.array_equal(three.predict_proba(X), three.predict_proba(changed))
    assert len(np.unique(none.predict_proba(X))) == 2
    assert none.predict_proba(X)[0, 1] == pytest.approx(y.mean())
    changed[:, 1:] = 0.0
    assert np.array_equal(one.predict_proba(X), one.predict_proba(changed))
    assert roc_auc_score(y, three.decision_function(X)) > roc_auc_score(y, one.decision_function(X)) > 0.5
