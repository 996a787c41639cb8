"""Directions known beforehand: the constrained ridge is the optimum, and what cannot be promised is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from sklearn.base import clone

from holdfast.learning import AtRiskClassifier
from holdfast.learning.ridge import Objective, describe, fit_linear
from holdfast.models.additive import Linear
from holdfast.models.checks import InputError

PENALTY = 2.0


def rows(count: int = 1500, width: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Correlated columns whose effects have all signs; log-odds; weights; groups."""
    draw = np.random.default_rng(seed)
    X = draw.normal(size=(count, width)) + draw.normal(size=(count, 1))
    groups = draw.integers(0, 3, count)
    score = X @ np.linspace(-0.6, 0.6, width) + 0.4 * groups
    return X, score, draw.uniform(0.5, 2.0, count), groups


def penalised(linear: Linear, X: np.ndarray, y: np.ndarray, w: np.ndarray, of: np.ndarray, objective: Objective):
    """The loss that the module states, of coefficients and intercepts; and its gradient."""
    Z = np.column_stack([linear.standardised(X), np.eye(of.max() + 1)[of]])
    width = len(linear.coef)
    ridge = np.r_[np.full(width, PENALTY * width), np.zeros(of.max() + 1)]

    def loss(beta: np.ndarray) -> tuple[float, np.ndarray]:
        eta = Z @ beta
        if objective == "binary":
            each, off = np.logaddexp(0, eta) - y * eta, 1 / (1 + np.exp(-eta)) - y
        else:
            each, off = (y - eta) ** 2 / 2, eta - y
        return w @ each + ridge @ beta**2 / 2, Z.T @ (w * off) + ridge * beta

    return loss, Z.shape[1]


@pytest.mark.parametrize("objective", ["binary", "regression"])
@pytest.mark.parametrize(
    "cst", [(1, 0, 0, 0, 0, -1), (1, 1, 1, -1, -1, -1), (-1, 1, 0, -1, 1, 1), (-1, -1, -1, 1, 1, 1), (0, 0, 1, 0, 0, 0)]
)
def test_the_constrained_ridge_is_the_least_that_scipy_finds(objective: Objective, cst: tuple[int, ...]) -> None:
    """To cut a wrong coefficient off afterwards would leave its share of the others where it was."""
    X, score, w, of = rows()
    draw = np.random.default_rng(3)
    y = (draw.random(len(X)) < 1 / (1 + np.exp(-score))).astype(float)
    y = y if objective == "binary" else score + draw.normal(size=len(X))
    found, _ = fit_linear(
        X, y, describe(X, range(6)), objective=objective, penalty=PENALTY, weight=w, groups=of, monotonic_cst=cst
    )
    loss, size = penalised(found, X, y, w, of, objective)
    bounds = [{1: (0, None), -1: (None, 0), 0: (None, None)}[sign] for sign in (*cst, 0, 0, 0)]
    best = minimize(
        loss, np.zeros(size), jac=True, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-15, "gtol": 1e-9}
    )
    np.testing.assert_allclose(found.coef, best.x[:6], atol=2e-4)
    assert (np.array(cst) * found.coef >= 0).all()
    assert ((np.abs(best.x[:6]) < 1e-12) == (found.coef == 0)).all()


def test_a_ridge_without_wrong_signs_is_the_ridge() -> None:
    """Directions that the data have anyway cost nothing."""
    X, score, _, _ = rows()
    y = (np.random.default_rng(3).random(len(X)) < 1 / (1 + np.exp(-score))).astype(float)
    free, _ = fit_linear(X, y, describe(X, range(6)), objective="binary", penalty=PENALTY)
    kept, _ = fit_linear(
        X, y, describe(X, range(6)), objective="binary", penalty=PENALTY, monotonic_cst=np.sign(free.coef).astype(int)
    )
    np.testing.assert_allclose(kept.coef, free.coef, atol=1e-7)


def parts(cst: object, X: object = None) -> tuple[object, object]:
    """All that a fitted classifier would store."""
    Z, score, _, _ = rows(600)
    y = (np.random.default_rng(3).random(len(Z)) < 1 / (1 + np.exp(-score))).astype(float)
    return clone(AtRiskClassifier(n_estimators=20, monotonic_cst=cst)).fit(Z if X is None else X, y).model_.to_parts()


def test_zeros_declare_nothing() -> None:
    """To the bit: who declares nothing has the model that he had."""
    assert parts(None) == parts([0] * 6) != parts([1, 0, 0, 0, 0, 0])


def test_columns_with_names_may_be_declared_by_them() -> None:
    """As in scikit-learn's own trees."""
    frame = pd.DataFrame(rows(600)[0], columns=list("abcdef"))
    assert parts({"b": -1, "f": 1}, frame) == parts([0, -1, 0, 0, 0, 1])
    with pytest.raises(
        InputError, match=r"columns of X as monotonic_cst; X has no 'g'. It has 6 columns, .* named a, b, c, d, e, f"
    ):
        parts({"g": 1}, frame)


@pytest.mark.parametrize(
    ("settings", "part"),
    [
        ({"monotonic_cst": [1, 0]}, r"1, -1 or 0 for each of 6 columns as monotonic_cst, found \[1, 0\]"),
        ({"monotonic_cst": [2, 0, 0, 0, 0, 0]}, r"1, -1 or 0 for each of 6 columns .* found \[2, 0, 0, 0, 0, 0\]"),
        ({"categorical_features": (0,)}, "found 1 for column 0, which holds categories"),
        ({"history_columns": (1, 0, 2)}, "found 1 for column 0, which the customer base reads"),
        ({"season_columns": (3, 0)}, "found 1 for column 0, which tells the time of the year"),
    ],
)
def test_what_cannot_be_promised_is_refused(settings: dict[str, object], part: str) -> None:
    """A promise that holds for a part of the score only is none."""
    X, score, _, _ = rows(600)
    learner = AtRiskClassifier(**{"monotonic_cst": [1, 0, 0, 0, 0, 0], **settings})
    with pytest.raises(InputError, match=part):
        learner.fit(X, score > 0)


def test_a_column_that_accumulates_keeps_to_its_direction_by_having_no_say() -> None:
    """It is no error: with a longer history it would speak."""
    X, score, _, _ = rows(600)
    found = AtRiskClassifier(n_estimators=20, monotonic_cst=[1, 0, 0, 0, 0, 0], accumulating_columns=(0,))
    found.fit(X, score > 0)
    more = X + np.array([5.0, 0, 0, 0, 0, 0])
    np.testing.assert_array_equal(found.decision_function(more), found.decision_function(X))
