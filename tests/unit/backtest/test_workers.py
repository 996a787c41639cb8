"""Worker processes: the same result to the byte, one copy of the table, cores shared out, nothing left behind."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from holdfast.backtest import Execution, backtest, shared_snapshots, workers
from holdfast.backtest.fold_fitter import BacktestFold, FoldFitter
from holdfast.errors import ConfigError, DataError, HoldfastError
from holdfast.learning.training import fit
from holdfast.learning.training_spec import TrainingSpec
from holdfast.models import Bundle
from holdfast.progress import Advance
from tests.unit.backtest.business import HOW, SPEC, TESTS, snapshots, told

pytestmark = pytest.mark.slow

TWO = Execution(jobs=2)


@pytest.fixture(scope="module")
def business() -> pd.DataFrame:
    """Nine cutoffs of 300 customers, in an order of rows that no slice can take."""
    return snapshots(cutoffs=9).sample(frac=1, random_state=3)


def test_workers_give_the_same_bytes_as_one_after_the_other(business: pd.DataFrame) -> None:
    """A result that depended on the number of cores could not be repeated on another machine."""
    one, two = (backtest(business, SPEC, TESTS, **HOW, execution=Execution(jobs=jobs)) for jobs in (1, 2))
    assert told(one) == told(two)


def test_progress_shows_cutoffs_done(business: pd.DataFrame) -> None:
    """Whoever waits wants to know how long."""
    seen: list[tuple[str, int | None, int]] = []

    @contextmanager
    def progress(label: str, total: int | None = None) -> Iterator[Advance]:
        yield lambda done: seen.append((label, total, done))

    backtest(business, SPEC, TESTS[:2], **HOW, execution=TWO, progress=progress)
    assert [entry for entry in seen if entry[2]][:2] == [("Backtest", 2, 1)] * 2


def test_a_learner_of_ones_own_works_in_workers_and_with_its_share_of_the_threads(business: pd.DataFrame) -> None:
    """Two workers with all cores each would wait for each other."""

    def learner(known: pd.DataFrame, spec: TrainingSpec, **more: Any) -> Bundle:
        seen = {name: os.environ[name] for name in ("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "OPENBLAS_NUM_THREADS")}
        card = replace(spec.card, own_features={**seen, "process": str(os.getpid())})
        return fit(known, replace(spec, card=card), **more)

    found = backtest(business, SPEC, TESTS[:2], **HOW, learner=learner, execution=TWO)
    each = str(max(1, workers.cores() // 2))
    for bundle in found.bundles.values():
        assert bundle.card.own_features["OMP_NUM_THREADS"] == each
        assert bundle.card.own_features["OMP_THREAD_LIMIT"] == each
        assert bundle.card.own_features["OPENBLAS_NUM_THREADS"] == each
        assert bundle.card.own_features["process"] != str(os.getpid())


def test_an_error_in_a_worker_is_the_callers(business: pd.DataFrame) -> None:
    """The message reaches the user as if there were no processes."""

    def learner(known: pd.DataFrame, spec: TrainingSpec, **more: Any) -> Bundle:
        raise DataError("Wanted better weather.")

    with pytest.raises(DataError, match="better weather"):
        backtest(business, SPEC, TESTS, **HOW, learner=learner, execution=TWO)


def test_a_worker_that_is_killed_is_named_with_what_to_do(business: pd.DataFrame) -> None:
    """The system kills without a word where memory runs out; a trace of a broken pool helps nobody."""

    def learner(known: pd.DataFrame, spec: TrainingSpec, **more: Any) -> Bundle:
        os.kill(os.getpid(), 9)
        raise AssertionError

    with pytest.raises(HoldfastError, match=r"stopped from outside; .* memory runs out\. Use fewer jobs"):
        backtest(business, SPEC, TESTS, **HOW, learner=learner, execution=TWO)


def test_workers_run_this_code_though_a_loaded_model_brought_its_own(
    business: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow puts the code within a model before everything else."""
    (tmp_path / "holdfast").mkdir()
    (tmp_path / "holdfast" / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    before = list(sys.path)
    assert told(backtest(business, SPEC, TESTS, execution=TWO, **HOW))
    assert sys.path == before


def test_what_cannot_be_tested_is_said_before_anything_is_fitted(business: pd.DataFrame) -> None:
    """An hour of fits, and then a wrong date: no."""

    def learner(known: pd.DataFrame, spec: TrainingSpec, **more: Any) -> Bundle:
        raise AssertionError("fitted")

    late = business["cutoff"].max() + 1
    with pytest.raises(DataError, match="No snapshot stands"):
        backtest(business, SPEC, [*TESTS, late], **HOW, learner=learner)


def test_the_mapped_table_is_the_table_and_is_not_copied(business: pd.DataFrame, tmp_path: Path) -> None:
    """As many copies as workers would not fit into memory."""
    frame = business.reset_index(drop=True).assign(flag=True, kind=business["channel"].astype("category").to_numpy())
    found = shared_snapshots.mapped(shared_snapshots.write(frame, tmp_path / "table.arrow"))
    pd.testing.assert_frame_equal(found, frame, check_exact=True)
    assert shared_snapshots.digest(found) == shared_snapshots.digest(frame)
    if not Path("/proc/self/maps").exists():
        pytest.skip("only Linux tells which files a process has mapped")
    numbers = [found[name].to_numpy() for name in ("spend_365d", "satisfaction_last", "cutoff")]
    places = [numbers[i].__array_interface__["data"][0] for i in range(3)]
    ranges = [line.split() for line in Path("/proc/self/maps").read_text().splitlines() if "table.arrow" in line]
    bounds = [tuple(int(end, 16) for end in line[0].split("-")) for line in ranges]
    assert all(any(low <= place < high for low, high in bounds) for place in places)


def test_a_digest_sees_every_change(business: pd.DataFrame) -> None:
    """A name, a type, one value, one text, or the order of rows."""
    changed = business.copy()
    changed.iloc[7, changed.columns.get_loc("satisfaction_last")] = 2.5
    renamed = business.assign(channel=business["channel"].where(business.index != 5, "shop "))
    others = [
        changed,
        renamed,
        business.iloc[::-1],
        business.rename(columns={"treated": "treated_"}),
        business.astype({"treated": "int32"}),
    ]
    digests = {shared_snapshots.digest(each) for each in [business, *others]}
    assert len(digests) == 6
    assert shared_snapshots.digest(business.copy()) == shared_snapshots.digest(business)


@pytest.mark.parametrize(
    ("jobs", "folds", "cells", "wanted"),
    [
        (1, 9, 10**9, 1),
        (3, 9, 10, 3),
        (8, 2, 10, 2),
        (None, 9, 1_000, 1),
        (None, 1, 10**7, 1),
        (None, 9, 10**12, 1),
        (None, 100, 10**6, workers.cores()),
    ],
    ids=["one asked for", "more asked for", "fewer folds", "small table", "one fold", "too little memory", "cores"],
)
def test_there_are_as_many_workers_as_pay_off(jobs: int | None, folds: int, cells: int, wanted: int) -> None:
    """On one core, for little work, or where memory would run out, there is no pool at all."""
    assert workers.how_many(jobs, folds, cells) == wanted


def test_no_jobs_at_all_is_a_mistake() -> None:
    """Said in the user's words."""
    with pytest.raises(ConfigError, match="at least one job, found 0"):
        workers.how_many(0, 3, 10)


def test_a_share_of_the_customers_is_part_of_every_larger_share(business: pd.DataFrame) -> None:
    """Otherwise one step of a learning curve would compare two draws instead of two sizes."""
    fitter = FoldFitter.of(SPEC, (), fit)
    table_of_many = snapshots(customers=1_700, cutoffs=3)
    at = table_of_many["cutoff"].max()
    shares = {
        share: fitter.training_rows(table_of_many, BacktestFold(at, share=share)) for share in (0.125, 0.25, 0.5, 1.0)
    }
    who = [set(known["customer_id"]) for known in shares.values()]
    assert who[0] < who[1] < who[2] < who[3]
    for share, known in shares.items():
        assert known["customer_id"].nunique() == pytest.approx(1_700 * share, rel=0.2)
        assert (known.groupby("customer_id").size() == known["cutoff"].nunique()).all()


def test_slices_are_the_latest_that_were_known(business: pd.DataFrame) -> None:
    """As if the history began later."""
    fitter = FoldFitter.of(SPEC, (), fit)
    whole = fitter.training_rows(business, BacktestFold(TESTS[-1]))
    at = sorted(set(whole["cutoff"]))
    assert sorted(set(fitter.training_rows(business, BacktestFold(TESTS[-1], slices=2))["cutoff"])) == at[-2:]
    assert fitter.training_rows(business, BacktestFold(TESTS[-1], slices=len(at))).equals(whole)
