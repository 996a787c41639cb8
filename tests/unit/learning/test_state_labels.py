"""What later signs of life tell of the states of snapshots."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from holdfast.labels import LATER, PAST, SIGNS
from holdfast.learning.btyd.customer_base import CustomerBaseLearner
from holdfast.learning.state_labels import StateLabels, state_labels
from holdfast.models.btyd.history_columns import HistoryColumns
from holdfast.models.model_card import ChurnDefinition
from holdfast.timeline import MICROSECONDS_PER_DAY, instant

CUTOFF = instant("2024-06-01")
NO_ORDER = ChurnDefinition("no_order", 90)
MONTH = 30 * MICROSECONDS_PER_DAY
WITH_ENGAGEMENT = {"orders": ("amount",), "engagement": ("kind",)}
ORDERS = {"orders": ("amount",)}
BASE = CustomerBaseLearner(HistoryColumns(0, 1, 2), "pareto_nbd", 90.0)


def labels_of(
    counts: np.ndarray,
    known: int = LATER,
    columns: dict[str, tuple[str, ...]] = ORDERS,
    base: CustomerBaseLearner | None = None,
) -> StateLabels:
    """The states, with so many periods after the cutoff known."""
    X, at = histories(len(counts)), CUTOFF + known * MONTH
    return state_labels(table(counts), NO_ORDER, at, columns=columns, base=base, X=X, weight=None)


def table(counts: np.ndarray, churned: float = 0.0) -> pd.DataFrame:
    """Snapshots at one cutoff, by days with signs in the periods around it."""
    assert counts.shape[1] == PAST + LATER
    return pd.DataFrame(counts, columns=list(SIGNS)).assign(cutoff=np.int64(CUTOFF), churned=churned)


def active(customers: int = 1_500, seed: int = 0) -> np.ndarray:
    """Days of life of customers some of whom go for good."""
    rng = np.random.default_rng(seed)
    gone = np.cumsum(rng.random((customers, PAST + LATER)) < 0.08, axis=1) > 0
    return np.where(gone, 0, rng.poisson(rng.gamma(3, 2, customers)[:, None], gone.shape)).astype(float)


def histories(customers: int) -> np.ndarray:
    """Orders, days since the last and since the first."""
    rng = np.random.default_rng(1)
    first = rng.uniform(100, 700, customers)
    return np.column_stack([rng.integers(2, 9, customers), first * rng.random(customers), first]).astype(float)


@pytest.mark.parametrize("columns", [ORDERS, WITH_ENGAGEMENT], ids=["orders alone", "engagement"])
@pytest.mark.parametrize("known", [3, 4])
def test_nothing_after_the_instant_is_read(columns: dict[str, tuple[str, ...]], known: int) -> None:
    """A backtest that read on would know who is going to be gone."""
    counts = active()
    changed = counts.copy()
    changed[:, PAST + known :] = np.random.default_rng(9).poisson(5, changed[:, PAST + known :].shape)
    first, second = (labels_of(each, known, columns, BASE) for each in (counts, changed))
    assert (first.gone == second.gone).all()
    assert (first.leaving == second.leaving).all()
    assert (labels_of(changed, LATER, columns, BASE).gone != second.gone).any()


def test_of_orders_alone_who_orders_again_had_not_gone() -> None:
    """And who orders again after the outcome window did not leave in it; one who never does had gone before it."""
    counts = np.zeros((4, PAST + LATER))
    counts[:, 0] = 1
    counts[1, PAST] = counts[2, PAST + 2] = counts[3, PAST + 5] = 1
    found = labels_of(counts)
    assert found.gone.tolist() == [1, 0, 0, 0]
    assert found.leaving.tolist() == [0, 1, 1, 0]
    assert found.staying.tolist() == [0, 0, 0, 1]


def test_a_customer_base_doubts_of_orders_alone_who_has_gone() -> None:
    """Orders are rare: some of those who have not ordered for half a year only wait, but nobody who did had gone."""
    counts = active()
    found, silent = labels_of(counts, base=BASE), counts[:, PAST:].sum(axis=1) == 0
    assert (found.gone[~silent] == 0).all()
    assert ((found.gone[silent] > 0) & (found.gone[silent] < 1)).all()
    assert (found.leaving[counts[:, PAST + 3 :].any(axis=1)] == 0).all()
    assert (found.staying > -1e-12).all()


def test_with_engagement_who_has_fallen_silent_has_gone_and_who_is_there_has_not() -> None:
    """The three states of three customers whom anybody could tell apart."""
    counts = active()
    counts[:3] = 6
    counts[0, PAST - 3 :] = 0
    counts[1, PAST + 1 :] = 0
    found = labels_of(counts, columns=WITH_ENGAGEMENT)
    states = np.column_stack([found.gone, found.leaving, found.staying])[:3]
    assert states.argmax(axis=1).tolist() == [0, 1, 2]
    assert states.max(axis=1).min() > 0.95


def test_with_contracts_who_churned_was_leaving_and_nobody_had_gone() -> None:
    """A contract says who is a customer; no sign of life is asked for."""
    snapshots = pd.DataFrame({"cutoff": np.int64(CUTOFF), "churned": [0.0, 1.0, 1.0]})
    contract = ChurnDefinition("subscription_end", 90, grace_days=14)
    found = state_labels(
        snapshots, contract, CUTOFF + 6 * MONTH, columns=ORDERS, base=None, X=np.zeros((3, 1)), weight=None
    )
    assert found.gone.tolist() == [0, 0, 0]
    assert found.leaving.tolist() == [0, 1, 1]
