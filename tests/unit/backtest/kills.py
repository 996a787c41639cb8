"""Runs a backtest that keeps its cutoffs, to be killed; or kills itself before each single operation of keeping one.

Usage: ``python -m tests.unit.backtest.kills run FOLDER JOBS`` runs and is killed from outside;
``python -m tests.unit.backtest.kills each FOLDER`` keeps one fold in child processes and prints one JSON object per
kill: what a reader finds afterwards.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from pathlib import Path

from holdfast.backtest import BacktestFold, Execution, backtest
from holdfast.backtest.fold_fitter import FittedFold, FoldFitter
from holdfast.backtest.fold_store import FoldStore
from holdfast.learning.training import fit
from tests.unit.backtest.business import HOW, MONTH, SPEC, TESTS, snapshots

MANY = [TESTS[0] + k * MONTH for k in range(11)]
CUTOFFS = 15
FOLD = BacktestFold(TESTS[0])
OPERATIONS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.scandir", "shutil.rmtree"}


def run(folder: Path, jobs: int) -> None:
    """A backtest at eleven cutoffs, which lasts long enough to be stopped on the way."""
    backtest(snapshots(cutoffs=CUTOFFS), SPEC, MANY, **HOW, execution=Execution(jobs, folder))


def fitted() -> FittedFold:
    """One finished fold."""
    return FoldFitter.of(SPEC, (), fit).fit(snapshots(cutoffs=CUTOFFS), FOLD)


def killed_at(kept: FoldStore, found: FittedFold, operation: int) -> None:
    """Keep it, and die before the n-th operation on the file system."""
    seen = 0

    def count(event: str, _: object) -> None:
        nonlocal seen
        if event in OPERATIONS:
            if seen == operation:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1

    sys.addaudithook(count)
    kept.put(FOLD, found)


def each(folder: Path) -> None:
    """Before each operation in turn."""
    found = fitted()
    for operation in range(1000):
        shutil.rmtree(folder, ignore_errors=True)
        kept = FoldStore(folder, "f" * 64)
        sys.stdout.flush()
        process = os.fork()
        if process == 0:
            try:
                killed_at(kept, found, operation)
            finally:
                os._exit(0)
        died = os.WIFSIGNALED(os.waitpid(process, 0)[1])
        taken = kept.take(FOLD)
        whole = None if taken is None else taken.predictions.equals(found.predictions)
        there = kept._place(FOLD).exists()
        sys.stdout.write(json.dumps({"killed": died, "whole": whole, "there": there}) + "\n")
        if not died:
            return


if __name__ == "__main__":
    if sys.argv[1] == "run":
        run(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        each(Path(sys.argv[2]))
