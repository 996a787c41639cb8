"""The sections of a list's page, each from the selection to a piece of HTML."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from holdfast.explain.wording import number
from holdfast.models.feature_record import FeatureRecord
from holdfast.outreach import RULES, OutreachSettings, Selection
from holdfast.report.charts import histogram, meter, stacked
from holdfast.report.markup import Child, Markup, join, table, tag

_TOP_REASONS = 8


class Money:
    """Amounts in the project's currency, as the page writes them."""

    def __init__(self, currency: str | None) -> None:
        self.currency = currency

    def __call__(self, amount: float) -> str:
        """With the currency."""
        return number(float(amount), "currency", self.currency)

    def bare(self, amount: float) -> str:
        """Without the currency."""
        return number(float(amount), "currency")


def _section(heading: str, note: str | None, *content: Child, class_: str | None = None) -> Markup:
    return tag("section", tag("h2", heading), tag("p", note, class_="soft") if note else None, *content, class_=class_)


def _figures(pairs: Sequence[tuple[Child, str, str | None]]) -> Markup:
    return tag(
        "dl",
        (
            tag("div", tag("dt", name), tag("dd", value, tag("small", note, class_="soft") if note else None))
            for name, value, note in pairs
        ),
        class_="figures",
    )


def _table_or(otherwise: str, head: Sequence[str], rows: Sequence[Sequence[Child]]) -> Markup:
    return table(head, rows, class_="numbers") if rows else tag("p", otherwise)


def counts_section(selection: Selection, settings: OutreachSettings) -> Markup:
    """The four groups and how they add up."""
    counts = selection.counts
    parts = {group: counts[group] for group in ("contact", "control", "not_selected", "excluded")}
    notes = {
        "contact": "on this list",
        "control": "held back to compare",
        "not_selected": "below the budget",
        "excluded": "may not be contacted",
    }
    figures = _figures(
        [
            (join([tag("span", class_=f"key {group}"), group.replace("_", " ")]), f"{count:,}", notes[group])
            for group, count in parts.items()
        ]
    )
    told = " + ".join(f"{count:,}" for count in parts.values()) + f" = {counts['scored']:,}"
    budget = settings.budget
    asked = f"{budget.contacts:,} customers" if budget.contacts is not None else f"{budget.share:.1%} of all scored"
    return _section(
        "Every scored customer is in one group",
        f"{told}. The budget singles out {asked}; the control group is part of it.",
        stacked(parts, told),
        figures,
    )


def stakes_section(selection: Selection, money: Money) -> Markup:
    """Expected loss of all and of the list, and what the contacts are expected to bring."""
    at_risk, scored = selection.at_risk, selection.counts["scored"]
    everyone, listed = selection.overview.expected_loss, at_risk["expected_loss"].sum()
    share = listed / everyone if everyone else 0.0
    net = at_risk["net_value"]
    losing = int((net < 0).sum())
    note = (
        f"{customers_text(losing)} on the list cost more than the contact is expected to bring."
        if losing
        else "Every contact is expected to bring more than it costs."
    )
    return _section(
        "Money at stake",
        "Expected loss is the chance that a customer leaves, times what would leave with them over the value horizon.",
        _figures(
            [
                ("all scored customers", money(everyone), "expected loss"),
                ("on this list", money(listed), f"{share:.0%} of it, {_share(len(at_risk), scored)} of customers"),
                ("kept by the contacts, less their cost", money(net.sum()), "by the stated save rates"),
            ]
        ),
        meter(share),
        tag("p", note, class_="soft"),
    )


def actions_section(selection: Selection, money: Money) -> Markup:
    """How many customers get which action."""
    groups = selection.at_risk.groupby(["action", "channel", "action_words", "channel_words"], sort=True)
    summary = groups.agg(n=("rank", "size"), loss=("expected_loss", "sum"), net=("net_value", "sum")).reset_index()
    summary = summary.sort_values(["n", "action", "channel"], ascending=[False, True, True])
    most = max(summary["n"].max(), 1) if len(summary) else 1
    rows = [
        (
            join(
                [row["action_words"], tag("small", f" {row['channel_words']}", class_="soft"), meter(row["n"] / most)]
            ),
            f"{row['n']:,}",
            money.bare(row["loss"]),
            money.bare(row["net"]),
        )
        for row in summary.to_dict("records")
    ]
    unit = f", {money.currency}" if money.currency else ""
    head = ("action", "customers", f"expected loss{unit}", f"net value{unit}")
    return _section("What to do", None, _table_or("Nobody is to be contacted.", head, rows))


