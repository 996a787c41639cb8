"""What a purchase is worth, for each customer: the gamma-gamma model.

Fader, Hardie and Lee (2005), RFM and CLV, Journal of Marketing Research 42 (4), 415-430, and Fader and Hardie (2013),
The gamma-gamma model of monetary value. Purchases of one customer are worth amounts from a gamma distribution (shape
``amount_shape``; p in the papers), whose rate is gamma distributed over customers (shape ``customer_shape``, rate
``customer_rate``; q and gamma), and do not depend on how often the customer buys. The mean z of n purchases has the
density::

    Gamma(p n + q) / (Gamma(p n) Gamma(q)) * gamma^q z^(p n - 1) n^(p n) / (gamma + n z)^(p n + q)

and the customer's true mean is expected to be ``p (gamma + n z) / (p n + q - 1)``: a compromise between the customer's
own mean and that of all, which leans to the customer the more, the more purchases there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, psi

from holdfast.models.btyd.histories import CHUNK, EqualRuns
from holdfast.models.checks import InputError, Vector


@dataclass(frozen=True)
class GammaGamma:
    """Worth of a purchase, in the currency of the amounts.

    Attributes
    ----------
    amount_shape :
        p: the greater, the more alike are the purchases of one customer.
    customer_shape :
        q: the greater, the more alike are customers. Above 1, or there is no mean over customers.
    customer_rate :
        gamma, in currency.
    """

    amount_shape: float
    customer_shape: float
    customer_rate: float

    def __post_init__(self) -> None:
        if not (all(0 < value < np.inf for value in astuple(self)) and self.customer_shape > 1):
            raise InputError(
                f"Wanted positive parameters of the gamma-gamma model and customer_shape above 1, found {asdict(self)}."
            )

    def expected_mean(self, purchases: ArrayLike, mean: ArrayLike) -> Vector:
        """Expected worth of a purchase to come; without purchases that of the mean customer.

        ``mean`` is not looked at where ``purchases`` is 0, and counts as 0 where it is less.
        """
        n = np.asarray(purchases, dtype=np.float64)
        total = np.where(n > 0, n * np.maximum(np.asarray(mean, dtype=np.float64), 0.0), 0.0)
        p, q, gamma = astuple(self)
        return np.asarray(p * (gamma + total) / (p * n + q - 1.0))

    def log_likelihood(self, purchases: ArrayLike, mean: ArrayLike, weight: ArrayLike | None = None) -> float:
        """Logarithm of the density of all means together; every row needs a purchase and a positive mean."""
        n, z = (np.asarray(values, dtype=np.float64) for values in (purchases, mean))
        if not ((n > 0) & (z > 0)).all():
            raise InputError("Wanted a purchase and a positive mean amount in every row; found others.")
        return self.slope(n, z, np.ones(len(n)) if weight is None else np.asarray(weight))[0]

    def slope(self, n: Vector, z: Vector, weight: Vector) -> tuple[float, Vector]:
        """Log-likelihood of the means and its gradient by the logarithms of the parameters."""
        parameters = np.array(astuple(self))
        total, slope = 0.0, np.zeros(3)
        for at in range(0, len(n), CHUNK):
            rows = slice(at, at + CHUNK)
            each, slopes = _terms(parameters, n[rows], z[rows])
            total += float(weight[rows] @ each)
            slope += [float(weight[rows] @ one) for one in slopes]
        return total, slope * parameters

    def to_json(self) -> dict[str, float]:
        """The parameters."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> GammaGamma:
        """Rebuild from :meth:`to_json`."""
        return cls(**{name: float(stored[name]) for name in (field.name for field in fields(cls))})


def _terms(parameters: Vector, n: Vector, z: Vector) -> tuple[Vector, list[Vector]]:
    """Log-likelihood of each row, and its derivatives by p, q and gamma."""
    p, q, gamma = parameters.tolist()
    runs = EqualRuns(n)
    m = runs.values
    spent = n * z
    own = -np.log1p(gamma / spent)  # log of the weight of the customer's own amounts
    other = np.log(gamma) - np.log(gamma + spent)
    each = runs.spread(gammaln(p * m + q) - gammaln(p * m) - gammaln(q)) + p * n * own + q * other - np.log(z)
    by_p = n * (runs.spread(psi(p * m + q) - psi(p * m)) + own)
    by_q = runs.spread(psi(p * m + q) - psi(q)) + other
    by_gamma = q / gamma - (p * n + q) / (gamma + spent)
    return each, [by_p, by_q, by_gamma]
