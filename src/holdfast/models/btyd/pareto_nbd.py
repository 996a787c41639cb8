"""The Pareto model: a customer may leave at any time, whether or not there was a purchase.

Schmittlein, Morrison and Colombo (1987), Counting your customers, Management Science 33 (1), 1-24, with the formulas
of Fader and Hardie (2005), A note on deriving the Pareto/NBD model. While alive, a customer buys at the rate ``lambda``
and leaves at the rate ``mu``, both gamma distributed over customers (r, alpha and s, beta). The likelihood of x
repeats, the last at t, seen until T, is::

    Gamma(r + x) alpha^r beta^s / Gamma(r)
        * [ (alpha + T)^-(r + x) (beta + T)^-s                                              still alive at T
          + integral from t to T of s (alpha + z)^-(r + x) (beta + z)^-(s + 1) dz ]         left at z

The papers write the integral as a difference of two 2F1, which loses digits. Here both terms are divided by what the
first would be at T = t, so that the first is ``exp(-v(T))``, and the integral is computed as it stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.special import exprel, gammaln, psi

from holdfast.models.btyd.histories import EqualRuns, Histories
from holdfast.models.btyd.purchases import PurchaseModel, typical_age, typical_buying
from holdfast.models.checks import Matrix, Vector

_FORGOTTEN = 40.0  # exp(-40) of a survivor is less than a rounding error
_SIZES = (12, 16, 24, 32, 48, 64, 128, 256)
_RULES = {size: np.polynomial.legendre.leggauss(size) for size in _SIZES}


@dataclass(frozen=True)
class ParetoNBD(PurchaseModel):
    """Pareto/NBD.

    Attributes
    ----------
    buying_shape, buying_rate :
        r and alpha: the mean customer buys ``buying_shape / buying_rate`` times per unit of time.
    leaving_shape, leaving_rate :
        s and beta: the mean rate of leaving is ``leaving_shape / leaving_rate``.
    """

    kind = "pareto_nbd"

    buying_shape: float
    buying_rate: float
    leaving_shape: float
    leaving_rate: float

    @classmethod
    def typical(cls, histories: Histories) -> Self:
        """Buying by moments; half of the customers leave within the mean age."""
        return cls(*typical_buying(histories), 1.0, typical_age(histories))

    def _alive(self, x: Vector, t: Vector, T: Vector) -> Vector:
        return np.asarray(np.exp(-self._faded(x, t, T)) / self._either(x, t, T))

    def _none(self, x: Vector, t: Vector, T: Vector, h: Vector) -> Vector:
        return np.asarray(np.minimum(self._either(x, t, T + h) / self._either(x, t, T), 1.0))

    def _expected(self, x: Vector, t: Vector, T: Vector, h: Vector) -> Vector:
        """``P(alive) E[lambda] E[(1 - exp(-mu h)) / mu]``; at s = 1 the last is a logarithm."""
        s, beta = self.leaving_shape, self.leaving_rate
        stretch = np.log1p(h / (beta + T))
        alive_time = (beta + T) * stretch * exprel((1.0 - s) * stretch)
        return np.asarray(self._alive(x, t, T) * (self.buying_shape + x) / (self.buying_rate + T) * alive_time)

    def _either(self, x: Vector, t: Vector, z: Vector) -> Vector:
        """Both terms together: alive at z, or left by then."""
        return np.asarray(np.exp(-self._faded(x, t, z)) + self._left(x, t, z)[0])

    def _faded(self, x: Vector, t: Vector, z: Vector) -> Vector:
        """``v(z)``: minus the logarithm of the first term, since t."""
        since = z - t
        bought = (self.buying_shape + x) * np.log1p(since / (self.buying_rate + t))
        return bought + self.leaving_shape * np.log1p(since / (self.leaving_rate + t))

    def _terms(self, x: Vector, t: Vector, T: Vector) -> tuple[Vector, list[Vector]]:
        r, alpha, s, beta = self.buying_shape, self.buying_rate, self.leaving_shape, self.leaving_rate
        runs = EqualRuns(x)
        count = runs.values
        survived = np.exp(-self._faded(x, t, T))
        left, *left_by = self._left(x, t, T, slopes=True)
        either = survived + left
        each = runs.spread(gammaln(r + count) - gammaln(r)) + r * np.log(alpha) + s * np.log(beta)
        each += np.log(either) - (r + x) * np.log(alpha + t) - s * np.log(beta + t)
        bought, stayed = np.log1p((T - t) / (alpha + t)), np.log1p((T - t) / (beta + t))
        by_r = runs.spread(psi(r + count) - psi(r)) + np.log(alpha / (alpha + t))
        by_r += (left_by[0] - survived * bought) / either
        by_alpha = r / alpha - (r + x) / (alpha + t)
        by_alpha += (left_by[1] - survived * (r + x) / (alpha + t) * np.expm1(-bought)) / either
        by_s = np.log(beta / (beta + t)) + (left_by[2] - survived * stayed) / either
        by_beta = s / beta - s / (beta + t)
        by_beta += (left_by[3] - survived * s / (beta + t) * np.expm1(-stayed)) / either
        return each, [by_r, by_alpha, by_s, by_beta]

    def _chosen(self, T: Vector, within: float) -> tuple[Vector, list[Vector]]:
        """Integral over the first purchase after ``z = T - within``: none for y, and still alive then.

        ::

            r alpha^r / (alpha + y)^(r + 1) * (beta / (beta + z + y))^s dy   from 0 to within
        """
        r, alpha, s, beta = self.buying_shape, self.buying_rate, self.leaving_shape, self.leaving_rate
        point, weight = _RULES[64]
        width = min(np.log1p(within / alpha), _FORGOTTEN / r)
        waited = width * (point + 1.0) / 2.0  # log((alpha + y) / alpha)
        y = alpha * np.expm1(waited)
        stayed = np.log1p((T[:, None] - within + y) / beta)
        density = np.exp(-r * waited - s * stayed) * (r * width / 2.0 * weight)
        slopes = [
            density @ (1.0 / r - waited),
            density @ (r / alpha - (r + 1.0) / (alpha + y)),
            -np.einsum("ij,ij->i", density, stayed),
            np.einsum("ij,ij->i", density, s / beta * -np.expm1(-stayed)),
        ]
        return density.sum(axis=1), slopes

    def _left(self, x: Vector, t: Vector, T: Vector, *, slopes: bool = False) -> Matrix:
        """Integral from t to T of ``s / (beta + z) exp(-v(z)) dz``, by Gauss and Legendre.

        The variable is ``log((m + z) / (m + t))`` with m the lesser of alpha and beta, in which both logarithms of v
        are smooth. The end is cut where nobody is left, so that large counts do not hide between two points; and a
        wider range gets more points. The answer has one row, or with ``slopes`` five: the derivatives by r, alpha, s
        and beta follow.
        """
        m = min(self.buying_rate, self.leaving_rate)
        gone = np.minimum(
            (self.buying_rate + t) * np.expm1(np.minimum(_FORGOTTEN / (self.buying_shape + x), 600.0)),
            (self.leaving_rate + t) * np.expm1(min(_FORGOTTEN / self.leaving_shape, 600.0)),
        )
        end = np.minimum(T - t, gone)
        width = np.log1p(end / (m + t))
        needed = 8.0 + 3.0 * width + 0.3 * self._faded(x, t, t + end)
        size = np.minimum(np.searchsorted(_SIZES, needed), len(_SIZES) - 1)
        out = np.zeros((5 if slopes else 1, len(x)))
        for index in np.unique(size):
            rows = np.flatnonzero(size == index)
            out[:, rows] = self._summed(x[rows, None], t[rows, None], width[rows, None], _SIZES[index], slopes=slopes)
        return out

    def _summed(self, x: Vector, t: Vector, width: Vector, size: int, *, slopes: bool) -> Matrix:
        r, alpha, s, beta = self.buying_shape, self.buying_rate, self.leaving_shape, self.leaving_rate
        m = min(alpha, beta)
        point, weight = _RULES[size]
        w = width * ((point + 1.0) / 2.0)
        since = (m + t) * np.expm1(w)
        bought = w if m == alpha else np.log1p(since / (alpha + t))
        stayed = w if m == beta else np.log1p(since / (beta + t))
        to_alpha, to_beta = 1.0 / (alpha + t + since), 1.0 / (beta + t + since)
        density = np.exp(-(r + x) * bought - s * stayed) * ((width / 2.0) * weight)
        if m != beta:
            density *= (m + t + since) * to_beta
        total = density.sum(axis=1)
        if not slopes:
            return np.asarray(s * total[None, :])
        x, t = x[:, 0], t[:, 0]

        def mean(of: Matrix) -> Vector:
            return np.asarray(np.einsum("ij,ij->i", density, of))

        return np.stack(
            [
                s * total,
                -s * mean(bought),
                s * (r + x) * (total / (alpha + t) - mean(to_alpha)),
                total - s * mean(stayed),
                s * (s * total / (beta + t) - (s + 1.0) * mean(to_beta)),
            ]
        )
