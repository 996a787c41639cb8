"""A run that is stopped goes on where it was; nothing of other data, settings or code, and nothing damaged, is used."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from holdfast.backtest import Backtest, BacktestFold, Baseline, Execution, FittedFold, backtest, fold_store
from holdfast.errors import ConfigError, LockedError, StorageError
from holdfast.files import locked
from holdfast.learning.training import fit
from holdfast.learning.training_spec import TrainingSpec
from holdfast.models import Bundle
from holdfast.timeline import Days
from tests.conftest import ROOT
from tests.unit.backtest.business import HOW, SPEC, TESTS, snapshots, told, training_spec
from tests.unit.backtest.kills import CUTOFFS, MANY
from tests.unit.learning.samples import CARD

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def business() -> pd.DataFrame:
    """Fifteen cutoffs of 300 customers."""
    return snapshots(cutoffs=CUTOFFS)


def run(
    table: pd.DataFrame, keep: Path | None, tests: list[int] = TESTS, *, spec: TrainingSpec = SPEC, **changes: Any
) -> Backtest:
    """A backtest that keeps its cutoffs."""
    return backtest(table, spec, tests, **{**HOW, **changes}, execution=Execution(keep=keep))


@pytest.fixture(scope="module")
def fresh(business: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Backtest]:
    """A folder with three finished cutoffs, and what was found."""
    folder = tmp_path_factory.mktemp("kept")
    return folder, run(business, folder)


def places(folder: Path) -> list[Path]:
    """The finished folds."""
    return sorted(path.parent for path in folder.glob("*/cutoff=*/done.json"))


def test_what_is_finished_is_taken_up_and_the_result_is_the_same_to_the_byte(
    business: pd.DataFrame, fresh: tuple[Path, Backtest]
) -> None:
    """And the second run says so."""
    folder, first = fresh
    again = run(business, folder)
    assert first.resumed == ()
    assert again.resumed == tuple(TESTS)
    assert told(again) == told(first) == told(run(business, None))
    assert "3 of 3 cutoffs were taken up from an earlier run" in again.table()
    assert "taken up" not in first.table()


def test_a_further_cutoff_costs_one_fit(business: pd.DataFrame, fresh: tuple[Path, Backtest], tmp_path: Path) -> None:
    """The others are there."""
    run(business, tmp_path, TESTS[:2])
    assert run(business, tmp_path).resumed == tuple(TESTS[:2])
    assert [path.name for path in places(tmp_path)] == [path.name for path in places(fresh[0])]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_run_loses_only_the_cutoffs_in_the_works(business: pd.DataFrame, jobs: int, tmp_path: Path) -> None:
    """A real process, killed without warning; its workers end with it."""
    command = [sys.executable, "-m", "tests.unit.backtest.kills", "run", str(tmp_path), str(jobs)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        wait_until(lambda: bool(places(tmp_path)) or process.poll() is not None)
        children = descendants(process.pid)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL, "it had finished before the kill"
    assert jobs == 1 or len(children) >= jobs or not Path("/proc").exists(), "there were workers to look for"
    wait_until(lambda: not any(alive(child) for child in children))
    finished = len(places(tmp_path))
    assert 1 <= finished < len(MANY)
    resumed = run(business, tmp_path, MANY)
    assert len(resumed.resumed) == finished
    assert told(resumed) == told(run(business, None, MANY))
    assert list(tmp_path.rglob(".holdfast-*")) == [], "what the killed run left is removed"


def test_control_c_ends_a_run_and_its_workers_without_their_traces(tmp_path: Path) -> None:
    """A terminal tells all processes at once; only the one that the user started may answer."""
    command = [sys.executable, "-m", "tests.unit.backtest.kills", "run", str(tmp_path), "2"]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_until(lambda: bool(places(tmp_path)) or process.poll() is not None)
    children = descendants(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert "Loky" not in said
    wait_until(lambda: not any(alive(child) for child in children))
    assert list(tmp_path.rglob(".holdfast-*")) == []


def test_a_kill_before_each_single_operation_leaves_a_whole_trial_or_none(tmp_path: Path) -> None:
    """Chance might miss the one moment that matters."""
    command = [sys.executable, "-m", "tests.unit.backtest.kills", "each", str(tmp_path / "kept")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(found) > 15
    assert [entry["killed"] for entry in found] == [True] * (len(found) - 1) + [False]
    whole = [entry["whole"] for entry in found]
    first = whole.index(True)
    assert set(whole[:first]) == {None}
    assert set(whole[first:]) == {True}
    assert not any(entry["there"] for entry in found[:first]), "a reader never sees half a fold"


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        (lambda t: t.assign(satisfaction_last=t["satisfaction_last"].where(t.index != 40, 1.5)), {}),
        (lambda t: t.iloc[:-1], {}),
        (lambda t: t, {"spec": training_spec(seed=1)}),
        (lambda t: t, {"spec": training_spec(card=replace(CARD, fingerprints={"configuration": "another"}))}),
        (lambda t: t, {"spec": training_spec(complete_after=Days(61))}),
        (lambda t: t, {"baselines": [Baseline("rate", ())]}),
    ],
    ids=["a value", "a row", "seed", "configuration", "horizon", "baselines"],
)
def test_nothing_of_other_data_or_settings_is_taken_up(
    business: pd.DataFrame, fresh: tuple[Path, Backtest], change: Any, settings: dict[str, Any]
) -> None:
    """A result that mixes two businesses would look like one."""
    folder, _ = fresh
    found = run(change(business), folder, TESTS[:1], **settings)
    assert found.resumed == ()
    assert told(found) == told(run(change(business), None, TESTS[:1], **settings))


@pytest.mark.parametrize("what", ["code", "library"])
def test_nothing_of_other_code_is_taken_up(
    business: pd.DataFrame, fresh: tuple[Path, Backtest], what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The package's own files and the libraries that fit."""
    if what == "code":
        monkeypatch.setattr(fold_store, "code_fingerprint", lambda: "another")
    else:
        monkeypatch.setattr(fold_store, "version", lambda name: f"another {name}")
    assert run(business, fresh[0], TESTS[:1]).resumed == ()


