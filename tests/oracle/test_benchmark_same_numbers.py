"""The comparison of two states of the package: what it must catch, and what it must let pass."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.sameness import comparing, making
from benchmarks.sameness.comparing import Compared, compare

ROOT = Path(__file__).parents[2]
PROMISED = 1e-12
LIST = pd.DataFrame(
    {
        "rank": [1, 2, 3],
        "customer_id": ["C3", "C1", "C2"],
        "as_of": "2025-01-01",
        "p_churn": [0.75, 0.5, 0.25],
        "value": [100.0, float("nan"), 80.0],
        "reason_1": ["has 1 open ticket", "", "placed 0 orders in the last 30 days"],
        "list_id": "2025-01-01-7f353b7f0a59",
    }
)


def planted(column: str, value: object) -> Compared:
    """The list beside a copy with another value in one cell."""
    return compare(LIST, LIST.assign(**{column: [*LIST[column][:2], value]}))


def test_a_list_is_equal_to_itself_in_any_order_of_rows() -> None:
    """A false alarm would cost the trust in every other one."""
    found = compare(LIST, LIST.iloc[::-1].reset_index(drop=True))
    assert found.equal(0.0)
    assert (found.rows, found.numbers, found.texts, found.ignored) == (3, 12, 3, ["list_id"])


@pytest.mark.parametrize(
    ("column", "value", "distance"), [("p_churn", 0.25 + 2e-12, 2e-12), ("value", 81.0, 1.0), ("rank", 4, 1.0)]
)
def test_a_number_beyond_the_promise_is_caught_and_named(column: str, value: float, distance: float) -> None:
    """One cell among millions is enough to break the promise."""
    found = planted(column, value)
    assert not found.equal(PROMISED)
    assert found.where == column
    assert found.largest_difference == pytest.approx(distance, rel=1e-3)


def test_a_number_within_the_promise_passes() -> None:
    """A sum in another order is no other answer."""
    assert planted("p_churn", 0.25 + 5e-13).equal(PROMISED)


@pytest.mark.parametrize(
    ("column", "value"), [("reason_1", "placed no order in the last 30 days"), ("value", float("nan"))]
)
def test_another_sentence_and_a_number_that_got_lost_are_caught(column: str, value: object) -> None:
    """Neither has a distance, and both would reach a customer."""
    found = planted(column, value)
    assert not found.equal(PROMISED)
    assert found.unlike == {column: 1}


def test_a_customer_on_one_side_only_is_caught() -> None:
    """Equal scores of those who are left say nothing about who is missing."""
    found = compare(LIST, LIST.iloc[:2])
    assert not found.equal(PROMISED)
    assert (found.rows, found.lost_rows, found.new_rows) == (2, 1, 0)


def test_rows_that_share_a_customer_are_compared_in_their_order() -> None:
    """A table may come to have several rows of one customer; they must not be multiplied with each other."""
    twice = pd.concat([LIST, LIST.assign(p_churn=0.1)])
    assert compare(twice, twice.copy()).rows == 6
    assert compare(LIST, twice).new_rows == 3


def test_a_column_on_one_side_only_is_named_and_does_no_harm() -> None:
    """A state may add a column; who reads the report decides whether one may go."""
    found = compare(LIST, LIST.drop(columns="value").assign(family="tickets"))
    assert found.equal(0.0)
    assert (found.only_old, found.only_new) == (["value"], ["family"])


def test_an_instant_is_the_same_however_it_is_written() -> None:
    """A date and its midnight are one instant, and so are its microseconds."""
    whole = LIST.assign(as_of="2025-01-01T00:00:00+00:00", cutoff="2025-01-01")
    assert compare(LIST.assign(cutoff=1_735_689_600_000_000), whole).equal(0.0)
    assert compare(LIST, LIST.assign(as_of="2025-01-01T00:00:01Z")).largest_difference == 1e6


def test_numbers_of_what_a_command_tells_are_compared_and_identities_are_not(tmp_path: Path) -> None:
    """A training of its own has a run of its own; its metrics must be the same."""
    for name, auc in (("old", 0.75), ("new", 0.76)):
        told = {"metrics": {"auc": auc}, "run_id": name, "files": {"a": {"bytes": len(name) + auc}}, "counts": [1, 2]}
        (tmp_path / f"{name}.json").write_text(json.dumps(told))
    old, new = (comparing.read(tmp_path / f"{name}.json") for name in ("old", "new"))
    assert list(old["figure"]) == ["metrics.auc", "counts[0]", "counts[1]"]
    assert compare(old, new).largest_difference == pytest.approx(0.01)


def test_results_that_were_kept_are_compared_without_running(tmp_path: Path) -> None:
    """Whoever doubts a report can look again in seconds; the planted difference is in it and in the exit code."""
    for name in ("old", "same", "new"):
        folder = tmp_path / name / "retail"
        folder.mkdir(parents=True)
        LIST.assign(value=LIST["value"] + (1e-6 if name == "new" else 0)).to_parquet(folder / "customers.parquet")
        (folder / making.MADE).write_text(json.dumps({"identity": {}, "spent": {}}))
    codes, reports = zip(*(command(tmp_path / "old", tmp_path / other) for other in ("same", "new")), strict=True)
    assert codes == (0, 1)
    assert [report["equal"] for report in reports] == [True, False]
    assert reports[0]["largest_difference"] == 0.0
    assert reports[1]["largest_difference"] == pytest.approx(1e-6)
    assert reports[1]["runs"]["retail"]["tables"]["customers.parquet"]["where"] == "value"


def command(old: Path, new: Path) -> tuple[int, dict]:
    """Exit code and last line of the benchmark on two folders of results."""
    line = [sys.executable, "-m", "benchmarks.same_numbers", str(old), str(new), "--only", "retail"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


def test_the_published_list_is_found_whatever_its_folder_is_called(tmp_path: Path) -> None:
    """The folder may come to hold the full instant; what begins with a dot is not for readers."""
    version = tmp_path / ".versions" / "as_of=2025-01-01.369f"
    version.mkdir(parents=True)
    (version / "customers.parquet").touch()
    (tmp_path / "retention").mkdir()
    (tmp_path / "retention" / "as_of=2025-01-01T00:00:00Z").symlink_to(version)
    assert making.published(tmp_path) == tmp_path / "retention" / "as_of=2025-01-01T00:00:00Z"
