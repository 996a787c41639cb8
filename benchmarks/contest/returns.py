"""Whether customers who are said to have gone stay away, on real orders, as far as the data reaches.

Models learn at an early day, two outcome windows after the first cutoff at least, so that as much as can be comes after
it. Who has gone never orders again; who has not may wait for longer than the data lasts. So of customers who are said
to return with some probability, at most about that share should, and fewer the shorter the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks.contest.task import purchases, without_outcomes
from benchmarks.contest.world import CONFIGS
from holdfast import Project
from holdfast.learning.training import fit, known_by
from holdfast.timeline import MICROSECONDS_PER_DAY, instant

BINS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


@dataclass(frozen=True)
class Orders:
    """Real orders: where they lie below the data's folder, the day to learn at, and what a configuration says else."""

    file: str
    day: str
    configuration: str
    instead: Mapping[str, Any]


REAL = {
    "online_retail": Orders("online_retail_ii/transactions.parquet", "2010-09-01", "online_retail", {}),
    "cdnow": Orders("cdnow/transactions_full.parquet", "1997-10-14", "cdnow", {}),
    "dunnhumby": Orders(
        "dunnhumby/transactions.parquet",
        "2017-05-28",
        "cdnow",
        {
            "name": "dunnhumby",
            "sources": {
                "orders": {
                    "timezone": "UTC",
                    "columns": {
                        "customer_id": "household_id",
                        "event_time": "transaction_timestamp",
                        "order_id": "basket_id",
                        "amount": "sales_value",
                    },
                }
            },
            "features": {},
            "population": {"bought_within_days": 84},
            "churn": {"kind": "no_order", "horizon_days": 28},
            "value": {"of": "revenue", "horizon_days": 28},
            "cutoffs": {"every": 14, "first": "2017-03-26"},
        },
    ),
}


def measure(name: str, data: Path) -> dict[str, Any] | None:
    """By bins of ``p_gone``: customers, the share told to return, and the share that did; None without the data."""
    orders = REAL[name]
    if not (data / orders.file).is_file():
        return None
    settings = yaml.safe_load((CONFIGS / f"{orders.configuration}.yaml").read_text(encoding="utf-8"))
    settings |= orders.instead
    settings["sources"]["orders"]["path"] = str((data / orders.file).resolve())
    settings["cutoffs"]["test"] = [orders.day]
    day = instant(orders.day)
    with Project.open(settings, base=CONFIGS) as us:
        spec, until = us.evaluation.spec(), us.tables.data_until
        known = known_by(us.snapshots(), day, spec.complete_after)
        test = without_outcomes(us.snapshots(orders.day))
        bought = purchases(us.dataset, until + 1)
    if bought is None:
        raise ValueError("The data has no orders.")
    since = pd.Series(bought["days_since_order"].to_numpy(), index=bought["customer_id"].astype(str))
    later = (until - day) / MICROSECONDS_PER_DAY
    returned = since.reindex(test["customer_id"].astype(str)).to_numpy() <= later
    said = fit(known, spec, recent=test).predict(test)
    return {
        "learnt_at": orders.day,
        "days_later": later,
        "customers": len(test),
        "told_gone": float(said["p_gone"].mean()),
        "told_leaving": float(said["p_leaving"].mean()),
        "returned": float(returned.mean()),
        "bins": by_gone(said["p_gone"].to_numpy(), returned),
    }


def by_gone(gone: np.ndarray, returned: np.ndarray) -> list[dict[str, Any]]:
    """Customers with ``p_gone`` above the one bound and up to the other: how many return, told and true."""
    found = []
    for low, high in pairwise(BINS):
        rows = ((gone > low) | (low == BINS[0])) & (gone <= high)
        some = {"told": float(1 - gone[rows].mean()), "returned": float(returned[rows].mean())} if rows.any() else {}
        found.append({"above": low, "up_to": high, "customers": int(rows.sum()), **some})
    return found


def text(name: str, found: Mapping[str, Any]) -> str:
    """For people."""
    bins = pd.DataFrame(found["bins"]).round(3).to_string(index=False)
    return (
        f"{name}, learnt at {found['learnt_at']}, {found['days_later']:.0f} days later {found['returned']:.1%} of "
        f"{found['customers']:,} customers had ordered again\n{bins}"
    )
