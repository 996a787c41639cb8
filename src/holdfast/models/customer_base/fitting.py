"""Maximum likelihood, with exact gradients, on the logarithms of the parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import astuple
from typing import TypeVar

import numpy as np
from scipy.optimize import minimize

from holdfast.models.checks import InputError, Vector
from holdfast.models.customer_base.histories import Histories
from holdfast.models.customer_base.purchases import PurchaseModel

_FARTHEST = 12.0  # logarithms: a parameter ends within a factor of 160,000 of its typical value

_FIRST = 20_000
"""Distinct rows, evenly from all, that lead a fit near to its end before all rows decide."""

Model = TypeVar("Model", bound=PurchaseModel)

Slope = Callable[[Vector], tuple[float, Vector]]
"""Log-likelihood and its gradient at logarithms of parameters."""


def fit_purchases(model: type[Model], histories: Histories, *, penalty: float = 0.0) -> Model:
    """The model of one kind with the greatest likelihood; ``penalty`` as in :func:`climb`.

    Raises
    ------
    InputError
        Nobody bought twice and there is no penalty.
    """
    if penalty == 0 and not histories.repeats.any():
        raise InputError(
            f"Wanted customers who came back, found none among {histories.weight.sum():g}. "
            "Learn from a longer history, or give a positive penalty, which leans on a usual business."
        )

    def of_every(step: int) -> Slope:
        part = histories.part(slice(None, None, step))
        return lambda at: model(*np.exp(at).tolist()).slope(part)

    found = climb(
        [of_every(step) for step in steps(len(histories))],
        np.log(astuple(model.typical(histories))),
        customers=float(histories.weight.sum()),
        penalty=penalty,
    )
    return model(*np.exp(found).tolist())


def steps(rows: int) -> list[int]:
    """Take every so manieth row: first few of many, at last all."""
    return sorted({max(1, rows // _FIRST), 1}, reverse=True)


def climb(
    stages: Sequence[Slope],
    typical: Vector,
    *,
    customers: float,
    penalty: float = 0.0,
    least: Vector | None = None,
) -> Vector:
    """Logarithms of the parameters of greatest likelihood less ``penalty / 2 |parameters - typical|^2``.

    Parameters
    ----------
    stages : sequence of functions
        Log-likelihoods of growing parts of the data; each starts where the one before has ended, the last decides.
    typical : array of shape (n_parameters,)
        Logarithms, where the first stage starts. Without penalty nothing else depends on them, except that no answer
        goes farther from them than a factor of 160,000: where the likelihood grows for ever, that is where it stops.
    customers : float
        Sum of the weights in the last stage.
    penalty : float
        In customers: so many of them know the typical values and nothing else. 0 for the published maxima.
    least : array of shape (n_parameters,), optional
        Logarithms below which no parameter may go.
    """
    low, high = typical - _FARTHEST, typical + _FARTHEST
    if least is not None:
        low = np.maximum(low, least)
    found = np.clip(typical, low, high)
    for slope in stages:

        def loss(at: Vector, slope: Slope = slope) -> tuple[float, Vector]:
            value, gradient = slope(at)
            away = at - typical
            return float(penalty * away @ away / 2 - value) / customers, (penalty * away - gradient) / customers

        found = minimize(
            loss,
            found,
            jac=True,
            method="L-BFGS-B",
            bounds=list(zip(low, high, strict=True)),
            options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 500, "maxcor": 20},
        ).x
    return np.asarray(found)
