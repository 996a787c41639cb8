"""Scored customers and settings for the tests of this room: small, complete, and different where it matters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from holdfast.explain import reasons
from holdfast.models.feature_record import FeatureRecord
from holdfast.outreach import OutreachSettings, Selection, select
from holdfast.timeline import instant

AS_OF = instant("2025-01-01")

SPECS = (
    FeatureRecord("days_since_order", unit="days", meaning="last ordered {value} ago", family="recency"),
    FeatureRecord(
        "orders_90d",
        unit="count",
        meaning="placed {value} orders in the last 90 days",
        family="frequency",
        when_empty=0.0,
    ),
    FeatureRecord(
        "spend_90d", unit="currency", meaning="spent {value} in the last 90 days", family="monetary", when_empty=0.0
    ),
    FeatureRecord("tickets_open", unit="count", meaning="has {value} open tickets", family="open ticket"),
)

RAW_SETTINGS: dict[str, Any] = {
    "quiet_days": 30,
    "control_share": 0.2,
    "control_salt": "tests",
    "budget": {"contacts": 40},
    "high_value_share": 0.2,
    "stages": {"onboarding_days": 30, "lapsing_days": 60, "dormant_days": 120, "lost_days": 240},
    "actions": {
        "service_recovery": {"channel": "phone", "contact_cost": 8.0, "save_rate": 0.3},
        "onboarding_help": {"channel": "email", "contact_cost": 1.0, "save_rate": 0.1},
        "account_manager_call": {"channel": "phone", "contact_cost": 25.0, "save_rate": 0.25},
        "personal_offer": {"channel": "email", "contact_cost": 0.5, "save_rate": 0.1, "offer_cost": 5.0},
        "loyalty_reward": {"channel": "app", "contact_cost": 0.2, "save_rate": 0.05, "offer_cost": 3.0},
        "win_back": {"channel": "letter", "contact_cost": 2.0, "save_rate": 0.04},
    },
}


def outreach_settings(**changes: Any) -> OutreachSettings:
    """The tests' settings with some keys changed."""
    return OutreachSettings.model_validate(RAW_SETTINGS | changes)


def outlook(value: np.ndarray, p_churn: np.ndarray) -> dict[str, np.ndarray]:
    """The columns ``OUTLOOK``: of whoever churns a quarter has gone, one half is leaving and a quarter only pauses."""
    kept = value / (1 - 0.6 * p_churn)
    return {
        "p_gone": 0.25 * p_churn,
        "p_leaving": 0.5 * p_churn,
        "p_staying": 1 - 0.75 * p_churn,
        "value_if_kept": kept,
        "value_if_kept_low": kept * 0.2,
        "value_if_kept_high": kept * 2.5,
        "value_if_lost": kept * 0.1,
    }


def scored_customers(n: int = 200, seed: int = 0) -> pd.DataFrame:
    """So many scored customers with reasons and every state column; some cells of the state are not known."""
    rng = np.random.default_rng(seed)
    values = pd.DataFrame(
        {
            "days_since_order": np.where(rng.random(n) < 0.05, np.nan, rng.exponential(80, n)),
            "orders_90d": rng.poisson(2, n).astype(float),
            "spend_90d": rng.gamma(2, 100, n),
            "tickets_open": (rng.random(n) < 0.1).astype(float),
        }
    )
    contributions = np.column_stack([rng.normal(0, 0.6, (n, 4)), np.full(n, -1.0)])
    p_churn = 1 / (1 + np.exp(-contributions.sum(axis=1)))
    value = rng.gamma(1.5, 120, n)
    told = outlook(value, p_churn)
    table = pd.DataFrame(
        {
            "customer_id": pd.array([f"c{i:05d}" for i in rng.permutation(n)], dtype="str"),
            "p_churn": p_churn,
            "value": value,
            "value_low": value * 0.2,
            "value_high": value * 2.5,
            "expected_loss": told["p_leaving"] * (told["value_if_kept"] - told["value_if_lost"]),
            "tenure_days": rng.uniform(0, 900, n),
            "days_since_order": values["days_since_order"],
            "order_overdue_ratio": rng.gamma(2, 0.5, n),
            "days_since_contact": np.where(rng.random(n) < 0.5, np.nan, rng.uniform(0, 300, n)),
            "tickets_open": values["tickets_open"],
            "consent": rng.choice([1.0, 1.0, 1.0, 1.0, 0.0, np.nan], n),
        }
    )
    return pd.concat([table.assign(**told), reasons(contributions, values, SPECS, "EUR")], axis=1)


def selected(n: int = 200, seed: int = 0, model_version: str = "1", **changes: Any) -> Selection:
    """A list made from the tests' customers and settings."""
    return select(scored_customers(n, seed), outreach_settings(**changes), AS_OF, model_version=model_version)
