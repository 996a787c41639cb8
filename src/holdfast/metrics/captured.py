"""How much of the value a budget reaches: contacts from the top of a ranking until the money is spent.

The amount may be what customers turned out to be worth, what churners took with them (``churned * value``), or what is
expected to be lost (``p_churn * value``). A budget counts in the unit of the costs: currency, or contacts at 1 each.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from holdfast.errors import ConfigError, DataError
from holdfast.metrics.bootstrap import estimate
from holdfast.metrics.catalogue import Metric, by_name
from holdfast.metrics.ranking import within
from holdfast.metrics.weighted import Array, answer, as_draws, ratio

_POINTS = 20


def captured_value(
    amount: Array, score: Array, weights: Array | None = None, *, budget: float, cost: float | Array = 1.0
) -> Array:
    """Share of the total amount held by those whom the budget reaches; NaN where the total is 0.

    Equal scores are reached in proportion if the budget ends among them. A budget beyond the cost of everyone reaches
    everyone; customers who cost nothing are always reached.

    Parameters
    ----------
    amount, score : arrays of shape (n_rows,)
    budget : float
        In the unit of ``cost``, for the rows at hand: weighted rows cost by their weight.
    cost : float or array of shape (n_rows,)
        Of contacting one customer, not negative.

    Raises
    ------
    DataError
        There are costs for more or fewer customers.
    """
    draws = as_draws(weights, len(amount))
    spent, held = _spent(draws, cost), draws * amount
    taken = within(score, spent, held, np.full((len(draws), 1), float(budget)))
    return answer(ratio(taken, held.sum(axis=1)), weights)


def contacts_within(score: Array, weights: Array | None = None, *, budget: float, cost: float | Array = 1.0) -> Array:
    """How many customers the budget reaches."""
    draws = as_draws(weights, len(score))
    return answer(within(score, _spent(draws, cost), draws, np.full((len(draws), 1), float(budget))), weights)


def capture_metrics(budgets: Sequence[float], cost: float | Array = 1.0) -> dict[str, Metric]:
    """One metric for each budget, ``captured_at_<budget>``, for rows in the order of the costs."""
    return by_name(
        *(
            Metric(
                f"captured_at_{budget:g}",
                partial(captured_value, budget=budget, cost=cost),
                "higher",
                f"{budget:,g} holds",
            )
            for budget in budgets
        )
    )


def capture_table(
    amount: ArrayLike,
    score: ArrayLike,
    *,
    cost: float | ArrayLike = 1.0,
    budgets: Sequence[float] | None = None,
    weights: ArrayLike | None = None,
    customers: ArrayLike | None = None,
    draws: int = 200,
    seed: int = 0,
    coverage: float = 0.95,
) -> pd.DataFrame:
    """The curve, and the value at given budgets.

    Parameters
    ----------
    amount, score : arrays of shape (n_rows,)
    cost : float or array of shape (n_rows,)
        Of contacting one customer.
    budgets : sequence of float, optional
        By default twenty even steps up to the cost of everyone.
    weights, customers, draws, seed, coverage :
        As in :func:`holdfast.metrics.estimate`.

    Returns
    -------
    DataFrame
        A row for each budget: ``budget``, ``contacts``, ``captured`` with ``low`` and ``high``, and beside it what
        the same budget would hold by ``chance`` and in the ``best`` order, by amount for each unit of cost.

    Raises
    ------
    ConfigError
        A cost or budget is negative or not finite.
    """
    held, ranked = np.asarray(amount, dtype=np.float64), np.asarray(score, dtype=np.float64)
    each = _spent(as_draws(None, len(held)), np.asarray(cost, dtype=np.float64))[0]
    own = None if weights is None else np.asarray(weights, dtype=np.float64)
    _require_costs("cost of a contact", each)
    everyone = float(_spent(as_draws(own, len(held)), each).sum())
    steps = np.linspace(0, everyone, _POINTS + 1)[1:] if budgets is None else np.sort(np.asarray(budgets, np.float64))
    _require_costs("budget", steps)
    metrics = [Metric(str(i), partial(captured_value, budget=b, cost=each), "higher", "") for i, b in enumerate(steps)]
    shares = estimate(
        by_name(*metrics),
        held,
        ranked,
        weights=weights,
        customers=customers,
        draws=draws,
        seed=seed,
        coverage=coverage,
    )
    first = np.divide(held, each, out=np.where(held > 0, np.inf, -np.inf), where=each > 0)
    return pd.DataFrame(
        {
            "budget": steps,
            "contacts": [float(contacts_within(ranked, own, budget=b, cost=each)) for b in steps],
            "captured": [shares[metric.name].estimate for metric in metrics],
            "low": [shares[metric.name].low for metric in metrics],
            "high": [shares[metric.name].high for metric in metrics],
            "chance": np.minimum(steps / everyone, 1.0) if everyone else 1.0,
            "best": [float(captured_value(held, first, own, budget=b, cost=each)) for b in steps],
        }
    )


def _require_costs(name: str, amounts: Array) -> None:
    wrong = int(np.sum(~(np.isfinite(amounts) & (amounts >= 0))))
    if wrong:
        raise ConfigError(
            f"Every {name} must be a finite number of at least 0; found {wrong} of {len(amounts)} others."
        )


def _spent(draws: Array, cost: float | Array) -> Array:
    each = np.asarray(cost, dtype=np.float64)
    if each.ndim and each.shape != draws.shape[1:]:
        raise DataError(
            f"Wanted one cost for all or for each of {draws.shape[1]} customers, found {len(each)}. "
            "Give them for the same rows in the same order."
        )
    return draws * each
