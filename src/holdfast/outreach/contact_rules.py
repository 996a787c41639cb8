"""Who may not be contacted, and why: one record a rule, with its test and all its words.

The rules stand in the order in which they are told: the first that excludes a customer is the one that is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.outreach.actions import LEAVE_ALONE
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
        As it stands in the table of excluded customers and in the manifest.
    meaning : str
        What the page says of the customers it excludes.
    remedy : str
        What to do where it leaves nobody to contact.
    excludes : callable
        From customers (scores, state and ``action``) and settings to those it excludes.
    detail : callable
        The words for each of them in the table; called with the excluded customers only.
    needs : tuple of str
        Columns of :func:`holdfast.outreach.state.state`, or features, without which the rule is passed over.
    not_applied : str
        What the page and the command say then.
    """

    name: str
    meaning: str
    remedy: str
    excludes: Callable[[pd.DataFrame, OutreachSettings], Mask]
    detail: Callable[[pd.DataFrame, OutreachSettings], Texts]
    needs: tuple[str, ...] = ()
    not_applied: str = ""

    def __post_init__(self) -> None:
        if bool(self.needs) != bool(self.not_applied):
            raise ValueError(f"The contact rule {self.name} wants words for 'not applied' if it needs columns.")

    @property
    def words(self) -> str:
        """The name as people read it."""
        return self.name.replace("_", " ")


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


def open_complaint(customers: pd.DataFrame) -> Mask:
    """Customers with an open ticket; nobody where the data knows no tickets."""
    if "tickets_open" not in customers:
        return np.zeros(len(customers), dtype=bool)
    return customers["tickets_open"].to_numpy(dtype=np.float64) > 0


def _complaint(customers: pd.DataFrame, settings: OutreachSettings) -> Mask:
    solving = [name for name, action in settings.actions.items() if action.solves_complaints]
    return open_complaint(customers) & ~customers["action"].isin(solving).to_numpy()


def _complaint_detail(customers: pd.DataFrame, settings: OutreachSettings) -> Texts:
    pairs = zip(customers["tickets_open"], customers["action"], strict=True)
    texts = [
        f"{tickets:.0f} open ticket{'s' if tickets > 1 else ''}; the planned action is {settings.action_words(action)}"
        for tickets, action in pairs
    ]
    return np.array(texts, dtype=object)


def says(text: str) -> Callable[[pd.DataFrame, OutreachSettings], Texts]:
    """The same words for every customer."""
    return lambda customers, _: np.full(len(customers), text, dtype=object)


_RULES = (
    Rule(
        "no_consent",
        meaning="did not agree to be contacted, or we do not know",
        remedy="check the column mapped to consent, or outreach.unknown_consent",
        excludes=_no_consent,
        detail=_consent_detail,
        needs=("consent",),
        not_applied="the sources do not tell who agreed to be contacted",
    ),
    Rule(
        "quiet_period",
        meaning="contacted a short time ago",
        remedy="shorten outreach.quiet_days, or wait",
        excludes=_contacted,
        detail=_contacted_detail,
        needs=("days_since_contact",),
        not_applied="the sources do not tell who was contacted when",
    ),
    Rule(
        "open_complaint",
        meaning="has an open complaint, and the planned action would not solve it",
        remedy="offer an action with solves_complaints under outreach.actions, such as service_recovery",
        excludes=_complaint,
        detail=_complaint_detail,
        needs=("tickets_open",),
        not_applied="the sources do not tell who has open tickets",
    ),
    Rule(
        "leave_alone",
        meaning="no action of the playbook fits",
        remedy="offer more actions under outreach.actions, or extend outreach.playbook",
        excludes=lambda customers, _: (customers["action"] == LEAVE_ALONE).to_numpy(),
        detail=says("the playbook leaves this customer alone"),
    ),
    Rule(
        "nothing_to_lose",
        meaning="no revenue is expected",
        remedy="check the amounts and the definition of value",
        excludes=lambda customers, _: customers["expected_loss"].to_numpy(dtype=np.float64) <= 0,
        detail=says("no revenue is expected of this customer"),
    ),
)
RULES: dict[str, Rule] = {rule.name: rule for rule in _RULES}
"""Every rule by its name."""


def not_applied(columns: Collection[str]) -> tuple[NotApplied, ...]:
    """The rules that cannot be applied to customers of whom only these columns are known."""
    found: list[NotApplied] = []
    for rule in RULES.values():
        missing = [name for name in rule.needs if name not in columns]
        if missing:
            found.append({"rule": rule.name, "missing": missing})
    return tuple(found)


def excluded(customers: pd.DataFrame, settings: OutreachSettings) -> pd.DataFrame:
    """The customers who may not be contacted; rules that cannot be applied are passed over.

    Returns
    -------
    DataFrame
        ``customer_id, rule, detail``: the first rule that excludes the customer. Its index is that of ``customers``.
    """
    name, detail = (np.full(len(customers), "", dtype=object) for _ in range(2))
    skipped = {entry["rule"] for entry in not_applied(customers.columns)}
    for rule in RULES.values():
        if rule.name in skipped:
            continue
        now = (name == "") & rule.excludes(customers, settings)
        name[now] = rule.name
        detail[now] = rule.detail(customers[now], settings)
    table = pd.DataFrame(
        {"customer_id": customers["customer_id"], "rule": name, "detail": detail}, index=customers.index
    )
    told: pd.DataFrame = table[name != ""]
    return told
