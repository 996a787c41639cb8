"""What a list of contacts would have brought at the test cutoffs, beside lists that simple rules make.

Contacting a customer with an action brings, after Verbraken, Verbeke and Baesens (2013, doi:10.1109/TKDE.2012.50),

    churned * save_rate * at_stake - cost

where ``at_stake`` is what the model expected at the cutoff to leave with one who churns,
``expected_loss / p_churn``, because nobody sees what one who left would have spent. Each customer is contacted with the
action that was expected to bring most. Under that choice the list by expected loss is the list by expected gain. The
rules differ in whom they contact, and in nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from holdfast.backtest.fold_fitter import MODEL
from holdfast.metrics import ContactLists, Difference, Interval, Metric, estimate, excludes_zero, paired_difference
from holdfast.sampling import weights

OURS = "expected loss"
_SCORES = {"risk alone": f"{MODEL}_p_churn", "value alone": f"{MODEL}_value", "longest silence": "recency_p_churn"}
_CHANCE = "random draw"


@dataclass(frozen=True)
class ContactTerms:
    """What contacting customers costs and keeps, and how many customers a list singles out.

    Attributes
    ----------
    actions : mapping of name to (cost, save_rate)
        The expected cost of one contact, in currency, and the share of leaving customers whom it keeps.
    places : int or None
        Customers that a list singles out, the control group included; None where they are a share.
    share : float
        Of the customers at the cutoff.
    control_share : float
        Of the places; these customers are held back from contact.
    currency : str or None
        Of the amounts, if the configuration names it.
    """

    actions: Mapping[str, tuple[float, float]]
    places: int | None
    share: float
    control_share: float
    currency: str | None = None


@dataclass(frozen=True)
class RuleValue:
    """What a list by one rule would have brought, on average over the test cutoffs.

    Attributes
    ----------
    leavers, lost_value : float
        Share of all who left, and of all value lost with them, that stood on the list.
    profit : Interval
        Of one list, in currency, after the costs of all contacts.
    less : Difference or None
        The profit of the list by expected loss minus this one, on the same resampled customers; None for itself.
    """

    leavers: float
    lost_value: float
    profit: Interval
    less: Difference | None


@dataclass(frozen=True)
class ContactValue:
    """What lists would have brought, by rule.

    Attributes
    ----------
    terms : ContactTerms
    contacts : float
        Customers that one list contacts, on average.
    rules : mapping of rule to RuleValue
        ``"expected loss"``, the order of the published list, comes first.
    promised : float
        What the list by expected loss expected to bring when it was made.
    unlimited_contacts, unlimited : float and Interval
        Customers with a positive expected gain at a cutoff, and what contacting them all would have brought.
    """

    terms: ContactTerms
    contacts: float
    rules: Mapping[str, RuleValue]
    promised: float
    unlimited_contacts: float
    unlimited: Interval

    def figures(self) -> dict[str, float]:
        """The figures of the list by expected loss, and how much more than the other lists it brings, by name."""
        ours = self.rules[OURS]
        found = {
            "list_profit": ours.profit.estimate,
            "list_profit_promised": self.promised,
            "list_profit_per_contact": self._per_contact(ours),
            "list_leavers": ours.leavers,
            "list_lost_value": ours.lost_value,
            "unlimited_profit": self.unlimited.estimate,
        }
        more = {f"list_profit_over_{rule.replace(' ', '_')}": of.less for rule, of in self.rules.items()}
        return found | {name: less.estimate for name, less in more.items() if less is not None}

    def table(self, cutoffs: int) -> str:
        """The lists as text for people, each number with its unit."""
        at = "the test cutoff" if cutoffs == 1 else f"each of {cutoffs} test cutoffs, on average"
        held_back = self.contacts / (1 - self.terms.control_share) - self.contacts
        columns = {
            "of all who left": [f"{of.leavers:.1%}" for of in self.rules.values()],
            "of the value lost": [f"{of.lost_value:.1%}" for of in self.rules.values()],
            f"{self._money} a list": [f"{of.profit.estimate:,.0f}" for of in self.rules.values()],
            f"{self._money} a contact": [f"{self._per_contact(of):,.2f}" for of in self.rules.values()],
        }
        return (
            f"What a list would have brought at {at}: {self.contacts:,.0f} contacts, {held_back:,.0f} held back\n"
            + pd.DataFrame(columns, index=pd.Index([f"by {rule}" for rule in self.rules])).to_string()
        )

    def sentences(self) -> list[str]:
        """How much more than the others the list by expected loss brings, and how the figures were found."""
        money = self._money
        return [
            *(self._compared(of.less, rule) for rule, of in self.rules.items() if of.less is not None),
            f"When it was made, the list by {OURS} promised {self.promised:,.0f} {money}.",
            f"Without a limit, the {self.unlimited_contacts:,.0f} customers whose contact was expected to pay "
            f"would have brought {self.unlimited.estimate:,.0f} {money} ({_range(self.unlimited)}).",
            "Costs and save rates are those of outreach.actions; each customer gets the action expected to bring most, "
            "and a customer who left counts with what the model had expected to leave with them.",
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "currency": self.terms.currency,
            "contacts": self.contacts,
            "promised": self.promised,
            "unlimited": {"contacts": self.unlimited_contacts, "profit": self.unlimited.to_dict()},
            "rules": {
                rule: {
                    "leavers": of.leavers,
                    "lost_value": of.lost_value,
                    "profit": of.profit.to_dict(),
                    **({} if of.less is None else {"expected_loss_minus_this": of.less.to_dict()}),
                }
                for rule, of in self.rules.items()
            },
        }

    @property
    def _money(self) -> str:
        return self.terms.currency or "money"

    def _per_contact(self, of: RuleValue) -> float:
        return of.profit.estimate / self.contacts if self.contacts else float("nan")

    def _compared(self, less: Difference, rule: str) -> str:
        more = f"{abs(less.estimate):,.0f} {self._money} {'more' if less.estimate >= 0 else 'less'}"
        chance = "" if excludes_zero(less) else ", which may be chance"
        return f"The list by {OURS} brings {more} than one by {rule} ({_range(less)}){chance}."


def _range(found: Interval) -> str:
    return f"95 % interval {found.low:,.0f} to {found.high:,.0f}"


def contact_value(rows: pd.DataFrame, terms: ContactTerms, *, draws: int, seed: int) -> ContactValue:
    """What lists at the cutoffs of some predictions would have brought.

    Parameters
    ----------
    rows : DataFrame
        Predictions of a backtest; see :class:`holdfast.backtest.Backtest`.
    draws : int
        Bootstrap resamples of customers; 0 gives intervals of NaN.
    """
    cutoff = rows["cutoff"].to_numpy(dtype=np.int64)
    churned, p, loss = (
        rows[name].to_numpy(dtype=np.float64) for name in ("churned", f"{MODEL}_p_churn", f"{MODEL}_expected_loss")
    )
    at_stake = np.divide(loss, p, out=np.zeros(len(loss)), where=p > 0)
    cost, save_rate = np.array(list(terms.actions.values()), dtype=np.float64).T
    expected = loss[:, None] * save_rate - cost
    best = expected.argmax(axis=1)
    expected = expected.max(axis=1)
    gain = churned * save_rate[best] * at_stake - cost[best]
    own, who = weights(rows), rows["customer_id"].to_numpy()
    how: dict[str, Any] = {"weights": own, "customers": who, "draws": draws, "seed": seed}
    lists, contacted = ContactLists(cutoff, terms.places, terms.share), 1 - terms.control_share
    profit = Metric("list_profit", lists.total, "higher", "list profit")
    scores = {OURS: loss}
    scores |= {rule: rows[name].to_numpy(dtype=np.float64) for rule, name in _SCORES.items() if name in rows}
    scores[_CHANCE] = np.zeros(len(rows))
    rules = {
        rule: RuleValue(
            float(lists.share_held(churned, score, own)),
            float(lists.share_held(churned * at_stake, score, own)),
            estimate({"it": profit}, gain * contacted, score, **how)["it"],
            None if rule == OURS else paired_difference(profit, gain * contacted, scores[OURS], score, **how),
        )
        for rule, score in scores.items()
    }
    everyone, pays = ContactLists(cutoff), (expected > 0).astype(np.float64)
    unlimited = Metric("unlimited", everyone.total, "higher", "profit")
    return ContactValue(
        terms,
        float(lists.total(np.full(len(rows), contacted), scores[OURS], own)),
        rules,
        float(lists.total(expected * contacted, scores[OURS], own)),
        float(everyone.total(pays, pays, own)),
        estimate({"it": unlimited}, gain * pays, pays, **how)["it"],
    )
