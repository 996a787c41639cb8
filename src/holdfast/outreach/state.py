"""What the rules need to know of a customer, and the features that tell it.

A column that no source can tell is absent, and the rule that needs it is skipped and named; a NaN means that nothing is
known of this one customer.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from holdfast.features.catalogue import name_of
from holdfast.features.feature import Feature
from holdfast.history.aggregates import Last
from holdfast.models.feature_record import Role
from holdfast.outreach.contact_rules import RULES

CONSENT = Feature("consent", "customers", Last("consent"), "score", "agreed to be contacted ({value})", "consent")
"""Whether the customer agreed to be contacted, 1 or 0: for rules only, never for a model."""

# Name of the state: the roles of features that tell it, beside one of its own name; the largest that is known counts.
STATE: dict[str, tuple[Role, ...]] = {
    "tenure_days": (
        "days_since_signup",
        "subscription_tenure",
        "days_since_first_order",
        "days_since_first_engagement",
    ),
    "days_since_order": ("days_since_order",),
    "order_overdue_ratio": ("order_overdue",),
    "days_since_engagement": ("days_since_engagement",),
    "engagement_overdue_ratio": ("engagement_overdue",),
    "days_since_contact": ("days_since_contact",),
    "tickets_open": ("tickets_open",),
    "consent": (),
    "mrr": ("mrr",),
}


def _told_by() -> dict[str, tuple[str, ...]]:
    """The state, and the features that contact rules need beside it."""
    told = {name: (name, *map(name_of, roles)) for name, roles in STATE.items()}
    return told | {need: (need,) for rule in RULES.values() for need in rule.needs if need not in STATE}


def tellers() -> frozenset[str]:
    """The features that stages and contact rules read."""
    return frozenset(teller for tellers in _told_by().values() for teller in tellers)


def state_columns(features: Iterable[str]) -> list[str]:
    """The state columns that snapshots with these features can tell."""
    known = set(features)
    return [name for name, tellers in _told_by().items() if known & set(tellers)]


def state(snapshots: pd.DataFrame) -> pd.DataFrame:
    """The state columns that the snapshots can tell, as floats, with the index of ``snapshots``."""
    columns = {}
    for name, tellers in _told_by().items():
        known = [snapshots[teller].to_numpy(dtype=np.float64) for teller in tellers if teller in snapshots]
        if known:
            columns[name] = np.fmax.reduce(known)
    return pd.DataFrame(columns, index=snapshots.index)
