"""Fits find what made the data, count weights as rows, and stay finite where the data say little."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest

from benchmarks.peers import stories
from holdfast.learning.btyd import fit_gamma_gamma, fit_purchases
from holdfast.learning.btyd.maximum_likelihood import FitStage, maximise
from holdfast.models.btyd import BetaGeometric, GammaGamma, Histories, ModifiedBetaGeometric, ParetoNBD
from holdfast.models.checks import InputError

TRUTHS = [
    BetaGeometric(0.9, 30.0, 0.8, 2.4),
    ModifiedBetaGeometric(0.9, 30.0, 0.8, 2.4),
    ParetoNBD(0.9, 30.0, 0.8, 100.0),
]
by_kind = pytest.mark.parametrize("truth", TRUTHS, ids=lambda model: model.kind)


@by_kind
def test_a_fit_finds_what_made_the_data(truth) -> None:
    """Within four standard errors, which the curvature of the likelihood at the truth gives."""
    world = stories.live(truth, 20_000, age=(100, 700), horizon=0, seed=3)
    data = Histories.of(world.repeats, world.last, world.age)
    found = fit_purchases(type(truth), data)
    at = np.log(astuple(truth))
    curvature = [
        (type(truth)(*np.exp(at + step)).slope(data)[1] - type(truth)(*np.exp(at - step)).slope(data)[1]) / 2e-4
        for step in np.eye(4) * 1e-4
    ]
    spread = np.sqrt(np.diag(np.linalg.inv(-np.array(curvature))))
    assert (np.abs(np.log(astuple(found)) - at) < 4 * spread).all()
    assert found.slope(data)[0] >= truth.slope(data)[0]


@by_kind
def test_a_population_of_recent_buyers_tells_of_all(truth) -> None:
    """A list is made for those who bought lately, and only they are in its snapshots.

    Knowing the choice, the forecast for them is right within two points; not knowing it, it is off by more than six.
    """
    world = stories.live(truth, 40_000, age=(100, 1500), horizon=90, seed=3)
    recent = world.age - world.last <= 120
    history = world.repeats[recent], world.last[recent], world.age[recent]
    came = (world.future[recent] == 0).mean()
    knowing = fit_purchases(type(truth), Histories.of(*history, bought_within=120))
    assert knowing.probability_none(*history, 90).mean() == pytest.approx(came, abs=0.02)
    assert knowing.expected(*history, 90).mean() == pytest.approx(world.future[recent].mean(), rel=0.03)
    naive = fit_purchases(type(truth), Histories.of(*history))
    assert abs(naive.probability_none(*history, 90).mean() - came) > 0.06
    with pytest.raises(InputError, match="Wanted only customers who bought within 120"):
        Histories.of(world.repeats, world.last, world.age, bought_within=120)


@by_kind
def test_ages_that_are_put_together_hardly_move_the_likelihood(truth) -> None:
    """Hardly two customers are of one age, and an integral for each age would be most of what a fit costs."""
    world = stories.live(truth, 4_000, age=(1.0, 730.0), horizon=0.0, seed=7)
    lately = world.age - world.last <= 120
    history = world.repeats[lately], world.last[lately], world.age[lately]
    chosen = Histories.of(*history, bought_within=120)
    old = chosen.age[chosen.age > 120]
    assert len(chosen.chosen[0]) == 100 < len(np.unique(old))
    assert chosen.chosen[1].sum() == pytest.approx(len(old))
    each = np.log(truth._chosen(old, 120.0)[0]).sum()
    alone = truth.slope(Histories.of(*history))[0]
    assert truth.slope(chosen)[0] == pytest.approx(alone - each, rel=1e-6)


@by_kind
def test_a_horizon_comes_as_the_formulas_say(truth) -> None:
    """Purchases are drawn one by one, and what follows is counted by how often customers had bought before.

    Bounds are four and a half standard errors, of the counts themselves.
    """
    world = stories.live(truth, 200_000, age=(5, 400), horizon=90, seed=8)
    history = world.repeats, world.last, world.age
    none, expected = truth.probability_none(*history, 90.0), truth.expected(*history, 90.0)
    alive = truth.probability_alive(*history)
    for group in (world.repeats == 0, world.repeats == 1, (world.repeats > 1) & (world.repeats < 5), world.repeats > 4):
        assert group.sum() > 1000
        for predicted, came in ((none, world.future == 0), (expected, world.future), (alive, world.alive)):
            away = (came - predicted)[group]
            assert abs(away.mean()) <= 4.5 * away.std() / np.sqrt(group.sum())


@by_kind
def test_a_weight_is_so_many_customers(truth) -> None:
    """Snapshots are drawn and weighted back; and rows of weight 0 are not there."""
    world = stories.live(truth, 500, age=(10, 300), horizon=0, seed=2)
    columns = np.stack([world.repeats, world.last, world.age])
    weight = np.arange(500) % 4
    weighted = fit_purchases(type(truth), Histories.of(*columns, weight))
    repeated = fit_purchases(type(truth), Histories.of(*np.repeat(columns, weight, axis=1)))
    assert astuple(weighted) == pytest.approx(astuple(repeated), rel=1e-6)


@by_kind
def test_weeks_and_days_tell_the_same(truth) -> None:
    """A unit is a convention: rates change by it, probabilities do not."""
    world = stories.live(truth, 2000, age=(10, 300), horizon=0, seed=5)
    days = fit_purchases(type(truth), Histories.of(world.repeats, world.last, world.age), penalty=2.0)
    weeks = fit_purchases(type(truth), Histories.of(world.repeats, world.last / 7, world.age / 7), penalty=2.0)
    assert weeks.buying_rate * 7 == pytest.approx(days.buying_rate, rel=1e-4)
    assert weeks.probability_none(2, 3, 9, 4) == pytest.approx(days.probability_none(2, 21, 63, 28), rel=1e-5)


@pytest.mark.parametrize("model", [BetaGeometric, ModifiedBetaGeometric, ParetoNBD])
def test_few_repeat_purchases_need_a_penalty_and_no_more(model) -> None:
    """A young business asks too; the answer leans on a usual one instead of running off."""
    nobody = Histories.of(np.zeros(50), np.zeros(50), np.arange(50.0))
    with pytest.raises(InputError, match="Wanted customers who came back, found none among 50"):
        fit_purchases(model, nobody)
    for rows in (
        nobody,
        Histories.of([3, 0], [5, 0], [9, 2]),
        Histories.of([1], [0], [0]),
        Histories.of([0], [0], [0]),
    ):
        found = fit_purchases(model, rows, penalty=1.0)
        typical = model.typical(rows)
        assert np.abs(np.log(astuple(found)) - np.log(astuple(typical))).max() < 5
        assert 0 < found.probability_none(0, 0, 30, 30) < 1


def test_a_likelihood_that_grows_for_ever_stops_somewhere() -> None:
    """Customers who all buy like clockwork have no spread of rates; without penalty the end is a wide wall."""
    found = fit_purchases(ParetoNBD, Histories.of(np.full(100, 50), np.full(100, 99.0), np.full(100, 100.0)))
    assert np.isfinite(astuple(found)).all()
    assert found.expected(50, 99, 100, 10) == pytest.approx(5, rel=0.05)


def test_the_penalty_fades_where_there_is_much_to_see() -> None:
    """It is worth a customer, so 20,000 customers outvote it: the shift is within the error of the fit."""
    world = stories.live(TRUTHS[2], 20_000, age=(100, 700), horizon=0, seed=3)
    data = Histories.of(world.repeats, world.last, world.age)
    free, held = (fit_purchases(ParetoNBD, data, penalty=penalty) for penalty in (0.0, 1.0))
    assert astuple(held) == pytest.approx(astuple(free), rel=2e-2)
    assert held != free


def test_no_likelihood_is_asked_beyond_the_walls() -> None:
    """A first stage that says little of a parameter makes steps for the next that no exponential survives."""
    best, asked = np.array([1.0, 2.0]), []

    def stage(curve: list[float]) -> FitStage:
        def slope(at: np.ndarray) -> tuple[float, np.ndarray]:
            asked.append(at)
            away = at - best
            return float(-(away * curve) @ away / 2), -np.asarray(curve) * away

        return FitStage(slope, 1.0)

    found = maximise([stage([1.0, 1e-5]), stage([1.0, 1.0])], np.zeros(2))
    assert found == pytest.approx(best, abs=1e-6)
    assert np.abs(asked).max() <= 12


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1.5], [0], [1]), "Wanted whole numbers of repeat purchases"),
        (([-1], [0], [1]), "Wanted whole numbers of repeat purchases"),
        (([1], [2], [1]), "age at the last purchase <= age"),
        (([1], [0], [np.nan]), "age at the last purchase <= age"),
        (([1], [0], [1], [-1]), "Wanted one weight for each customer"),
        (([1], [0], [1], [0]), "found no customer with a first purchase"),
    ],
)
def test_impossible_histories_are_refused(columns, message) -> None:
    """A formula would answer them with a number."""
    with pytest.raises(InputError, match=message):
        Histories.of(*columns)


def test_impossible_parameters_and_horizons_are_refused() -> None:
    """They come from a file that somebody edited."""
    with pytest.raises(InputError, match="Wanted positive finite parameters of bg_nbd"):
        BetaGeometric(0.2, 4.0, 0.0, 1.0)
    with pytest.raises(InputError, match="Wanted a horizon of 0 or more"):
        BetaGeometric(0.2, 4.0, 0.5, 1.0).expected(0, 0, 1, -1)
    with pytest.raises(InputError, match="customer_shape above 1"):
        GammaGamma(1.0, 1.0, 1.0)


def test_the_worth_of_purchases_is_found_and_amounts_without_mean_stay_finite() -> None:
    """Within 15 % on 20,000 customers, their mean within 1 %; and a tail of exponent 0.8, which has no mean."""
    rng = np.random.default_rng(4)
    n = rng.integers(1, 9, 20_000).astype(float)
    rate = rng.gamma(3.7, 1 / 15.4, len(n))
    found = fit_gamma_gamma(n, rng.gamma(6.2 * n, 1 / (rate * n)))
    assert astuple(found) == pytest.approx((6.2, 3.7, 15.4), rel=0.15)
    assert found.expected_mean(0, 0) == pytest.approx(6.2 * 15.4 / 2.7, rel=0.01)
    heavy = fit_gamma_gamma(n, 1 / rng.gamma(0.8, 1.0, len(n)))
    assert heavy.customer_shape == pytest.approx(1.05)
    assert np.isfinite(heavy.expected_mean([0, 3], [np.nan, 10])).all()
    assert found.expected_mean(3, -5.0) == found.expected_mean(3, 0.0)
    with pytest.raises(InputError, match="Wanted customers with a positive mean amount"):
        fit_gamma_gamma([0, 2], [5, 0])
