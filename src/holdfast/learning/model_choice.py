"""Which of several models is used: by their record on cutoffs whose outcomes were known, and by no outcome after.

What a record over short histories can tell is how well a model sets customers apart; the level and the spread of a
season it cannot. So each model is judged by its log loss after the affine map of its log-odds that suits the cutoff
best, the same freedom for all. Of the models, the plainest is used whose loss is not more than one standard error above
the least (Breiman et al. 1984, section 3.4.3), the error being that of the paired difference over customers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.models.calibration import sigmoid
from holdfast.models.checks import InputError, Vector

_STEPS = 30


@dataclass(frozen=True)
class ModelsAtCutoff:
    """What several models said at one cutoff, each without having seen an outcome of it, and what came.

    Attributes
    ----------
    customers : array of shape (n_rows,)
        Who they are; one customer at several cutoffs counts as one draw.
    outcome : array of shape (n_rows,)
        0 or 1.
    log_odds : mapping of name to array of shape (n_rows,)
    """

    customers: NDArray[np.generic]
    outcome: Vector
    log_odds: Mapping[str, Vector]


@dataclass(frozen=True)
class Choice:
    """The chosen model, and the record: mean log loss of each, after its best affine map at each cutoff."""

    name: str
    log_loss: Mapping[str, float]
    why: str


def choose_model(order: Sequence[str], tried: Sequence[ModelsAtCutoff]) -> Choice:
    """The plainest model within a standard error of the best; ``order`` begins with the plainest.

    Raises
    ------
    InputError
        Nothing was tried, or not all of the models.
    """
    if not tried or not order or any(not set(order) <= set(one.log_odds) for one in tried):
        raise InputError(f"Wanted the models {', '.join(order)} tried at a cutoff at least; found otherwise.")
    customers = np.concatenate([one.customers for one in tried])
    group = np.unique(customers, return_inverse=True)[1]
    losses = {name: np.concatenate([_fitted_loss(one.log_odds[name], one.outcome) for one in tried]) for name in order}
    means = {name: float(loss.mean()) for name, loss in losses.items()}
    best = min(order, key=means.__getitem__)
    above = {name: _mean_and_error(losses[name] - losses[best], group) for name in order}
    kept = next(name for name in order if name == best or above[name][0] <= above[name][1])
    if kept == best:
        return Choice(best, means, f"{best} has the least log loss, {means[best]:.4f}")
    more, error = above[kept]
    return Choice(kept, means, f"{kept} is plainer than {best} and loses {more:.4f} more (standard error {error:.4f})")


def _mean_and_error(values: Vector, group: NDArray[np.intp]) -> tuple[float, float]:
    """The mean of rows, and its standard error if groups and not rows were drawn."""
    mean = float(values.mean())
    sums = np.bincount(group, values - mean)
    return mean, float(np.sqrt(sums @ sums)) / len(values)


def _fitted_loss(log_odds: Vector, outcome: Vector) -> Vector:
    """Log loss of each row after the best ``slope * log_odds + intercept``; a slope is not below 0."""
    Z = np.column_stack([log_odds - log_odds.mean(), np.ones(len(outcome))])
    share = float(np.clip(outcome.mean(), 1e-6, 1 - 1e-6))
    beta = np.array([1.0, np.log(share / (1 - share))])
    for _ in range(_STEPS):
        p = sigmoid(Z @ beta)
        hessian = (Z * (p * (1 - p))[:, None]).T @ Z + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, Z.T @ (outcome - p))
        beta = beta + step / max(float(np.abs(step).max()), 1.0)
        if np.abs(step).max() < 1e-8:
            break
    if beta[0] < 0:
        beta = np.array([0.0, np.log(share / (1 - share))])
    odds = Z @ beta
    return np.asarray(np.logaddexp(0.0, odds) - outcome * odds)
