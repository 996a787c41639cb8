"""The churn classifier on a business whose rules are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from holdfast.errors import DataError
from holdfast.models import AtRiskClassifier, LogisticBaseline, RecencyBaseline, learn_categories, to_matrix
from holdfast.timeline import MICROSECONDS_PER_DAY as DAY
from tests.unit.models.samples import FEATURES, MONTH, snapshots


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
    assert other.to_parts() == classifier.to_parts()


def test_stored_parts_make_the_same_classifier(classifier: AtRiskClassifier, table: pd.DataFrame) -> None:
    """Whoever loads it gets the probabilities that were tested."""
    X, _, _ = data(table)
    again = AtRiskClassifier.from_parts(*classifier.to_parts())
    assert np.array_equal(again.predict_proba(X), classifier.predict_proba(X))
    assert np.array_equal(again.predict(X), classifier.predict(X))


def test_a_season_is_not_learnt_from_part_of_a_year(table: pd.DataFrame) -> None:
    """With eight months of history the month names the cutoff; the trees would learn each cutoff by heart."""
    X, y, cutoff = data(table)
    season = np.sin(cutoff / (365.25 * DAY) * 2 * np.pi)
    loud = np.where(season > np.median(season), 1 - y, y)  # the season decides everything, if one looks
    Z = np.column_stack([X[:, :4], season])
    short = AtRiskClassifier(n_estimators=60, purge_days=30).fit(Z, loud, cutoff=cutoff)
    assert np.abs(short.contributions(Z)[:, 4]).max() == 0.0
    years = cutoff[0] + (cutoff - cutoff[0]) // MONTH * 80 * DAY
    long = AtRiskClassifier(n_estimators=60, purge_days=30).fit(Z, loud, cutoff=years)
    assert np.abs(long.contributions(Z)[:, 4]).max() > 0.0


def test_without_later_cutoffs_random_rows_decide_and_nothing_is_calibrated(table: pd.DataFrame) -> None:
    """One cutoff is enough to begin with."""
    X, y, cutoff = data(table[table["cutoff"] == table["cutoff"].min()])
    found = AtRiskClassifier(n_estimators=60, purge_days=60).fit(X, y, cutoff=cutoff)
    assert found.calibration_record_["chosen"] == "identity"
    assert 10 <= found.n_trees_ <= 60


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
    one = RecencyBaseline().fit(X, y)
    none = LogisticBaseline(columns=()).fit(X, y)
    changed = X.copy()
    changed[:, 3:] = np.nan
    assert np.array_equal(three.predict_proba(X), three.predict_proba(changed))
    assert len(np.unique(none.predict_proba(X))) == 2
    assert none.predict_proba(X)[0, 1] == pytest.approx(y.mean())
    changed[:, 1:] = 0.0
    assert np.array_equal(one.predict_proba(X), one.predict_proba(changed))
    assert roc_auc_score(y, three.decision_function(X)) > roc_auc_score(y, one.decision_function(X)) > 0.5
