"""What the history of purchases adds to the value, and how the expectations are blended."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from holdfast.learning import ValueRegressor
from holdfast.learning.value_blend import BlendTrial, blend_by_record
from holdfast.learning.value_history import level_of_totals
from holdfast.models.checks import InputError
from holdfast.models.value import Blend, Distribution, Refunds, ValueModel
from holdfast.timeline import MICROSECONDS_PER_DAY as DAY
from tests.unit.learning.samples import shop

SETTINGS = {
    "n_estimators": 30,
    "min_child_samples": 20,
    "purge_days": 90,
    "horizon_days": 90,
    "history_columns": (0, 1, 2),
    "spend_column": 3,
}


@pytest.fixture(scope="module")
def sold() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The shop above."""
    return shop()


@pytest.fixture(scope="module")
def fitted(sold: tuple[np.ndarray, np.ndarray, np.ndarray]) -> ValueRegressor:
    """Learnt from it, but for its last cutoff."""
    X, y, cutoff = sold
    known = cutoff < cutoff.max()
    return ValueRegressor(**SETTINGS).fit(X[known], y[known], cutoff=cutoff[known], recent=X[~known])


def test_a_shop_that_buys_by_chance_is_known_by_its_history(
    fitted: ValueRegressor, sold: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    """There a customer-base model is the truth, so the record must give it weight, and the total must be right."""
    X, y, cutoff = sold
    last = cutoff == cutoff.max()
    found = fitted.predict(X[last])
    assert fitted.model_.past is not None
    assert fitted.model_.blend.share > 0.6
    assert found.sum() == pytest.approx(y[last].sum(), rel=0.1)
    assert np.corrcoef(np.log1p(found), np.log1p(y[last]))[0, 1] > 0.4


def test_a_history_that_says_nothing_has_no_say(
    sold: tuple[np.ndarray, np.ndarray, np.ndarray], fitted: ValueRegressor
) -> None:
    """The record, not the wish, decides: here the four columns belong to somebody else."""
    X, y, cutoff = sold
    draw = np.random.default_rng(1)
    other = X.copy()
    for at in np.unique(cutoff):
        rows = np.flatnonzero(cutoff == at)
        other[rows] = X[draw.permutation(rows)]
    model = ValueRegressor(**SETTINGS).fit(np.column_stack([other, X]), y, cutoff=cutoff)
    assert model.model_.blend.share < 0.1 < fitted.model_.blend.share


def test_the_present_teaches_the_customer_base_without_outcomes(
    sold: tuple[np.ndarray, np.ndarray, np.ndarray], fitted: ValueRegressor
) -> None:
    """A base that is an outcome window old does not know who fell silent since; the other parts may not change."""
    X, y, cutoff = sold
    known = cutoff < cutoff.max()
    old = ValueRegressor(**SETTINGS).fit(X[known], y[known], cutoff=cutoff[known])
    assert old.model_.past is not None
    assert fitted.model_.past is not None
    assert old.model_.past.history.model != fitted.model_.past.history.model
    assert old.model_.any_value.to_parts("x") == fitted.model_.any_value.to_parts("x")


def test_with_the_history_too_a_row_alone_and_a_stored_model_say_the_same(
    fitted: ValueRegressor, sold: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    """A list must not change because one more customer was scored, or because the model was loaded."""
    X = np.vstack([sold[0][::97], np.full((1, 4), np.nan)])
    again = ValueModel.from_parts(*fitted.model_.to_parts())
    together = np.column_stack([fitted.predict(X), *fitted.predict_interval(X), fitted.probability_above(X, 50.0)])
    alone = [
        [fitted.predict(x)[0], *np.ravel(fitted.predict_interval(x)), fitted.probability_above(x, 50.0)[0]]
        for x in X[:, None, :]
    ]
    assert np.isfinite(together).all()
    assert np.array_equal(together, np.array(alone))
    assert again.n_features == 4
    assert np.array_equal(again.mean(X), together[:, 0])


def test_columns_that_are_not_there_are_named() -> None:
    """A number of a column is easily off by one."""
    X, y, cutoff = np.ones((40, 3)), np.arange(40.0), np.arange(40) // 10 * 60 * DAY
    with pytest.raises(InputError, match=r"columns of X as spend_column; X has no 3. It has 3 columns"):
        ValueRegressor(**SETTINGS).fit(X, y, cutoff=cutoff)


def _trial(truth: np.ndarray, own: np.ndarray, other: np.ndarray | None) -> BlendTrial:
    found = BlendTrial.of(truth, own, other, None)
    assert found is not None
    return found


def test_the_record_finds_the_share_and_the_slope() -> None:
    """The right expectation gets all, of two equal ones neither more; a score that was shrunk is spread again."""
    draw = np.random.default_rng(5)
    right = draw.lognormal(4, 1, 20_000)
    truth = right * draw.gamma(1, 1, 20_000)
    noise = draw.permutation(right)
    assert blend_by_record([_trial(truth, noise, right)])[0] == pytest.approx(1.0, abs=0.05)
    assert blend_by_record([_trial(truth, right, noise)])[0] == pytest.approx(0.0, abs=0.05)
    assert blend_by_record([_trial(truth, right, right)]) == pytest.approx((0.5, 1.0), abs=0.03)
    assert blend_by_record([_trial(truth, right**0.9, None)])[1] == pytest.approx(1 / 0.9, abs=0.05)
    assert blend_by_record([]) == (0.5, 1.0)


def test_a_later_cutoff_at_which_nothing_came_is_no_record() -> None:
    """It would divide by its total."""
    assert BlendTrial.of(np.zeros(5), np.ones(5), None, None) is None
    assert BlendTrial.of(np.ones(5), np.zeros(5), None, None) is None


def test_the_level_of_totals_is_their_ratio_and_weights_are_rows() -> None:
    """Twice as much came as was expected."""
    draw = np.random.default_rng(2)
    expected, weight = draw.lognormal(3, 1, 400), draw.integers(1, 4, 400).astype(float)
    ahead = {"X": np.zeros((400, 1)), "purge_days": 30.0, "season_columns": ()}
    assert level_of_totals(2 * expected, expected, None, None, **ahead).table == pytest.approx([np.log(2)])
    heavy = np.where(weight > 1, 3 * expected, expected)
    ratio = (weight @ heavy) / (weight @ expected)
    assert level_of_totals(heavy, expected, None, weight, **ahead).table == pytest.approx([np.log(ratio)])
    assert level_of_totals(0 * expected, expected, None, None, **ahead).table == pytest.approx([0.0])


def test_the_blend_gives_the_mixture_and_the_pivot_stays() -> None:
    """The mean that is told is the blend's, and interval and probability move with it."""
    residual = np.repeat(np.linspace(-1, 1, 19)[None, :], 3, axis=0)
    own = Distribution(np.full(3, 0.5), np.log([10.0, 100.0, 1_000.0]), residual, Refunds(0.0, np.zeros(19)))
    other = np.array([20.0, 20.0, 20.0])
    mixed = Blend(0.25, 1.0, 1.0).of(own, other)
    assert mixed.mean() == pytest.approx(0.75 * own.mean() + 0.25 * other)
    assert mixed.interval(0.9)[1] / own.interval(0.9)[1] == pytest.approx(mixed.mean() / own.mean())
    pivot = float(own.mean()[1])
    wider = Blend(0.0, 1.2, pivot).of(own, None)
    assert wider.mean()[1] == pytest.approx(pivot)
    assert wider.mean()[2] / pivot == pytest.approx((own.mean()[2] / pivot) ** 1.2)


def test_an_amount_beyond_the_table_counts_as_its_end() -> None:
    """One order of 77,000 is a large order of its customer, and no more; what did not come is not made up."""
    residual = np.repeat(np.linspace(-1, 1, 19)[None, :], 4, axis=0)
    usual = Distribution(np.full(4, 0.5), np.full(4, np.log(100.0)), residual, Refunds(0.0, np.zeros(19)))
    counted = usual.winsorised(np.array([77_000.0, 120.0, 1.0, 0.0]))
    assert counted == pytest.approx([100 * np.e, 120.0, 100 / np.e, 0.0])
    refunded = replace(usual, refunds=Refunds(0.5, np.linspace(-50, -1, 19)))
    assert refunded.winsorised(np.full(4, -900.0)) == pytest.approx(-50.0)
