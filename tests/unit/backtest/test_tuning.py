"""Each test cutoff looks for parameters in what was known there; the command's minutes are divided among them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from holdfast.backtest import Backtest, Execution, backtest, learning_curves
from holdfast.learning import Tuning
from tests.unit.backtest.business import HOW, SPEC, TESTS, snapshots, told

SCORES = ("risk", "any_value", "amount")
SEARCH = Tuning(trials=3)


@pytest.fixture(scope="module")
def business() -> pd.DataFrame:
    """Nine cutoffs of 300 customers."""
    return snapshots(cutoffs=9)


def run(table: pd.DataFrame, tuning: Tuning | None, **how: Any) -> Backtest:
    """A backtest at three cutoffs."""
    return backtest(table, SPEC.tuned_by(tuning), TESTS, **HOW, execution=Execution(**how))


@pytest.fixture(scope="module")
def tuned(business: pd.DataFrame) -> Backtest:
    """With a search at each cutoff."""
    return run(business, SEARCH)


def test_each_cutoff_tells_what_its_search_found(business: pd.DataFrame, tuned: Backtest) -> None:
    """The first has a single earlier cutoff whose outcome was known, which cannot both choose and judge."""
    records = [tuned.bundles[at].card.training.tuning for at in TESTS]
    assert [list(record) for record in records] == [list(SCORES)] * 3
    assert list(records[0].values()) == [None] * 3
    assert [record["trials"] for record in records[2].values()] == [3, 3, 3]
    assert tuned.to_dict()["cutoffs"][0]["card"]["training"]["tuning"].keys() == set(SCORES)
    assert run(business, None).bundles[TESTS[0]].card.training.tuning is None


def test_workers_and_a_folder_change_nothing(business: pd.DataFrame, tuned: Backtest, tmp_path: Path) -> None:
    """Trials are kept beside the fits, and a longer search starts from them though the fits are made anew."""
    assert told(run(business, SEARCH, keep=tmp_path, jobs=2)) == told(tuned)
    again = run(business, SEARCH, keep=tmp_path)
    assert again.resumed == tuple(TESTS)
    journals = sorted((tmp_path / "tuning").glob("*.jsonl"))
    assert [path.read_bytes().count(b'"losses"') for path in journals] == [3] * 6
    before = {path: path.read_bytes() for path in journals}
    longer = run(business, Tuning(trials=4), keep=tmp_path)
    assert longer.resumed == ()
    assert sorted((tmp_path / "tuning").glob("*.jsonl")) == journals
    assert all(path.read_bytes().startswith(content) for path, content in before.items())


def test_minutes_are_for_all_cutoffs_together(business: pd.DataFrame, tmp_path: Path) -> None:
    """Whoever plans a night wants to know when it ends."""
    begun = time.monotonic()
    run(business, None)
    plain = time.monotonic() - begun
    begun = time.monotonic()
    run(business, Tuning(minutes=3 / 60, folder=tmp_path))
    assert time.monotonic() - begun < 3 + 4 * plain  # the winner is fitted once more
    for path in tmp_path.glob("*.jsonl"):
        spent = [json.loads(line) for line in path.read_bytes().splitlines()[1:]]
        seconds = sum(record["user_attrs"]["seconds"] for record in spent)
        assert 1 / 3 <= seconds < 1 / 3 + plain, "one of three scores of one of three cutoffs"


def test_learning_curves_are_tuned_as_well(business: pd.DataFrame) -> None:
    """Their largest size is the backtest's own model, and shares its fits."""
    finished: dict[Any, Any] = {}
    execution = Execution(finished=finished)
    backtest(business, SPEC.tuned_by(SEARCH), TESTS[2:], **HOW, execution=execution)
    found = learning_curves(business, SPEC.tuned_by(SEARCH), TESTS[2:], **HOW, execution=execution)
    assert found.fits == len(finished) > 1
    assert all(fold.bundle.card.training.tuning.keys() == set(SCORES) for fold in finished.values())
