"""The program: a task by its name, a file of predictions, RelBench's verdict."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pandas as pd
import pytest

from benchmarks.relbench import load_task
from benchmarks.relbench.__main__ import main
from tests.benchmarks.relbench.conftest import Database
from tests.end_to_end.command import Answer


def program(*arguments: str | Path) -> Answer:
    """Run it in this process, through its real entry."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), patch.object(sys, "argv", ["relbench", *map(str, arguments)]):
        code = main()
    return Answer(code, out.getvalue(), err.getvalue())


def done(*arguments: str | Path) -> Answer:
    """Run it where it must succeed."""
    answer = program(*arguments)
    assert answer.code == 0, answer.err
    return answer


def test_the_file_is_the_one_that_the_leaderboard_takes(database: Database, tmp_path: Path) -> None:
    """Written as RelBench's own writer would: a file with other columns or another order is refused there."""
    submit = pytest.importorskip("relbench.submit", reason="the package relbench is not installed")
    folder, path = database("shop"), tmp_path / "out" / "rel-hm__user-churn.csv"
    answer = done(folder, "user-churn", "--output", path).json
    _, task = load_task(str(folder), "user-churn")
    values = pd.read_csv(path)["churn"].to_numpy()
    theirs = submit.write_prediction_table(task, values, tmp_path / "theirs.csv")
    assert path.read_bytes() == theirs.read_bytes()
    assert answer["metrics"] == task.evaluate(values)
    assert answer["predictions"] == len(values)
    assert answer["counts_for_the_board"] is True
    assert answer["learnt_from"] == {"train": len(task.get_table("train"))}
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_people_read_the_verdict(database: Database, tmp_path: Path) -> None:
    """The metric, what was learnt from, and where the predictions are."""
    path = tmp_path / "predictions.parquet"
    out = done(database("shop"), "user-churn", "--split", "val", "--output", path).out
    _, task = load_task(str(database("shop")), "user-churn")
    truth = task.get_table("val")
    auc = task.evaluate(pd.read_parquet(path)["churn"].to_numpy(), truth)["roc_auc"]
    assert f"rel-hm user-churn, val: roc_auc {auc:.4f}" in out
    assert f"{len(truth):,} predictions are in {path}" in out


def test_predictions_that_saw_the_seed_time_say_that_they_do_not_count(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their file has a name that the leaderboard's grader does not look for, so nobody hands them in by mistake."""
    monkeypatch.chdir(tmp_path)
    answer = done(database("shop"), "user-churn", "--rows-at-seed")
    assert "This does not count for the public leaderboard: rows at the seed time were seen." in answer.out
    assert answer.json["counts_for_the_board"] is False
    assert [each.name for each in tmp_path.iterdir()] == ["rel-hm__user-churn.rows_at_seed.csv"]


def test_a_wish_that_cannot_be_is_refused_before_a_download(tmp_path: Path) -> None:
    """A database may have gigabytes."""
    for arguments, said in (
        (("rel-f1", "driver-dnf"), "Config error: Wanted a RelBench task about customers, found rel-f1 driver-dnf"),
        (("rel-hm", "user-churn", "--output", tmp_path / "p.xlsx"), "Config error: Wanted a file of predictions"),
    ):
        answer = program(*arguments)
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.startswith(said)


def test_a_file_that_cannot_be_written_is_named(database: Database, tmp_path: Path) -> None:
    """A file stands in the way of its folder."""
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "p.csv"
    answer = program(database("shop"), "user-churn", "--output", path)
    assert answer.code == 1
    assert "Storage error: Wanted to write " in answer.err
    assert f"predictions to {path}; the system answered: " in answer.err