def reasons_section(selection: Selection, features: Sequence[FeatureRecord]) -> Markup:
    """The drivers that most reasons name."""
    at_risk = selection.at_risk
    named = pd.concat(
        [
            pd.DataFrame({"feature": at_risk[f"reason_{i}_feature"], "added": at_risk[f"reason_{i}_contribution"]})
            for i in (1, 2, 3)
        ]
    )
    named = named[named["feature"] != ""]
    summary = named.groupby("feature")["added"].agg(["size", "mean"]).reset_index()
    summary = summary.sort_values(["size", "feature"], ascending=[False, True]).head(_TOP_REASONS)
    meanings = {feature.name: feature.meaning.replace("{value}", "…") for feature in features}
    rows = [
        (
            join([meanings.get(row[0], row[0].replace("_", " ")), meter(row[1] / len(at_risk))]),
            f"{row[1]:,}",
            f"× {np.exp(row[2]):.1f}",
        )
        for row in summary.itertuples(index=False, name=None)
    ]
    return _section(
        "Why they are at risk",
        None,
        _table_or("No reason raises a risk.", ("reason", "customers", "odds of leaving"), rows),
    )


def risk_section(selection: Selection) -> Markup:
    """The distribution of risk."""
    key = tag(
        "p",
        tag("span", class_="key not_selected"),
        "all scored ",
        tag("span", class_="key contact"),
        "to contact",
        class_="soft",
    )
    return _section("How risk is spread", None, key, histogram(selection.overview.everyone, selection.overview.listed))


def stages_section(selection: Selection) -> Markup:
    """How many customers are in which stage, and how many of them are contacted."""
    scored = selection.counts["scored"]
    rows = [
        (join([stage, meter(here / scored, "not_selected")]), f"{here:,}", f"{risk:.0%}", f"{contact:,}")
        for stage, here, risk, contact in selection.overview.by_stage
    ]
    head = ("stage", "scored", "mean risk", "to contact")
    return _section("Where customers are in life", None, table(head, rows, class_="numbers"))


def rows_section(selection: Selection, money: Money, rows: int) -> Markup:
    """The first rows of the list with their reasons."""
    shown = selection.at_risk.head(rows)
    head = (
        "rank",
        "customer",
        "risk",
        "leaving",
        "value if kept",
        "expected loss",
        "what to do",
        "because the customer",
    )
    cells = [
        (
            f"{row['rank']}",
            row["customer_id"],
            f"{row['p_churn']:.0%}",
            f"{row['p_leaving']:.0%}",
            join(
                [
                    tag("span", money(row["value_if_kept"])),
                    tag(
                        "small",
                        f"{money.bare(row['value_if_kept_low'])} to {money.bare(row['value_if_kept_high'])}",
                        class_="soft",
                    ),
                ]
            ),
            money(row["expected_loss"]),
            tag("div", row["action_words"], tag("small", f"{row['channel_words']} · {row['segment']}", class_="soft")),
            tag("ul", (tag("li", row[f"reason_{i}"]) for i in (1, 2, 3) if row[f"reason_{i}"])),
        )
        for row in shown.to_dict("records")
    ]
    left = len(selection.at_risk) - len(shown)
    note = (
        f"The first {len(shown)} of {len(selection.at_risk):,}; all of them are in at_risk.csv." if left > 0 else None
    )
    return _section(
        "Whom to contact first", note, tag("div", table(head, cells, class_="list"), class_="scroll"), class_="long"
    )


def excluded_section(selection: Selection) -> Markup:
    """How many customers each rule excluded, and the rules that could not be applied."""
    rows = [
        (join([RULES[rule].words, tag("small", f" {RULES[rule].meaning}", class_="soft")]), f"{count:,}")
        for rule, count in selection.excluded_by_rule.items()
    ]
    skipped = [
        tag("li", f"{RULES[entry['rule']].words}: {RULES[entry['rule']].not_applied}")
        for entry in selection.rules_not_applied
    ]
    return _section(
        "Who may not be contacted",
        None,
        _table_or("Nobody was excluded.", ("first rule that applies", "customers"), rows),
        [tag("p", "Rules that could not be applied:"), tag("ul", skipped)] if skipped else None,
    )


def control_section(selection: Selection, settings: OutreachSettings) -> Markup:
    """What the control group is for."""
    held = selection.counts["control"]
    if not settings.control_share:
        nobody = "This list holds nobody back, so nobody will be able to say what the contacts were worth."
        return _section("The control group", None, tag("p", nobody))
    return _section(
        "The control group",
        None,
        tag(
            "p",
            f"{customers_text(held)} would have been contacted and, by a draw that depends on nothing but who they "
            f"are, {'is' if held == 1 else 'are'} not. The same customers stay in control from list to list "
            f"(about {settings.control_share:.0%} of all). When the horizon has passed, the difference between them "
            "and the contacted is what the contacts were worth. Please do not contact them in the meantime.",
        ),
        tag("p", "They are the rows with group = control in customers.parquet.", class_="soft"),
    )


def customers_text(count: int) -> str:
    """A number of customers in words."""
    return f"{count:,} customer{'' if count == 1 else 's'}"


def _share(part: int, whole: int) -> str:
    share = part / whole if whole else 0.0
    return f"{share:.1%}" if share < 0.1 else f"{share:.0%}"
