"""Who may not be contacted, and why: rules in order, the first that applies is the one that is told."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.outreach.settings import OutreachSettings

Mask = NDArray[np.bool_]
Texts = NDArray[np.object_]


class NotApplied(TypedDict):
    """A rule that could not be applied, and the columns it would have needed."""

    rule: str
    missing: list[str]


@dataclass(frozen=True)
class Rule:
    """One reason not to contact a customer.

    Attributes
    ----------
    name : str
        As it stands in the table of excluded customers.
    needs : tuple of str
        Columns without which the rule is skipped.
    applies : callable
        From customers (with ``action``) and settings to the customers it excludes.
    detail : callable
        The words for each of them; called with the excluded customers only.
    """

    name: str
    needs: tuple[str, ...]
    applies: Callable[[pd.DataFrame, OutreachSettings], Mask]
    detail: Callable[[pd.DataFrame, OutreachSettings], Texts]


def _no_consent(customers: pd.DataFrame, settings: OutreachSettings) -> Mask:
    consent = customers["consent"].to_numpy(dtype=np.float64)
    refused: Mask = consent == 0
    return refused | np.isnan(consent) if settings.unknown_consent == "exclude" else refused


def _consent_detail(customers: pd.DataFrame, _: OutreachSettings) -> Texts:
    known = customers["consent"].notna().to_numpy()
    return np.where(known, "did not agree to be contacted", "not known whether they agreed to be contacted").astype(
        object
    )


def _contacted(customers: pd.DataFrame, settings: OutreachSettings) -> Mask:
    return customers["days_since_contact"].to_numpy(dtype=np.float64) < settings.quiet_days


def _contacted_detail(customers: pd.DataFrame, settings: OutreachSettings) -> Texts:
    days = customers["days_since_contact"].to_numpy(dtype=np.float64)
    texts = [f"contacted {ago:.1f} days ago; the quiet period is {settings.quiet_days:g} days" for ago in days]
    return np.array(texts, dtype=object)


def _complaint(customers: pd.DataFrame, _: OutreachSettings) -> Mask:
    return open_complaint(customers) & (customers["action"] != "service_recovery").to_numpy()


def _complaint_detail(customers: pd.DataFrame, _: OutreachSettings) -> Texts:
    pairs = zip(customers["tickets_open"], customers["action"], strict=True)
    texts = [
        f"{tickets:.0f} open ticket{'s' if tickets > 1 else ''}; the planned action is {action.replace('_', ' ')}"
        for tickets, action in pairs
    ]
    return np.array(texts, dtype=object)


def _says(text: str) -> Callable[[pd.DataFrame, OutreachSettings], Texts]:
    return lambda customers, _: np.full(len(customers), text, dtype=object)


RULES: tuple[Rule, ...] = (
    Rule("no_consent", ("consent",), _no_consent, _consent_detail),
    Rule("quiet_period", ("days_since_contact",), _contacted, _contacted_detail),
    Rule("open_complaint", ("tickets_open",), _complaint, _complaint_detail),
    Rule(
        "leave_alone",
        (),
        lambda customers, _: (customers["action"] == "leave_alone").to_numpy(),
        _says("the playbook leaves this customer alone"),
    ),
    Rule(
        "nothing_to_lose",
        (),
        lambda customers, _: customers["expected_loss"].to_numpy(dtype=np.float64) <= 0,
        _says("no revenue is expected of this customer"),
    ),
)


def open_complaint(customers: pd.DataFrame) -> Mask:
    """Customers with an open ticket; nobody where the data knows no tickets."""
    if "tickets_open" not in customers:
        return np.zeros(len(customers), dtype=bool)
    return customers["tickets_open"].to_numpy(dtype=np.float64) > 0


def not_applied(columns: Collection[str]) -> tuple[NotApplied, ...]:
    """The rules that cannot be applied to customers of whom only these columns are known."""
    found: list[NotApplied] = []
    for declared in RULES:
        missing = [name for name in declared.needs if name not in columns]
        if missing:
            found.append({"rule": declared.name, "missing": missing})
    return tuple(found)


def excluded(customers: pd.DataFrame, settings: OutreachSettings) -> pd.DataFrame:
    """The customers who may not be contacted; rules that cannot be applied are passed over.

    Returns
    -------
    DataFrame
        ``customer_id, rule, detail``: the first rule that excludes the customer. Its index is that of ``customers``.
    """
    rule, detail = (np.full(len(customers), "", dtype=object) for _ in range(2))
    skipped = {entry["rule"] for entry in not_applied(customers.columns)}
    for declared in RULES:
        if declared.name in skipped:
            continue
        now = (rule == "") & declared.applies(customers, settings)
        rule[now] = declared.name
        detail[now] = declared.detail(customers[now], settings)
    table = pd.DataFrame(
        {"customer_id": customers["customer_id"], "rule": rule, "detail": detail}, index=customers.index
    )
    told: pd.DataFrame = table[rule != ""]
    return told
