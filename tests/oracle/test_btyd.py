"""Customer-base models against the stories they tell, integrated over all customers on a grid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import expit, log_expit
from scipy.stats import beta, gamma

from holdfast.models.btyd import BetaGeometric, GammaGamma, ModifiedBetaGeometric, ParetoNBD

HISTORIES = [
    (0, 0.0, 0.0),
    (0, 0.0, 39.0),
    (1, 0.5, 1.0),
    (1, 38.0, 39.0),
    (2, 3.0, 39.0),
    (7, 39.0, 39.0),
    (30, 20.0, 30.0),
]
HORIZONS = (0.0, 1.0, 39.0, 520.0)
MODELS = [
    BetaGeometric(0.243, 4.414, 0.793, 2.426),
    BetaGeometric(1.7, 0.6, 1.0, 0.4),
    ModifiedBetaGeometric(0.525, 6.183, 0.891, 1.614),
    ModifiedBetaGeometric(3.0, 40.0, 2.5, 9.0),
    ParetoNBD(0.553, 10.58, 0.606, 11.67),
    ParetoNBD(2.0, 30.0, 1.0, 4.0),
    ParetoNBD(0.9, 5.0, 2.2, 5.0),
]
_LOGS = np.arange(-110.0, 7.0, 0.1)


class Customers:
    """A grid of kinds of customers with their shares; each answers by what one customer does.

    With a density per logarithm (or logit) that fades at both ends, equal steps make an integral exact to rounding.
    """

    def __init__(self, model: Any) -> None:
        rate = np.exp(_LOGS)[:, None]
        self.rate = rate
        share = 0.1 * rate * gamma.pdf(rate, model.buying_shape, scale=1 / model.buying_rate)
        if isinstance(model, ParetoNBD):
            self.leaving = np.exp(_LOGS)[None, :]
            other = gamma.pdf(self.leaving, model.leaving_shape, scale=1 / model.leaving_rate) * self.leaving * 0.1
        else:
            logit = np.arange(-70.0, 90.0, 0.1)[None, :]
            self.leaving, self.staying = expit(logit), expit(-logit)
            log = model.leaving * log_expit(logit) + model.staying * log_expit(-logit)
            other = 0.1 * np.exp(log - np.log(beta_function(model.leaving, model.staying)))
        self.model, self.share = model, share * other

    def states(self, x: int, t: float, T: float) -> tuple[Any, Any]:
        """Density of the history together with being alive at T, and with having left."""
        if isinstance(self.model, ParetoNBD):
            both = self.rate + self.leaving
            left = self.leaving / both * np.exp(-both * t) * -np.expm1(-both * (T - t))
            return self.rate**x * np.exp(-both * T), self.rate**x * left
        tosses = x + isinstance(self.model, ModifiedBetaGeometric)
        alive = self.rate**x * self.staying**tosses * np.exp(-self.rate * T)
        if tosses == 0:
            return alive, np.zeros_like(alive)
        return alive, self.rate**x * self.leaving * self.staying ** (tosses - 1) * np.exp(-self.rate * t)

    def none(self, h: float) -> Any:
        """Of one who is alive: no purchase for h."""
        if isinstance(self.model, ParetoNBD):
            both = self.rate + self.leaving
            return (self.leaving + self.rate * np.exp(-both * h)) / both
        return np.exp(-self.rate * h)

    def expected(self, h: float) -> Any:
        """Of one who is alive: purchases within h."""
        fading = self.leaving if isinstance(self.model, ParetoNBD) else self.rate * self.leaving
        return self.rate * -np.expm1(-fading * h) / fading


def beta_function(a: float, b: float) -> float:
    """B(a, b), from the density of the distribution in the middle."""
    return float(0.5 ** (a + b - 2) / beta.pdf(0.5, a, b))


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_formulas_are_what_the_story_says_of_all_customers(model: Any) -> None:
    """Each formula of the papers was derived by hand; this derives nothing and adds up customers."""
    customers = Customers(model)
    assert customers.share.sum() == pytest.approx(1, rel=1e-9)
    for x, t, T in HISTORIES:
        alive, left = (customers.share * part for part in customers.states(x, t, T))
        total = alive.sum() + left.sum()
        assert model.log_likelihood([x], [t], [T]) == pytest.approx(np.log(total), rel=1e-9, abs=1e-9)
        assert model.probability_alive(x, t, T) == pytest.approx(alive.sum() / total, rel=1e-8)
        for h in HORIZONS:
            none = ((alive * customers.none(h)).sum() + left.sum()) / total
            assert model.probability_none(x, t, T, h) == pytest.approx(none, rel=1e-8)
            expected = (alive * customers.expected(h)).sum() / total
            assert model.expected(x, t, T, h) == pytest.approx(expected, rel=1e-7, abs=1e-12)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_who_is_in_a_population_is_what_the_story_says(model: Any) -> None:
    """A customer of age T is in, if there was a purchase in the last W: alive at T - W, and buying before leaving."""
    customers = Customers(model)
    for T, W in [(40.0, 39.0), (60.0, 5.0), (400.0, 39.0)]:
        alive, _ = customers.states(0, 0.0, 0.0)  # who withstood a first toss, if there is one
        survives = np.exp(
            -(customers.leaving if isinstance(model, ParetoNBD) else customers.rate * customers.leaving) * (T - W)
        )
        chosen = (customers.share * alive * survives * (1 - customers.none(W))).sum()
        assert model._chosen(np.array([T]), W)[0] == pytest.approx(chosen, rel=1e-8)


@pytest.mark.parametrize("model", [GammaGamma(6.25, 3.74, 15.44), GammaGamma(0.7, 1.3, 90.0)], ids=str)
def test_worth_is_what_the_story_says_of_all_customers(model: GammaGamma) -> None:
    """The mean of n gamma amounts is gamma with n times the shape, and rates are gamma over customers."""
    rate = np.exp(np.arange(-60.0, 30.0, 0.002))
    share = 0.002 * rate * gamma.pdf(rate, model.customer_shape, scale=1 / model.customer_rate)
    for n, z in [(1, 22.35), (2, 0.01), (5, 500.0), (300, 35.0)]:
        density = share * gamma.pdf(z, model.amount_shape * n, scale=1 / (rate * n))
        assert model.log_likelihood([n], [z]) == pytest.approx(np.log(density.sum()), rel=1e-9, abs=1e-9)
        mean = (density * model.amount_shape / rate).sum() / density.sum()
        assert model.expected_mean(n, z) == pytest.approx(mean, rel=1e-8)


def test_the_published_formula_of_expected_purchases_where_it_has_no_poles() -> None:
    """Fader, Hardie and Lee (2005), formula 10, with the 2F1 of scipy."""
    from scipy.special import hyp2f1

    r, alpha, a, b = 0.243, 4.414, 0.793, 2.426
    model = BetaGeometric(r, alpha, a, b)
    for x, t, T, h in [(0, 0.0, 39.0, 39.0), (2, 30.43, 38.86, 39.0), (11, 20.0, 30.0, 4.0)]:
        z = h / (alpha + T + h)
        buys = 1 - ((alpha + T) / (alpha + T + h)) ** (r + x) * hyp2f1(r + x, b + x, a + b + x - 1, z)
        expected = (a + b + x - 1) / (a - 1) * buys * model.probability_alive(x, t, T)
        assert model.expected(x, t, T, h) == pytest.approx(expected, rel=1e-10)
