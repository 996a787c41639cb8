"""Every part of a model is asked once per customer, whatever is wanted of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from holdfast.learning.training import fit
from holdfast.models import Bundle
from holdfast.models.btyd.history_value import HistoryValue
from holdfast.models.btyd.purchases import PurchaseModel
from holdfast.models.feature_record import FeatureRecord
from holdfast.models.model_card import ChurnDefinition, PopulationDefinition
from holdfast.models.serving import ServedBundle
from holdfast.outreach import Planner, Scorer
from tests.unit.learning.samples import CARD, FEATURES, snapshots, training_spec
from tests.unit.outreach.scored import outreach_settings

HISTORY = (
    FeatureRecord("order_days_lifetime", unit="count", role="order_days", accumulates=True),
    FeatureRecord("days_since_first_order", unit="days", role="days_since_first_order", accumulates=True),
    FeatureRecord("spend_lifetime", unit="currency", role="spend", accumulates=True),
)


def shop(cutoffs: int = 6) -> pd.DataFrame:
    """Snapshots with a history of orders."""
    table = snapshots(customers=400, cutoffs=cutoffs)
    orders, silent = table["orders_365d"], table["days_since_order"]
    first = np.where(orders > 1, silent + 30 * orders, silent)
    return table.assign(order_days_lifetime=orders, days_since_first_order=first, spend_lifetime=table["spend_365d"])


@pytest.fixture(scope="module")
def whole() -> Bundle:
    """A bundle with trees and a customer base in both models."""
    card = replace(
        CARD, churn=ChurnDefinition("no_order", 60), population=PopulationDefinition(bought_within_days=5_000)
    )
    bundle = fit(shop(), training_spec((*FEATURES, *HISTORY), card=card))
    assert bundle.risk.history is not None
    assert bundle.value.past is not None
    assert boosters(bundle) > 0
    return bundle


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many rows each part was asked about: boosters by what is wanted, customer bases by the question."""
    rows: Counter[str] = Counter()

    def counting(owner: type, name: str, label: Any) -> None:
        before = getattr(owner, name)

        def counted(self: Any, X: Any, *more: Any, **how: Any) -> Any:
            rows[label(self, how)] += len(X)
            return before(self, X, *more, **how)

        monkeypatch.setattr(owner, name, counted)

    def booster(self: Any, how: dict[str, Any]) -> str:
        return f"booster {id(self)} {'contributions' if how.get('pred_contrib') else 'score'}"

    counting(lgb.Booster, "predict", booster)
    counting(HistoryValue, "mean", lambda self, how: "customer base value")
    for name in ("probability_none", "expected"):
        counting(PurchaseModel, name, lambda self, how, name=name: f"purchases {id(self)} {name}")
    return rows


def boosters(bundle: Bundle) -> int:
    """How many of the three scores have trees."""
    return sum(score.trees is not None for score in (bundle.risk.score, bundle.value.any_value, bundle.value.amount))


def coalitions(customers: int) -> int:
    """What exact reasons of a history ask of its model: six mixed histories a customer, and the usual one."""
    return 6 * customers + 1


def test_the_nightly_list_asks_once(whole: Bundle, asked: Counter[str]) -> None:
    """With reasons, interval and net value; twice is an hour more for a million customers."""
    frame = shop(1)
    Planner(Scorer(whole), outreach_settings())(frame)
    require_once(asked, whole, len(frame), reasons=True)


def test_the_registry_asks_once(whole: Bundle, asked: Counter[str]) -> None:
    """With and without reasons."""
    frame = shop(1)
    ServedBundle(whole).predict(frame, {"reasons": 3})
    require_once(asked, whole, len(frame), reasons=True)
    asked.clear()
    ServedBundle(whole).predict(frame)
    require_once(asked, whole, len(frame), reasons=False)


def test_the_notebook_asks_once(whole: Bundle, asked: Counter[str]) -> None:
    """Predictions, contributions, and probabilities of any amount come from one look."""
    frame = shop(1)
    scores = whole.scores(frame, reasons=True)
    for amount in (0.0, 10.0, 100.0):
        scores.probability_value_above(amount)
    assert len(scores.predictions) == len(scores.strongest(2)) == len(frame)
    require_once(asked, whole, len(frame), reasons=True)


def require_once(asked: Counter[str], bundle: Bundle, customers: int, *, reasons: bool) -> None:
    """Every booster scored everyone once, contributed once if asked to, and so did every customer base."""
    scored = {name: rows for name, rows in asked.items() if name.endswith(" score")}
    assert list(scored.values()) == [customers] * boosters(bundle)
    explained = [rows for name, rows in asked.items() if name.endswith(" contributions")]
    assert explained == ([customers] if reasons and bundle.risk.score.trees is not None else [])
    assert asked["customer base value"] == customers
    risk, value = bundle.risk.history, bundle.value.past
    assert risk is not None
    assert value is not None
    silent = asked[f"purchases {id(risk.model)} probability_none"]
    assert silent == customers + (coalitions(customers) if reasons else 0)
    assert asked[f"purchases {id(value.history.model)} probability_none"] == customers
    assert asked[f"purchases {id(value.history.model)} expected"] == customers
