"""A small business with known rules, for the tests of models and backtest: snapshots at monthly cutoffs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from holdfast.timeline import MICROSECONDS_PER_DAY, instant

MONTH = 30 * MICROSECONDS_PER_DAY
FEATURES = (
    {"name": "days_since_order", "dtype": "number", "unit": "days", "family": "recency"},
    {"name": "orders_365d", "dtype": "number", "unit": "count", "family": "frequency"},
    {"name": "spend_365d", "dtype": "number", "unit": "currency", "family": "monetary"},
    {"name": "satisfaction_last", "dtype": "number", "unit": "score", "family": "support"},
    {"name": "channel", "dtype": "category", "unit": "category", "family": "attribute"},
)


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
