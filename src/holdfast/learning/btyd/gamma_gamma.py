"""The gamma-gamma model of greatest likelihood."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from holdfast.learning.btyd.maximum_likelihood import FitStage, maximise, subsamples
from holdfast.models.btyd.gamma_gamma import GammaGamma
from holdfast.models.btyd.histories import counted
from holdfast.models.checks import InputError

_LEAST_CUSTOMER_SHAPE = 1.05


def fit_gamma_gamma(
    purchases: ArrayLike, mean: ArrayLike, weight: ArrayLike | None = None, *, penalty: float = 0.0
) -> GammaGamma:
    """The model of greatest likelihood.

    Parameters
    ----------
    purchases, mean : arrays of shape (n_customers,)
        How many purchases, and their mean amount. Customers without a purchase or with a mean of 0 or less say
        nothing about amounts and are passed over. The papers leave the first purchase out of both.
    weight : array of shape (n_customers,), optional
        How many customers each row stands for.
    penalty : float
        As in :func:`~holdfast.learning.btyd.maximum_likelihood.maximise`. ``customer_shape`` stays at 1.05 or above.

    Raises
    ------
    InputError
        No customer with a positive mean.
    """
    n, z = (np.asarray(values, dtype=np.float64) for values in (purchases, mean))
    w = np.ones(len(n)) if weight is None else np.asarray(weight, dtype=np.float64)
    there = (n > 0) & (z > 0) & (w > 0)
    if not there.any():
        raise InputError(
            "Wanted customers with a positive mean amount to learn from, found none. Look at the amounts of the orders."
        )
    n, z, w = counted((n[there], z[there]), w[there])
    p, q = 2.0, 3.0
    typical = np.log([p, q, float(np.average(z, weights=w)) * (q - 1) / p])

    def stage(rows: slice) -> FitStage:
        some = n[rows], z[rows], w[rows]
        return FitStage(lambda at: GammaGamma(*np.exp(at).tolist()).slope(*some), float(w[rows].sum()))

    least = np.array([-np.inf, np.log(_LEAST_CUSTOMER_SHAPE), -np.inf])
    found = maximise([stage(rows) for rows in subsamples(len(w))], typical, penalty=penalty, least=least)
    return GammaGamma(*np.exp(found).tolist())
