"""The additive score: what it sums, and that nothing else enters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from holdfast.models import Bundle, to_matrix
from holdfast.models.additive import Additive, Linear
from holdfast.models.checks import InputError


@pytest.fixture(scope="module", name="X")
def matrix(table: pd.DataFrame, bundle: Bundle) -> np.ndarray:
    """The table as the models see it."""
    return to_matrix(table, bundle.features)


def test_contributions_sum_to_the_score(bundle: Bundle, X: np.ndarray) -> None:
    """Reasons that do not add up to the score explain another score."""
    for part in (bundle.risk.score, bundle.value.any_value, bundle.value.amount):
        assert np.abs(part.contributions(X).sum(axis=1) - part.score(X)).max() < 1e-9


def test_one_row_alone_scores_as_among_thousands(bundle: Bundle, X: np.ndarray) -> None:
    """A customer's risk must not depend on who else was scored; more than 2,000 rows use two threads, one row one."""
    many = bundle.risk.score.score(X)
    assert len(X) > 2_000
    for i in range(0, len(X), 97):
        assert bundle.risk.score.score(X[i : i + 1])[0] == many[i]
    assert np.array_equal(bundle.risk.score.score(X[:700]), many[:700])
    assert np.array_equal(bundle.risk.contributions(X)[:9], bundle.risk.contributions(X[:9]))


def test_stored_parts_answer_to_the_bit(bundle: Bundle, X: np.ndarray) -> None:
    """Text and JSON must lose nothing: the list is made with the stored model."""
    again = Additive.from_parts(*bundle.risk.score.to_parts("risk"))
    assert np.array_equal(again.score(X), bundle.risk.score.score(X))


def test_a_missing_value_never_seen_in_training_counts_as_the_median(bundle: Bundle, X: np.ndarray) -> None:
    """LightGBM alone would read it as 0 days since the last order, the best customer there is."""
    trees = bundle.risk.score.trees
    assert trees is not None
    blank, median = X[:50].copy(), X[:50].copy()
    blank[:, 0], median[:, 0] = np.nan, np.median(X[:, 0])
    assert np.array_equal(trees.score(blank), trees.score(median))
    assert np.isnan(trees.fill[3])  # the satisfaction is missing in training, and the trees know what that means


def test_a_linear_part_reads_logarithms_within_the_range_it_has_seen() -> None:
    """Beyond the largest customer of training the score stays put instead of running away."""
    one = np.ones(1)
    part = Linear(
        np.zeros(1), low=0 * one, high=2 * one, fill=one, center=one, width=2 * one, coef=3 * one, intercept=5.0
    )
    X = np.array([[0.0], [np.expm1(2.0)], [1e9], [np.nan], [-7.0]])
    assert part.score(X).tolist() == pytest.approx([5 - 1.5, 5 + 1.5, 5 + 1.5, 5.0, 5 - 1.5])
    assert part.contributions(X)[1].tolist() == pytest.approx([1.5, 5.0])


def test_an_empty_matrix_has_no_scores(bundle: Bundle) -> None:
    """LightGBM would raise; a day without customers is no error."""
    nobody = np.empty((0, 5))
    assert bundle.risk.log_odds(nobody).shape == (0,)
    assert bundle.risk.contributions(nobody).shape == (0, 6)


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
def test_infinity_is_refused_with_its_column(bundle: Bundle, X: np.ndarray, bad: float) -> None:
    """LightGBM scores it without a word."""
    broken = X[:3].copy()
    broken[1, 2] = bad
    with pytest.raises(InputError, match="infinity in column 2"):
        bundle.risk.log_odds(broken)


def test_another_width_is_refused(bundle: Bundle, X: np.ndarray) -> None:
    """A column too few would shift every feature to its neighbour's place."""
    with pytest.raises(InputError, match="matrix of 5 columns"):
        bundle.risk.log_odds(X[:, :4])
