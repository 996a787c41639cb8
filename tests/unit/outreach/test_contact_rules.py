"""A contact rule is one record: with it alone, a list is selected, explained and published."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from holdfast.errors import DataError
from holdfast.files import versioned_folder
from holdfast.outreach import RULES, OutreachSettings, Rule, not_applied, publish, select, state_columns
from holdfast.outreach.contact_rules import says
from holdfast.outreach.state import state, tellers
from holdfast.report.page import list_page
from tests.unit.outreach.published import read_manifest
from tests.unit.outreach.scored import AS_OF, SPECS, outreach_settings, scored_customers


def _returns(customers: pd.DataFrame, _: OutreachSettings) -> np.ndarray:
    return customers["refunds_90d"].to_numpy(dtype=np.float64) >= 2


RULE = Rule(
    "sends_back",
    meaning="has just sent things back",
    remedy="wait for the refunds to be paid",
    excludes=_returns,
    detail=says("sent things back more than once in 90 days"),
    needs=("refunds_90d",),
    not_applied="the sources do not tell who sent things back",
)


@pytest.fixture
def _new_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the record would do in the table of rules."""
    monkeypatch.setitem(RULES, RULE.name, RULE)


def page(scored: pd.DataFrame, folder: Path) -> tuple[str, dict[str, object], pd.DataFrame]:
    """The page, the manifest and the excluded customers of a list that was published."""
    settings = outreach_settings()
    selection = select(scored, settings, AS_OF, model_version="1")
    html = list_page(selection, settings, title="demo", model="demo version 1", currency="EUR", features=SPECS)
    with versioned_folder(folder) as output:
        published = publish(selection, output, report_html=html, manifest={})
    return html, read_manifest(published), pd.read_parquet(published / "excluded.parquet")


@pytest.mark.usefixtures("_new_rule")
def test_a_new_rule_excludes_and_is_told_on_every_page(tmp_path: Path) -> None:
    """Whoever adds a rule should not have to look for the places that must hear of it."""
    scored = scored_customers()
    html, manifest, excluded = page(scored.assign(refunds_90d=np.arange(len(scored)) % 4.0), tmp_path)
    rows = excluded[excluded["rule"] == "sends_back"]
    assert set(rows["detail"]) == {"sent things back more than once in 90 days"}
    assert manifest["excluded_by_rule"]["sends_back"] == len(rows) > 50  # type: ignore[index]
    assert "sends back" in html
    assert "has just sent things back" in html


@pytest.mark.usefixtures("_new_rule")
def test_a_new_rule_that_excludes_everybody_says_what_to_do() -> None:
    """The night on which nobody may be contacted is the one on which the message must be right."""
    scored = scored_customers().assign(refunds_90d=2.0, consent=1.0, days_since_contact=np.nan, tickets_open=0.0)
    with pytest.raises(DataError, match=r"sends_back 200.* for sends_back, wait for the refunds to be paid"):
        select(scored, outreach_settings(), AS_OF, model_version="1")


@pytest.mark.usefixtures("_new_rule")
def test_a_new_rule_without_its_source_is_passed_over_in_words(tmp_path: Path) -> None:
    """A list that ignored a rule in silence would look like one that respected it."""
    html, manifest, excluded = page(scored_customers(), tmp_path)
    assert "sends back: the sources do not tell who sent things back" in html
    assert json.loads(json.dumps(manifest["rules_not_applied"])) == [{"rule": "sends_back", "missing": ["refunds_90d"]}]
    assert "sends_back" not in set(excluded["rule"])


@pytest.mark.usefixtures("_new_rule")
def test_what_a_new_rule_needs_is_built_and_carried_along() -> None:
    """A rule may read any feature of the catalogue; scoring builds it even if no model asks for it."""
    assert "refunds_90d" in tellers()
    assert state_columns(["refunds_90d", "orders_90d"]) == ["refunds_90d"]
    assert list(state(pd.DataFrame({"refunds_90d": [1.0], "orders_90d": [2.0]}))) == ["refunds_90d"]
    assert [entry["rule"] for entry in not_applied(["refunds_90d"])] == ["no_consent", "quiet_period", "open_complaint"]


@pytest.mark.parametrize("name", list(RULES))
def test_every_rule_has_its_remedy_where_it_excludes_everybody(name: str) -> None:
    """A rule without a remedy would end the night with a KeyError instead of a sentence."""
    everybody = {
        "no_consent": {"consent": 0.0},
        "quiet_period": {"days_since_contact": 1.0},
        "open_complaint": {"tickets_open": 1.0},
        "leave_alone": {},
        "nothing_to_lose": {"value": 0.0, "value_low": 0.0, "value_high": 0.0, "expected_loss": 0.0},
    }[name]
    quiet = {"consent": 1.0, "days_since_contact": 99.0, "tickets_open": 0.0}
    scored = scored_customers(20).assign(**(quiet | everybody))
    changes = {
        "open_complaint": {"actions": {"win_back": {"channel": "letter", "contact_cost": 2.0, "save_rate": 0.04}}},
        "leave_alone": {"playbook": ({"action": "leave_alone"},)},
    }.get(name, {})
    with pytest.raises(DataError) as caught:
        select(scored, outreach_settings(**changes), AS_OF, model_version="1")
    assert f"{name} 20. What to do: for {name}, {RULES[name].remedy}. No list was published." in str(caught.value)
