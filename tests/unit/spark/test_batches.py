"""What a task does on a machine that it shares with other tasks."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COUNT_THREADS = """
import os
import lightgbm, numpy as np, pyarrow as pa
from holdfast.models.additive import Trees
from holdfast.spark.batches import Named

X = np.random.default_rng(0).normal(size=(5_000, 3))
settings = {"objective": "binary", "num_threads": 1, "verbose": -1}
booster = lightgbm.train(settings, lightgbm.Dataset(X, (X[:, 0] > 0).astype(float)), num_boost_round=5)
trees = Trees(booster.model_to_string(), np.full(3, np.nan))

def threads():
    return len(os.listdir("/proc/self/task"))

def task(batches):
    before = threads()
    for batch in batches:
        trees.score(X), trees.contributions(X)
        yield threads() - before

batch = pa.RecordBatch.from_arrays([pa.array([1.0])], ["0"])
print(*Named(("a",), task)(iter([batch])))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux tells a process its threads")
@pytest.mark.parametrize(("cores_of_task", "more_threads"), [(None, 0), ("1", 0), ("4", 1)])
def test_a_model_in_a_task_keeps_to_the_cores_of_the_task(cores_of_task: str | None, more_threads: int) -> None:
    """Spark runs as many tasks as there are cores; a second thread in each of them makes every task slower."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    environment |= {} if cores_of_task is None else {"OMP_NUM_THREADS": cores_of_task}
    told = subprocess.run(
        [sys.executable, "-c", COUNT_THREADS], env=environment, capture_output=True, text=True, check=True
    )
    assert int(told.stdout) == more_threads
