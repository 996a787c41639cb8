"""The command: a task by its name, a file of predictions, RelBench's verdict."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from holdfast.relbench import load_task
from tests.end_to_end.command import done, holdfast
from tests.unit.relbench.conftest import Database


def test_the_file_is_the_one_that_the_leaderboard_takes(database: Database, tmp_path: Path) -> None:
    """Written as RelBench's own writer would: a file with other columns or another order is refused there."""
    submit = pytest.importorskip("relbench.submit", reason="the extra 'relbench' is not installed")
    folder, path = database("shop"), tmp_path / "out" / "rel-hm__user-churn.csv"
    answer = done("relbench", folder, "user-churn", "--output", path, "--json").json
    _, task = load_task(str(folder), "user-churn")
    values = pd.read_csv(path)["churn"].to_numpy()
    theirs = submit.write_prediction_table(task, values, tmp_path / "theirs.csv")
    assert path.read_bytes() == theirs.read_bytes()
    assert answer["metrics"] == task.evaluate(values)
    assert answer["predictions"] == len(values)
    assert answer["learnt_from"] == {"train": len(task.get_table("train"))}
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_people_read_the_verdict(database: Database, tmp_path: Path) -> None:
    """The metric, what was learnt from, and where the predictions are."""
    path = tmp_path / "predictions.parquet"
    out = done("relbench", database("shop"), "user-churn", "--split", "val", "--output", path).out
    _, task = load_task(str(database("shop")), "user-churn")
    truth = task.get_table("val")
    auc = task.evaluate(pd.read_parquet(path)["churn"].to_numpy(), truth)["roc_auc"]
    assert f"rel-hm user-churn, val: roc_auc {auc:.4f}" in out
    assert f"{len(truth):,} predictions are in {path}" in out


def test_a_wish_that_cannot_be_is_refused_before_a_download(tmp_path: Path) -> None:
    """A database may have gigabytes."""
    for arguments, said in (
        (("rel-f1", "driver-dnf"), "Config error: Wanted a RelBench task about customers, found rel-f1 driver-dnf"),
        (("rel-hm", "user-churn", "--output", tmp_path / "p.xlsx"), "Config error: Wanted a file of predictions"),
    ):
        answer = holdfast("relbench", *arguments)
        assert (answer.code, answer.out) == (2, "")
        assert answer.err.startswith(said)


def test_a_file_that_cannot_be_written_is_named(database: Database, tmp_path: Path) -> None:
    """A file stands in the way of its folder."""
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "p.csv"
    answer = holdfast("relbench", database("shop"), "user-churn", "--output", path)
    assert answer.code == 1
    assert "Storage error: Wanted to write " in answer.err
    assert f"predictions to {path}; the system answered: " in answer.err
