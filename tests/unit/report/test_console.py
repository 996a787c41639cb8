"""What people and programs see of a result."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from holdfast.audit import Audit, Finding
from holdfast.backtest import Backtest, LearningCurves
from holdfast.dataset import Built, Checked
from holdfast.features.catalogue import EVERYTHING, catalogue
from holdfast.metrics import Interval
from holdfast.report import console
from holdfast.report.results import Evaluated, Published, Runs, Trained
from holdfast.sources.report import SourceReport, SourcesReport
from holdfast.timeline import instant
from holdfast.tracking import Promotion, RunRecord
from tests.unit.backtest.test_learning_curve import curve
from tests.unit.outreach.scored import selected

STRANGE = Path("/data/[bold]shop[/bold]")
"""A folder as people name them; square brackets must reach the terminal as they are."""

FIRST, LAST = instant("2023-01-01"), instant("2024-06-30")
ORDERS = SourceReport("orders", 100, 96, {"missing customer id": 3, "unknown kind [x]": 1}, first=FIRST, last=LAST)
SURVEYS = SourceReport("surveys", 10, 10)
CHECKED = Checked(SourcesReport((ORDERS, SURVEYS)), 0.05, "2023-01-01", "2024-06-30", 42, (), None, None)
TRAINED = Trained(
    name="shop",
    version="3",
    run_id="r",
    fresh=True,
    snapshots=1234,
    features=70,
    cutoffs=9,
    metrics={"auc": 0.75, "log_loss": 0.5, "unknown": 1.0},
    tested_at="2024-03-01",
    tracking=f"sqlite:///{STRANGE}/mlflow.db",
    choice={"chosen": "ridge", "log_loss": {"ridge": 0.51, "ridge and trees": 0.52}, "calibration": "identity"},
)
SAMPLE = {"kept": 1234, "of": 9876, "share_of_churned": 0.5, "share_of_stayed": 0.06}
SELECTION = selected()
PUBLISHED = Published(
    folder=STRANGE / "as_of=2025-01-01",
    list_id=SELECTION.list_id,
    as_of="2025-01-01",
    model_version="3",
    counts=SELECTION.counts,
    expected_loss=1000.0,
    expected_loss_on_list=250.0,
    currency="EUR",
    rules_not_applied=("no_consent",),
    first=SELECTION.at_risk.head(2),
)
RECORD = RunRecord("r", "3", ("champion",), datetime(2025, 1, 2, 3, 4, tzinfo=UTC), "finished", {"auc": 0.75}, {})
RUNS = Runs("shop", (RECORD, replace(RECORD, version=None, aliases=(), status="failed", metrics={})))
BUILT = Built(STRANGE / "snapshots.parquet", 1234, 70, ["2024-01-01", "2024-02-01"])
PROMOTION = Promotion("shop", "3", "2", moved=False, reason="it is worse: AUC -0.02 [red][-0.03, -0.01]")


def said(result: Any, capsys: pytest.CaptureFixture[str]) -> str:
    """What a person sees."""
    console.show(result, as_json=False)
    return capsys.readouterr().out


def test_a_check_shows_rows_reasons_and_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    """The first thing that people read about their own tables."""
    text = said(CHECKED, capsys)
    assert "missing customer id 3, unknown kind [x] 1" in text
    assert "4.00%" in text
    assert "42 customers, 2023-01-01 to 2024-06-30" in text
    assert "good: at most 4.00% of a source is rejected, 5.00% is allowed" in text
    assert "stop: 4.00% of a source is rejected, 1.00% is allowed" in said(replace(CHECKED, most_rejected=0.01), capsys)


def test_a_check_tells_of_undated_attributes_rejects_and_the_audit(capsys: pytest.CaptureFixture[str]) -> None:
    """What would stop a training is told before it."""
    finding, allowed = Finding("alone", "mood", "AUC 0.99 [alone]"), Finding("alone", "tier", "AUC 0.97")
    audit = Audit({"rebuilt cells": 1200}, (finding,), (allowed,))
    text = said(replace(CHECKED, undated=("mood",), rejects=STRANGE / "rejects.parquet", audit=audit), capsys)
    assert "attributes without a known time stop training: mood" in text
    assert str(STRANGE / "rejects.parquet") in text
    assert "audit: 1,200 rebuilt cells" in text
    assert "found mood: AUC 0.99 [alone]" in text
    assert "allowed tier: AUC 0.97" in text
    assert "nothing knows the future" in said(Audit({"rebuilt cells": 1}, ()), capsys)


@pytest.mark.parametrize(
    ("result", "parts"),
    [
        (
            TRAINED,
            [
                "registered shop version 3",
                "1,234 snapshots",
                "risk by ridge: log loss 0.5100 at the latest cutoff that could judge (ridge and trees 0.5200)",
                "auc 0.750, log_loss 0.500",
                TRAINED.tracking,
            ],
        ),
        (
            replace(TRAINED, sample=SAMPLE),
            ["learnt from a sample of 1,234 of 9,876 snapshots (50.0% of those who churned"],
        ),
        (replace(TRAINED, fresh=False), ["unchanged: data, configuration and code are those of shop version 3"]),
        (BUILT, ["1,234 snapshots of 70 features at 2 cutoffs", "2024-01-01 to 2024-02-01", str(BUILT.path)]),
        (PROMOTION, ["not promoted: shop version 3", PROMOTION.reason, "Champion is version 2."]),
        (replace(PROMOTION, champion=None), ["Champion is nobody."]),
        (replace(PROMOTION, moved=True, champion="3"), ["promoted: ", "Champion is version 3."]),
        (RUNS, ["champion", "2025-01-02 03:04+00:00", "auc 0.750", "failed"]),
        (Runs("shop", ()), ["No model of 'shop' has been trained yet."]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_result_is_told_in_full(result: Any, parts: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Names, counts and places reach the reader as they are, also with brackets in them."""
    text = said(result, capsys)
    for part in parts:
        assert part in text


