"""Customers as the customer-base models tell of them, drawn purchase by purchase."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from holdfast.models.btyd.geometric import GeometricModel
from holdfast.models.btyd.pareto_nbd import ParetoNBD
from holdfast.models.btyd.purchases import PurchaseModel

Numbers = NDArray[np.float64]


class World(NamedTuple):
    """One entry a customer: the history until ``age``, whether alive then, and purchases in the horizon after."""

    repeats: Numbers
    last: Numbers
    age: Numbers
    alive: Numbers
    future: Numbers


def live(model: PurchaseModel, customers: int, *, age: tuple[float, float], horizon: float, seed: int) -> World:
    """Draw customers of ages evenly between two, in the model's unit of time."""
    rng = np.random.default_rng(seed)
    now = rng.uniform(*age, customers)
    rate = rng.gamma(model.buying_shape, 1 / model.buying_rate, customers)  # type: ignore[attr-defined] # all have it
    leaves, end = np.zeros(customers), np.full(customers, np.inf)
    if isinstance(model, ParetoNBD):
        end = rng.exponential(1 / rng.gamma(model.leaving_shape, 1 / model.leaving_rate, customers))
    elif isinstance(model, GeometricModel):
        leaves = rng.beta(model.leaving, model.staying, customers)
        if model.first_counts:
            end[rng.random(customers) < leaves] = 0.0
    repeats, last, future = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    time, going = np.zeros(customers), np.arange(customers)
    while len(going):
        time[going] += rng.exponential(1 / np.maximum(rate[going], 1e-300))
        going = going[time[going] < np.minimum(end[going], now[going] + horizon)]
        past = going[time[going] <= now[going]]
        repeats[past] += 1
        last[past] = time[past]
        future[going[time[going] > now[going]]] += 1
        tossed = going[rng.random(len(going)) < leaves[going]]
        end[tossed] = time[tossed]
        going = going[end[going] > time[going]]
    return World(repeats, last, now, (end > now).astype(np.float64), future)
