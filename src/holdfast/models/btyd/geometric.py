"""Leaving by the toss of a coin after purchases: what BG/NBD and MBG/NBD share.

While alive, a customer buys at the rate ``lambda``, which is gamma distributed over customers (shape ``buying_shape``,
rate ``buying_rate``; r and alpha in the papers). After a purchase the customer leaves with the probability ``p``, which
is beta distributed (``leaving``, ``staying``; a and b). The two models differ in whether the first purchase, at age 0,
counts: a customer of x repeats has withstood ``k = x`` tosses in BG/NBD and ``k = x + 1`` in MBG/NBD. With B the beta
function, the likelihood of x repeats, the last at t, seen until T, is::

    Gamma(r + x) alpha^r / Gamma(r)
        * [ B(a, b + k) / B(a, b) (alpha + T)^-(r + x)                           still alive at T
          + B(a + 1, b + k - 1) / B(a, b) (alpha + t)^-(r + x)   if k > 0 ]      left at t
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from scipy.special import betaln, expit, gammaln, psi

from holdfast.models.btyd.beta import BetaRule
from holdfast.models.btyd.histories import EqualRuns, Histories
from holdfast.models.btyd.purchases import PurchaseModel, typical_buying
from holdfast.models.checks import Vector


@dataclass(frozen=True)
class GeometricModel(PurchaseModel):
    """Formulas of both models; ``first_counts`` says which of them.

    Attributes
    ----------
    buying_shape, buying_rate :
        r and alpha: the mean customer buys ``buying_shape / buying_rate`` times per unit of time.
    leaving, staying :
        a and b: after a purchase, ``leaving / (leaving + staying)`` of the customers leave.
    """

    first_counts: ClassVar[bool]

    buying_shape: float
    buying_rate: float
    leaving: float
    staying: float

    @classmethod
    def typical(cls, histories: Histories) -> Self:
        """Buying by moments; one customer in five leaves after a purchase."""
        return cls(*typical_buying(histories), 0.5, 2.0)

    def _tosses(self, x: Vector) -> Vector:
        return x + 1.0 if self.first_counts else x

    def _log_odds_left(self, x: Vector, t: Vector, T: Vector) -> Vector:
        """The second term of the likelihood by the first."""
        k = self._tosses(x)
        odds = np.log(self.leaving) - np.log(self.staying + np.maximum(k, 1.0) - 1.0)
        return np.where(k > 0, odds + (self.buying_shape + x) * np.log1p((T - t) / (self.buying_rate + t)), -np.inf)

    def _alive(self, x: Vector, t: Vector, T: Vector) -> Vector:
        return np.asarray(expit(-self._log_odds_left(x, t, T)))

    def _none(self, x: Vector, t: Vector, T: Vector, h: Vector) -> Vector:
        buys_if_alive = -np.expm1(-(self.buying_shape + x) * np.log1p(h / (self.buying_rate + T)))
        return 1.0 - self._alive(x, t, T) * buys_if_alive

    def _expected(self, x: Vector, t: Vector, T: Vector, h: Vector) -> Vector:
        """``P(alive) E[g(p)]`` with ``g(p) = E[1 - exp(-lambda p h)] / p``, the purchases of one who leaves at p.

        Equal to the formula with 2F1 of the paper (10), which has poles at a = 1 and at a + b + x = 1.
        """
        rate, speed = self.buying_shape + x, h / (self.buying_rate + T)
        staying, row = np.unique(self.staying + self._tosses(x), return_inverse=True)
        rule = BetaRule.of(self.leaving, staying)
        p = rule.p[row]
        g = -np.expm1(-rate[:, None] * np.log1p(p * speed[:, None])) / p
        return self._alive(x, t, T) * np.maximum(rule.mean(g, rate * speed, row), 0.0)

    def _terms(self, x: Vector, t: Vector, T: Vector) -> tuple[Vector, list[Vector]]:
        r, alpha, a, b = self.buying_shape, self.buying_rate, self.leaving, self.staying
        runs = EqualRuns(x)
        count = runs.values
        k = self._tosses(count)
        of_count = gammaln(r + count) - gammaln(r) + betaln(a, b + k) - betaln(a, b)
        odds = self._log_odds_left(x, t, T)
        left = expit(odds)
        each = runs.spread(of_count) + r * np.log(alpha) - (r + x) * np.log(alpha + T) + np.logaddexp(0.0, odds)
        by_r = runs.spread(psi(r + count) - psi(r)) + np.log(alpha) - np.log(alpha + T)
        by_r += left * np.log1p((T - t) / (alpha + t))
        by_alpha = r / alpha - (r + x) / (alpha + T) * (1.0 + left * (T - t) / (alpha + t))
        by_a = runs.spread(psi(a + b) - psi(a + b + k)) + left / a
        by_b = runs.spread(psi(a + b) - psi(a + b + k) + psi(b + k) - psi(b))
        by_b -= left / runs.spread(b + np.maximum(k, 1.0) - 1.0)
        return each, [by_r, by_alpha, by_a, by_b]

    def _chosen(self, T: Vector, within: float) -> tuple[Vector, list[Vector]]:
        """``E[g(p)]``, times the share that withstands the first toss if there is one.

        With ``z = T - within``, it is to have neither left until z, at the rate ``lambda p``, nor paused ever since::

            g(p) = (alpha / (alpha + p z))^r - (alpha / (alpha + p z + within))^r
        """
        r, alpha, a, b = self.buying_shape, self.buying_rate, self.leaving, self.staying
        rule = BetaRule.of(a, b + self._tosses(np.zeros(1)))
        p = np.append(rule.p[0], 0.0)
        since = p * (T[:, None] - within)
        stayed, paused = (alpha / (alpha + since)) ** r, (alpha / (alpha + since + within)) ** r
        g = stayed * -np.expm1(-r * np.log1p(within / (alpha + since)))
        by_r = paused * np.log1p((since + within) / alpha) - stayed * np.log1p(since / alpha)
        by_alpha = r / alpha * (stayed * since / (alpha + since) - paused * (since + within) / (alpha + since + within))
        chosen, *slopes = (rule.mean(h[:, :-1], h[:, -1]) for h in (g, by_r, by_alpha))
        slopes += rule.mean_slopes(g[:, :-1], g[:, -1])
        if self.first_counts:
            share = b / (a + b)
            slopes = [share * slope for slope in slopes]
            slopes[2] -= chosen * share / (a + b)
            slopes[3] += chosen * share * a / (b * (a + b))
            chosen = share * chosen
        return chosen, slopes