def test_a_published_list_shows_groups_money_and_first_customers(capsys: pytest.CaptureFixture[str]) -> None:
    """The line that a person copies to open the page must not be broken in two."""
    text = said(PUBLISHED, capsys)
    counts = SELECTION.counts
    assert f"scored {counts['scored']} customers as of 2025-01-01 with version 3" in text
    assert " + ".join(f"{counts[g]} {g.replace('_', ' ')}" for g in counts if g != "scored") in text
    assert "expected loss 1,000 EUR, of which 250 EUR (25%) is on the list" in text
    assert "not applied rule no_consent: the sources do not tell who agreed to be contacted" in text
    for row in PUBLISHED.first.itertuples():
        assert f"{row.rank}. {row.customer_id}" in text
        assert str(row.reason_1) in text
    assert f"report  {PUBLISHED.folder}/report.html\n" in text
    far = replace(PUBLISHED, folder=Path("/" + "/".join(["a long name"] * 30)))
    assert f"list    {far.folder}\n" in said(far, capsys)


def test_an_id_is_shown_as_it_is_and_begins_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    """An id in an export may hold what looks like a customer of ours, a colour or a face."""
    strange = "7\n2. K-8  risk 99%\n[red]:smile:[/]"
    lines = said(replace(PUBLISHED, first=PUBLISHED.first.assign(customer_id=strange)), capsys).splitlines()
    shown = [line for line in lines if "K-8" in line]
    assert len(shown) == len(PUBLISHED.first)
    assert shown[0].startswith(r"1. 7\n2. K-8  risk 99%\n[red]:smile:[/]  risk ")


def test_a_list_without_any_loss_divides_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """A business of no value is a strange one, and no reason to fail."""
    empty = pd.DataFrame(columns=PUBLISHED.first.columns)
    text = said(replace(PUBLISHED, expected_loss=0.0, expected_loss_on_list=0.0, first=empty, currency=None), capsys)
    assert "(0%) is on the list" in text


@pytest.mark.parametrize("result", [CHECKED, TRAINED, BUILT, PUBLISHED, RUNS], ids=lambda value: type(value).__name__)
def test_programs_get_one_line_of_json(result: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The last line of output is one object."""
    console.show(result, as_json=True)
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert json.loads(out) == json.loads(json.dumps(result.to_dict()))


def test_the_catalogue_is_shown_to_people_and_programs(capsys: pytest.CaptureFixture[str]) -> None:
    """Unit, window and meaning of every feature."""
    features = catalogue(EVERYTHING)
    console.features(features, as_json=False)
    text = capsys.readouterr().out
    assert f"{len(features)} features" in text
    assert "spent … in the last 90 days" in text
    assert "lifetime" in text
    console.features(features, as_json=True)
    assert [feature["name"] for feature in json.loads(capsys.readouterr().out)] == [each.name for each in features]


def test_plain_text_can_be_kept_and_shown_again(capsys: pytest.CaptureFixture[str]) -> None:
    """The demo keeps the backtest's table as text."""
    kept = console.text("[bold]0.75[/] pooled")
    assert kept == "0.75 pooled"
    console.line(kept)
    assert capsys.readouterr().out == "0.75 pooled\n"


def test_what_has_no_printed_form_is_a_mistake_of_ours() -> None:
    """A new command must say how its result looks."""
    with pytest.raises(TypeError, match="int has no printed form"):
        console.show(3, as_json=False)


def test_curves_follow_the_backtest_where_they_were_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """One command, one answer; brackets in it reach the reader."""
    learnt = LearningCurves((0,), curve("cutoffs", [1, 2], 0.004, 0.002, 0.006), curve("customers", [1], 0, 0, 0), 2, 2)
    nothing = pd.DataFrame({"cutoff": [], "churned": []})
    backtest = Backtest(nothing, ("model",), {"pooled": {"model": {"auc": Interval(0.75, 0.7, 0.8)}}}, {}, {}, 60)
    text = said(Evaluated(backtest, learnt), capsys)
    assert text.index("0.750") < text.index("Twice the cutoffs (2 instead of 1) brought 0.0040 of log loss")
    assert "Twice" not in said(Evaluated(backtest), capsys)
    assert set(Evaluated(backtest, learnt).to_dict()) - set(backtest.to_dict()) == {"learning_curves"}
