"""The page of a list: what it is, what is at stake, what to do, and the first rows with their reasons.

One file that asks nothing of the network: style and drawings are inside, and a content policy forbids all else. Every
text from the data is escaped. The same list gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from holdfast.models.feature_record import FeatureRecord
from holdfast.outreach import OutreachSettings, Selection
from holdfast.report.list_sections import (
    Money,
    actions_section,
    control_section,
    counts_section,
    customers_text,
    excluded_section,
    reasons_section,
    risk_section,
    rows_section,
    stages_section,
    stakes_section,
)
from holdfast.report.markup import Markup, tag
from holdfast.timeline import show

ROWS = 50


def list_page(
    selection: Selection,
    settings: OutreachSettings,
    *,
    title: str,
    model: str,
    currency: str | None,
    features: Sequence[FeatureRecord] = (),
    rows: int = ROWS,
) -> str:
    """The page as one HTML text.

    Parameters
    ----------
    title : str
        Name of the project.
    model : str
        Name and version of the registered model.
    currency : str or None
    features : sequence of FeatureRecord
        Their meanings word the reasons that occur most.
    rows : int
        How many customers to show.
    """
    money = Money(currency)
    body = tag(
        "main",
        _header(selection, title, model),
        counts_section(selection, settings),
        stakes_section(selection, money),
        tag("div", actions_section(selection, money), reasons_section(selection, features), class_="pair"),
        tag("div", risk_section(selection), stages_section(selection), class_="pair"),
        rows_section(selection, money, rows),
        tag("div", excluded_section(selection), control_section(selection, settings), class_="pair"),
        _footer(selection, model),
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content="default-src 'none'; style-src 'unsafe-inline'"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", f"{title}: customers to contact, {show(selection.as_of)}"),
        tag("style", Markup(files("holdfast.report").joinpath("page.css").read_text(encoding="utf-8"))),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', body), lang='en')}\n"


def _header(selection: Selection, title: str, model: str) -> Markup:
    counts = selection.counts
    at = show(selection.as_of)
    return tag(
        "header",
        tag("p", f"{title} · as of {at}", class_="soft"),
        tag("h1", f"{customers_text(counts['contact'])} to contact"),
        tag(
            "p",
            f"Of {customers_text(counts['scored'])} scored with what was known before {at}, these have the "
            "largest expected loss among those who may be contacted. Each row says why, and what to do.",
            class_="lead",
        ),
        tag("p", f"Model {model} · list {selection.list_id}", class_="soft"),
    )


def _footer(selection: Selection, model: str) -> Markup:
    return tag(
        "footer",
        tag(
            "p",
            f"List {selection.list_id} · as of {show(selection.as_of)} · {model} · written "
            "by holdfast. The manifest beside this page holds the hash of every file.",
        ),
    )
