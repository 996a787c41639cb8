"""What decisions earn where every customer has costs of their own.

After Correa Bahnsen, Aouada and Ottersten (2015, doi:10.1186/s40165-015-0014-6). A customer is contacted or left alone,
and leaves or stays; each of the four has its cost, per customer. Profit is what the contacts save compared with leaving
everyone alone, per customer, so that leaving everyone alone earns 0:

    gain of a contact = C_FN - C_TP if the customer would leave, C_TN - C_FP if the customer would stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from holdfast.errors import ConfigError, DataError
from holdfast.metrics.catalogue import Function, Metric, by_name
from holdfast.metrics.weighted import Array, Ties, answer, as_draws, mean, ratio


@dataclass(frozen=True, eq=False)
class Costs:
    """The cost of each outcome of each customer; what earns has a negative cost.

    Attributes
    ----------
    true_positive, false_positive : array of shape (n_rows,)
        Contacted, and would have left; contacted, and would have stayed. In currency.
    false_negative, true_negative : array of shape (n_rows,)
        Left alone, and left; left alone, and stayed.

    Raises
    ------
    DataError
        The four are not of one length, or not all finite.
    """

    true_positive: Array
    false_positive: Array
    false_negative: Array
    true_negative: Array

    def __post_init__(self) -> None:
        for name, cost in vars(self).items():
            object.__setattr__(
                self, name, np.asarray(cost, dtype=np.float64)
            )  # columns of a table would align by index
        shapes = {name: np.shape(cost) for name, cost in vars(self).items()}
        if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
            raise DataError(
                f"Wanted four costs for each customer, found arrays of shape {shapes}. Give one per row each."
            )
        for name, cost in vars(self).items():
            missing = int(np.sum(~np.isfinite(cost)))
            if missing:
                raise DataError(
                    f"Wanted a cost for every customer; {missing} of {len(cost)} in {name} are missing or infinite. "
                    "Fill them, or leave these customers out of the evaluation."
                )

    @classmethod
    def of_campaign(
        cls, value: ArrayLike, *, accept_rate: ArrayLike, offer_cost: ArrayLike, contact_cost: ArrayLike
    ) -> Costs:
        """What follows from each customer's value, in currency, and what a contact costs and convinces.

        A churner who accepts (a share ``accept_rate``) stays and takes the offer; one who does not is lost all the
        same; a customer who would have stayed takes the offer. Each may be one number for all.

        Raises
        ------
        ConfigError
            An accept rate lies outside 0 to 1.
        """
        worth, accepted, offer, contact = np.broadcast_arrays(
            *(
                np.atleast_1d(np.asarray(each, dtype=np.float64))
                for each in (value, accept_rate, offer_cost, contact_cost)
            )
        )
        if not ((accepted >= 0) & (accepted <= 1)).all():
            raise ConfigError(
                f"accept_rate must be a share between 0 and 1, found {accepted.min():g} to {accepted.max():g}."
            )
        return cls(
            true_positive=contact + accepted * offer + (1 - accepted) * worth,
            false_positive=contact + offer,
            false_negative=worth,
            true_negative=np.zeros_like(worth),
        )

    def gain(self, truth: Array) -> Array:
        """What contacting each customer saves, in currency, once it is known who would leave (1) or stay (0).

        Linear in ``truth``: of probabilities it is the expected gain.

        Raises
        ------
        DataError
            There are costs for more or fewer customers.
        """
        if len(truth) != len(self.true_positive):
            raise DataError(
                f"Wanted costs for {len(truth)} customers, found those of {len(self.true_positive)}. "
                "Give them for the same rows in the same order."
            )
        return truth * (self.false_negative - self.true_positive) + (1 - truth) * (
            self.true_negative - self.false_positive
        )

    def alone(self, truth: Array) -> Array:
        """What each customer costs that is left alone, in currency."""
        return truth * self.false_negative + (1 - truth) * self.true_negative

    def worth_contact(self, p: Array) -> Array:
        """1 for customers whose expected gain is positive (Bayes' decision, right if ``p`` is calibrated), else 0."""
        return (self.gain(p) > 0).astype(np.float64)


def decided_profit(truth: Array, p: Array, weights: Array | None = None, *, costs: Costs) -> Array:
    """Profit per customer of contacting whoever has a positive expected gain; suffers from badly calibrated ``p``."""
    draws = as_draws(weights, len(truth))
    return answer(mean(costs.worth_contact(p) * costs.gain(truth), draws), weights)


def savings(truth: Array, p: Array, weights: Array | None = None, *, costs: Costs) -> Array:
    """Share of cost that the same contacts save, compared with the better of contacting everyone and no one.

    1 is perfect knowledge at no cost, 0 as good as no model, negative worse than none; NaN where the better of the two
    costs nothing or earns.
    """
    draws = as_draws(weights, len(truth))
    nobody = draws @ costs.alone(truth)
    everybody = nobody - draws @ costs.gain(truth)
    model = nobody - draws @ (costs.worth_contact(p) * costs.gain(truth))
    trivial = np.minimum(nobody, everybody)
    return answer(np.where(trivial > 0, 1 - ratio(model, trivial), np.nan), weights)


def maximum_profit(truth: Array, score: Array, weights: Array | None = None, *, costs: Costs) -> Array:
    """Profit per customer of contacting from the top of a ranking down to the best place, or no one.

    The place is chosen with the outcomes known, so this is what the order allows and no forecast of earnings. Equal
    scores are contacted together.
    """
    draws, ties = as_draws(weights, len(truth)), Ties.of(score, descending=True)
    earned = np.cumsum(ties.sums(draws * costs.gain(truth)), axis=1)
    best = earned.max(axis=1, initial=0.0)
    return answer(ratio(best, draws.sum(axis=1)), weights)


def profitable_depth(truth: Array, score: Array, weights: Array | None = None, *, costs: Costs) -> Array:
    """Share of customers contacted down to that best place, the first of several."""
    draws, ties = as_draws(weights, len(truth)), Ties.of(score, descending=True)
    earned = np.cumsum(ties.sums(draws * costs.gain(truth)), axis=1)
    reached = np.cumsum(ties.sums(draws), axis=1)
    start = np.zeros((len(draws), 1))
    best = np.argmax(np.hstack([start, earned]), axis=1)
    return answer(ratio(np.hstack([start, reached])[np.arange(len(draws)), best], draws.sum(axis=1)), weights)


def cost_metrics(costs: Costs) -> dict[str, Metric]:
    """Metrics of churn probabilities under these costs, by name, for rows in the order of the costs.

    ``max_profit`` contacts by falling expected gain, ``max_profit_by_risk`` by falling probability.
    """

    def by_gain(truth: Array, p: Array, weights: Array | None = None) -> Array:
        return maximum_profit(truth, costs.gain(p), weights, costs=costs)

    def metric(name: str, function: Function, label: str, digits: int = 2) -> Metric:
        return Metric(name, function, "higher", label, digits)

    return by_name(
        metric("profit", partial(decided_profit, costs=costs), "profit"),
        metric("savings", partial(savings, costs=costs), "savings", 3),
        metric("max_profit", by_gain, "max. profit"),
        metric("max_profit_by_risk", partial(maximum_profit, costs=costs), "max. profit by risk"),
    )
