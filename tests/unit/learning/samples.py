"""A small business with known rules, for the tests of models and backtest: snapshots at monthly cutoffs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from holdfast.learning.training_spec import TrainingSpec
from holdfast.models.feature_record import FeatureRecord
from holdfast.models.model_card import ChurnDefinition, ModelCard, ValueDefinition
from holdfast.timeline import MICROSECONDS_PER_DAY, Days, instant

MONTH = 30 * MICROSECONDS_PER_DAY
FEATURES = (
    FeatureRecord("days_since_order", unit="days", family="recency", role="days_since_order"),
    FeatureRecord("orders_365d", unit="count", family="frequency", role="orders_of_a_year"),
    FeatureRecord("spend_365d", unit="currency", family="monetary", role="spend_of_a_year"),
    FeatureRecord("satisfaction_last", family="support"),
    FeatureRecord("channel", "category", "category", family="attribute"),
)
CARD = ModelCard("shop", ChurnDefinition("no_event", 60), ValueDefinition("revenue", 60), currency="EUR")


def training_spec(features: Sequence[FeatureRecord] = FEATURES, **changes: Any) -> TrainingSpec:
    """How to train on these snapshots; their outcomes are complete after two months."""
    return TrainingSpec(**{"features": tuple(features), "card": CARD, "complete_after": Days(60), "seed": 0} | changes)


def snapshots(customers: int = 300, cutoffs: int = 8, seed: int = 1) -> pd.DataFrame:
    """Churn rises with silence, falls with orders and satisfaction, and is higher in the channel ``fair``."""
    draw = np.random.default_rng(seed)
    first = instant("2024-01-01")
    parts = []
    rate, size = draw.gamma(2.0, 3.0, customers) + 0.5, draw.lognormal(4.0, 0.7, customers)
    channel = draw.choice(["fair", "shop", "web"], customers, p=[0.2, 0.3, 0.5])
    for k in range(cutoffs):
        silent = draw.exponential(365 / rate / 4)
        orders = draw.poisson(rate) + 1.0
        satisfied = np.where(draw.random(customers) < 0.6, np.nan, draw.integers(1, 6, customers).astype(float))
        z = 0.02 * silent - 0.25 * orders + 1.0 * (channel == "fair") - 0.3 * (np.nan_to_num(satisfied, nan=3) - 3)
        churned = (draw.random(customers) < 1 / (1 + np.exp(-z))).astype(float)
        value = np.where(churned == 1, 0.0, size * orders / 4 * draw.lognormal(0.0, 0.4, customers))
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": [f"c{i:05d}" for i in range(customers)],
                    "cutoff": np.int64(first + k * MONTH),
                    "days_since_order": silent,
                    "orders_365d": orders,
                    "spend_365d": size * orders,
                    "satisfaction_last": satisfied,
                    "channel": pd.array(channel, dtype="str"),
                    "churned": churned,
                    "future_value": value,
                    "treated": 0,
                    "log_odds": z,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def shop(customers: int = 500, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Buyers at rates of their own who never leave: orders, days since the last and first, spend; values; cutoffs."""
    draw = np.random.default_rng(seed)
    rate, ticket = draw.gamma(1.5, 1 / 60, customers), draw.lognormal(3, 0.7, customers)
    first = draw.uniform(0, 300, customers)
    blocks, values, cutoffs = [], [], []
    gaps = [np.cumsum(np.r_[start, draw.exponential(1 / r, 200)]) for start, r in zip(first, rate, strict=True)]
    for cutoff in range(330, 800, 90):
        for days, price in zip(gaps, ticket, strict=True):
            past, future = days[days < cutoff], days[(days >= cutoff) & (days < cutoff + 90)]
            blocks.append([len(past), cutoff - past[-1], cutoff - past[0], price * len(past)])
            values.append(float((price * draw.lognormal(0, 0.3, len(future))).sum()))
            cutoffs.append(cutoff * MICROSECONDS_PER_DAY)
    return np.array(blocks), np.array(values), np.array(cutoffs)