def damaged_predictions(place: Path) -> None:
    """One byte."""
    raw = bytearray((place / "predictions.parquet").read_bytes())
    raw[len(raw) // 2] ^= 1
    (place / "predictions.parquet").write_bytes(raw)


def damaged_bundle(place: Path) -> None:
    """A tree cut short."""
    tree = next((place / "bundle").glob("*.txt"))
    tree.write_text(tree.read_text()[:-100])


def other_trial(place: Path) -> None:
    """The files of another cutoff."""
    seal = json.loads((place / "done.json").read_text())
    seal["fold"]["cutoff"] = TESTS[1]
    (place / "done.json").write_text(json.dumps(seal))


@pytest.mark.parametrize(
    "damage",
    [
        damaged_predictions,
        damaged_bundle,
        other_trial,
        lambda place: (place / "done.json").unlink(),
        lambda place: (place / "done.json").write_text("{"),
        lambda place: (place / "bundle" / "bundle.json").unlink(),
    ],
    ids=["predictions", "bundle", "other fold", "no seal", "half a seal", "no bundle"],
)
def test_what_is_damaged_is_computed_again(
    business: pd.DataFrame, tmp_path: Path, fresh: tuple[Path, Backtest], damage: Callable[[Path], None]
) -> None:
    """A disk that lies must not decide a result; the repaired fold is kept."""
    first = run(business, tmp_path, TESTS[:2])
    damage(places(tmp_path)[0])
    again = run(business, tmp_path, TESTS[:2])
    assert again.resumed == (TESTS[1],)
    assert told(again) == told(first)
    assert run(business, tmp_path, TESTS[:2]).resumed == tuple(TESTS[:2])


def test_what_this_process_has_finished_is_not_fitted_again(business: pd.DataFrame, tmp_path: Path) -> None:
    """Training tests at the latest cutoff, and the backtest after it knows that already; later runs find it kept."""
    finished: dict[BacktestFold, FittedFold] = {}
    one = backtest(business, SPEC, TESTS[:1], **HOW, execution=Execution(finished=finished))
    assert list(finished) == [BacktestFold(TESTS[0])]
    two = backtest(business, SPEC, TESTS[:2], **HOW, execution=Execution(keep=tmp_path, finished=finished))
    assert two.bundles[TESTS[0]] is one.bundles[TESTS[0]]
    assert run(business, tmp_path, TESTS[:2]).resumed == tuple(TESTS[:2])


def test_two_runs_do_not_share_a_folder_at_once(business: pd.DataFrame, tmp_path: Path) -> None:
    """The second would remove what the first is making."""
    with locked(tmp_path / ".lock", "test"), pytest.raises(LockedError, match="another job holds"):
        run(business, tmp_path, TESTS[:1])


def test_what_is_kept_of_customers_is_for_its_owner_alone(business: pd.DataFrame, tmp_path: Path) -> None:
    """Predictions beside outcomes, customer by customer, on a machine that others use as well."""
    run(business, tmp_path / "kept", TESTS[:1])
    rights = {path: stat.S_IMODE(path.stat().st_mode) for path in places(tmp_path / "kept")[0].rglob("*")}
    assert {rights[path] for path in rights if path.is_file()} == {0o600}
    folders = {tmp_path / "kept", *places(tmp_path / "kept"), places(tmp_path / "kept")[0].parent}
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


def test_a_learner_of_ones_own_is_not_kept(business: pd.DataFrame, tmp_path: Path) -> None:
    """Nothing would tell that it has changed."""

    def learner(known: pd.DataFrame, spec: TrainingSpec, **more: Any) -> Bundle:
        return fit(known, spec, **more)

    with pytest.raises(ConfigError, match="a learner of your own"):
        run(business, tmp_path, TESTS[:1], learner=learner)


def test_a_folder_that_refuses_is_named(business: pd.DataFrame, tmp_path: Path) -> None:
    """One sentence instead of a traceback, before anything is fitted; and where the disk fails later, too."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"Wanted to keep finished fits in .*file"):
        run(business, tmp_path / "file")
    fitter = fold_store.FoldFitter.of(SPEC, (), fit)
    found = fitter.fit(business, BacktestFold(TESTS[0]))
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / ("f" * 16)).write_text("")
    with pytest.raises(StorageError, match="Wanted to keep finished fits"):
        fold_store.FoldStore(tmp_path / "kept", "f" * 64).put(BacktestFold(TESTS[0]), replace(found))


def wait_until(met: Callable[[], bool], seconds: float = 120) -> None:
    """Look every few milliseconds."""
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def descendants(process: int) -> list[int]:
    """Processes that it started, as far as the system tells."""
    try:
        children = [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:
        return []
    return children + [other for child in children for other in descendants(child)]


def alive(process: int) -> bool:
    """Neither gone nor waiting to be taken away."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False
