"""The page of a list."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from holdfast.outreach import Selection, select
from holdfast.report.charts import histogram, stacked
from holdfast.report.markup import Markup, join, table, tag
from holdfast.report.page import list_page
from tests.unit.outreach.scored import AS_OF, SPECS, outreach_settings, scored_customers, selected

VOID = {"meta", "br", "rect", "line"}


class Reader(HTMLParser):
    """Reads a page strictly: every element closed in order; collects text, elements and attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append((name, dict(attributes)))
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name: str) -> None:
        if name not in VOID:
            assert self.open.pop() == name

    def handle_data(self, text: str) -> None:
        if "style" not in self.open:
            self.texts.append(text)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


def page(selection: Selection, rows: int = 50, **changes: object) -> Reader:
    """The page of a selection, read."""
    settings = outreach_settings(**changes)
    return Reader(
        list_page(selection, settings, title="demo", model="demo version 1", currency="EUR", features=SPECS, rows=rows)
    )


def test_the_page_says_what_the_list_is_and_how_its_groups_add_up() -> None:
    """A colleague who opens nothing else must know what this is, from when, and who is where."""
    selection = selected()
    counts = selection.counts
    text = page(selection).text
    assert f"{counts['contact']} customers to contact" in text
    assert "as of 2025-01-01" in text
    assert "demo version 1" in text
    assert selection.list_id in text
    groups = [counts[name] for name in ("contact", "control", "not_selected", "excluded")]
    assert f"{' + '.join(map(str, groups))} = {counts['scored']}" in text


def test_the_money_of_the_page_is_the_money_of_the_tables() -> None:
    """A figure that a reader cannot find again in the files would be an opinion."""
    selection = selected()
    text = page(selection).text
    for amount in (
        selection.customers.frame()["expected_loss"].sum(),
        selection.at_risk["expected_loss"].sum(),
        selection.at_risk["net_value"].sum(),
    ):
        assert f"{amount:,.0f} EUR" in text


def test_the_first_rows_carry_their_reasons_and_actions() -> None:
    """Whom to call, and what to say."""
    selection = selected()
    read = page(selection, rows=3)
    first = selection.at_risk.iloc[0]
    assert first["customer_id"] in read.text
    assert first["reason_1"] in read.text
    assert first["action"].replace("_", " ").replace("account manager", "account-manager") in read.text
    assert selection.at_risk.iloc[3]["customer_id"] not in read.text
    assert f"The first 3 of {len(selection.at_risk)}; all of them are in at_risk.csv." in read.text


def test_exclusions_control_and_missing_rules_are_explained() -> None:
    """What the list leaves out matters as much as what it holds."""
    scored = scored_customers().drop(columns=["tickets_open"])
    selection = select(scored, outreach_settings(), AS_OF, model_version="1")
    text = page(selection).text
    for rule, count in selection.excluded_by_rule.items():
        assert rule.replace("_", " ") in text
        assert str(count) in text
    assert "open complaint: the sources do not tell who has open tickets" in text
    assert "would have been contacted and, by a draw that depends on nothing but who they are, are not" in text
    assert "about 20% of all" in text


def test_a_list_without_control_says_what_that_means() -> None:
    """Nobody should find out after the campaign."""
    text = page(selected(control_share=0.0), control_share=0.0).text
    assert "nobody will be able to say what the contacts were worth" in text


def test_contacts_that_cost_more_than_they_bring_are_told() -> None:
    """The ranking by expected loss may list them; the page does not hide it."""
    selection = selected(budget={"share": 1.0})
    losing = int((selection.at_risk["net_value"] < 0).sum())
    assert losing > 1
    assert f"{losing} customers on the list cost more than the contact is expected to bring." in page(selection).text


def test_a_list_of_nobody_but_control_still_has_a_page() -> None:
    """A quiet day is no reason to fail."""
    text = page(selected(n=30, budget={"contacts": 1}, control_share=0.999), budget={"contacts": 1}).text
    assert "0 customers to contact" in text
    assert "Nobody is to be contacted." in text


def test_nothing_from_the_data_becomes_markup() -> None:
    """A customer may be called anything; the page of a colleague must not run it."""
    evil = '<script>alert("x")</script>'
    scored = scored_customers()
    scored["customer_id"] = [f"{evil}{i}" for i in range(len(scored))]
    scored["reason_1"] = f'"><img src=x onerror=alert(1)>{evil}'
    selection = select(scored, outreach_settings(), AS_OF, model_version=evil)
    raw = list_page(selection, outreach_settings(), title=evil, model=evil, currency="<b>", features=SPECS)
    read = Reader(raw)
    assert "<script" not in raw
    assert "<img" not in raw
    assert evil in read.text
    assert {name for name, _ in read.seen} & {"script", "img", "iframe", "link", "a", "object"} == set()


def test_the_page_asks_nothing_of_the_network() -> None:
    """It is read on trains and in closed networks, and tells nobody that it was read."""
    read = page(selected())
    assert not [a for _, attributes in read.seen for a in attributes if a in ("src", "href", "srcset", "action")]
    raw = list_page(selected(), outreach_settings(), title="demo", model="1", currency=None)
    assert "url(" not in raw
    assert "@import" not in raw
    policies = [a["content"] for name, a in read.seen if name == "meta" and a.get("http-equiv")]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]


def test_the_same_list_gives_the_same_page() -> None:
    """The page is hashed in the manifest; a clock in it would make every run a new list."""
    first, second = (
        list_page(selected(), outreach_settings(), title="demo", model="1", currency="EUR") for _ in range(2)
    )
    assert first == second


def test_the_page_adapts_to_the_dark_to_phones_and_to_paper() -> None:
    """Its readers do, too."""
    raw = list_page(selected(), outreach_settings(), title="demo", model="1", currency="EUR")
    for medium in ("prefers-color-scheme: dark", "screen and (max-width", "@media print", "width=device-width"):
        assert medium in raw


def test_the_histogram_tells_of_everybody_once() -> None:
    """The bars are all that a reader sees of those who are not on the list."""
    found = selected().overview
    said = re.findall(
        r"<title>[^:]*: (\d+) customers, (\d+) to contact</title>", histogram(found.everyone, found.listed)
    )
    assert sum(int(everyone) for everyone, _ in said) == found.counts["scored"] == 200
    assert sum(int(listed) for _, listed in said) == found.counts["contact"]


def test_a_stacked_bar_leaves_out_empty_parts() -> None:
    """A part of nobody would still take a pixel."""
    assert stacked({"contact": 3, "control": 0}, "all").count("<span") == 1


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (tag("p", "a < b & c"), "<p>a &lt; b &amp; c</p>"),
        (tag("p", tag("b", "x"), [None, "y", 3]), "<p><b>x</b>y3</p>"),
        (tag("td", data_label='"quoted"', class_=None), '<td data-label="&quot;quoted&quot;"></td>'),
        (tag("br"), "<br>"),
        (tag("rect", x=1), '<rect x="1"/>'),
        (join(["<", Markup("<i>")]), "&lt;<i>"),
    ],
)
def test_markup_escapes_what_is_not_markup(markup: Markup, text: str) -> None:
    """The page is safe because no other way of writing HTML exists in it."""
    assert markup == text


def test_each_cell_knows_its_heading() -> None:
    """On a phone the heading stands beside the cell."""
    assert '<td data-label="a&quot;b"><div>1</div></td>' in table(('a"b',), [(1,)])
