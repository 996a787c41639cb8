"""A small shop in a folder: a table of orders and a configuration, both easy to spoil."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from holdfast import Project

AS_OF = "2024-07-01"
ACTIONS = {"personal_offer": {"channel": "email", "contact_cost": 0.1, "save_rate": 0.1}}
Change = Mapping[str, Any]


def orders(customers: int = 300, seed: int = 0) -> pd.DataFrame:
    """Orders of 18 months to the end of June 2024; every customer has a pace, and half of them stop at some day."""
    draw = np.random.default_rng(seed)
    parts = []
    for customer in range(customers):
        pace, last = draw.gamma(4, 8), draw.choice([545.0, draw.uniform(60, 545)])
        days = np.cumsum(draw.exponential(pace, 60)) + draw.uniform(0, 40)
        days = days[days < last]
        amounts = draw.gamma(3, 10, days.size).round(2)
        parts.append(pd.DataFrame({"who": f"K{customer:05d}", "day": days, "paid": amounts}))
    table = pd.concat(parts, ignore_index=True)
    moments = pd.Timestamp("2023-01-01", tz="UTC") + pd.to_timedelta(table.pop("day"), unit="D")
    return table.assign(at=moments.dt.floor("s"), currency="EUR", number=np.arange(len(table)))


def settings(**changes: Any) -> dict[str, Any]:
    """A configuration that works; ``changes`` replace entries, with dots for what lies deeper, None to remove."""
    columns = {"customer_id": "who", "event_time": "at", "amount": "paid", "event_id": "number", "currency": "currency"}
    whole: dict[str, Any] = {
        "name": "shop",
        "currency": "EUR",
        "sources": {"orders": {"path": "orders.parquet", "columns": columns}},
        "population": {"bought_within_days": 180},
        "churn": {"kind": "no_order", "horizon_days": 60},
        "value": {"of": "revenue", "horizon_days": 60},
        "cutoffs": {"every": 45, "first": "2023-06-01", "test": ["2024-04-01"]},
        "outreach": {
            "quiet_days": 30,
            "control_share": 0.1,
            "control_salt": "shop",
            "budget": {"contacts": 60},
            "high_value_share": 0.1,
            "unknown_consent": "contact",
            "stages": {"onboarding_days": 30, "lapsing_days": 45, "dormant_days": 90, "lost_days": 200},
            "actions": ACTIONS,
        },
    }
    for path, value in changes.items():
        *way, last = path.split("__")
        place = whole
        for step in way:
            place = place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return whole


@dataclass(frozen=True)
class Shop:
    """The folder of a shop."""

    folder: Path

    @property
    def config(self) -> Path:
        """Its configuration."""
        return self.folder / "shop.yaml"

    @classmethod
    def build(
        cls,
        folder: Path,
        *,
        spoil: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table,
        customers: int = 300,
        **changes: Any,
    ) -> Shop:
        """Write the orders, spoiled if asked, and the configuration with ``changes``."""
        folder.mkdir(parents=True, exist_ok=True)
        spoil(orders(customers)).to_parquet(folder / "orders.parquet", index=False)
        made = cls(folder)
        made.write(**changes)
        return made

    def write(self, file: str = "shop.yaml", /, **changes: Any) -> Path:
        """Write a configuration beside the orders; JSON is YAML."""
        path = self.folder / file
        path.write_text(json.dumps(settings(**changes), indent=1), encoding="utf-8")
        return path


def in_memory(table: pd.DataFrame) -> Project:
    """A project on these orders, without a file; "no order in 60 days" is churn, revenue of 60 days the value."""
    whole = settings(cutoffs={"every": 45, "first": "2023-06-01", "test": ["2024-01-01"]})
    whole["sources"]["orders"] = {"frame": "orders", "columns": whole["sources"]["orders"]["columns"]}
    return Project.open(whole, frames={"orders": table})
