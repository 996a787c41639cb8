"""One task from its name to a file of predictions: what the program does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from benchmarks.relbench.package import load_task
from benchmarks.relbench.prediction import MOST_ROWS, predict
from benchmarks.relbench.tasks import declared
from holdfast.errors import ConfigError, StorageError
from holdfast.progress import SILENT, Progress

_SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True)
class TaskResult:
    """A task's predictions in a file, and how good RelBench finds them."""

    dataset: str
    task: str
    split: str
    path: Path
    predictions: int
    features: int
    learnt_from: Mapping[str, int]
    metrics: Mapping[str, float]
    counts_for_the_board: bool

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            **vars(self),
            "path": str(self.path),
            "learnt_from": dict(self.learnt_from),
            "metrics": dict(self.metrics),
        }

    def table(self) -> str:
        """As text for people."""
        learnt = ", ".join(f"{rows:,} of {name}" for name, rows in self.learnt_from.items())
        metrics = ", ".join(f"{name} {value:.4f}" for name, value in self.metrics.items())
        lines = [
            f"{self.dataset} {self.task}, {self.split}: {metrics}",
            f"learnt from {learnt} rows, {self.features} features",
            f"{self.predictions:,} predictions are in {self.path}",
        ]
        if not self.counts_for_the_board:
            lines.append("This does not count for the public leaderboard: rows at the seed time were seen.")
        return "\n".join(lines)


def run_task(
    dataset: str,
    task: str,
    output: Path | None = None,
    *,
    split: Literal["val", "test"] = "test",
    with_val: bool = False,
    seeds_per_window: int = 1,
    rows_at_seed: bool = False,
    most: int | None = MOST_ROWS,
    seed: int = 0,
    progress: Progress = SILENT,
) -> TaskResult:
    """Load a task, learn, predict a split, write the predictions, and let RelBench judge them.

    Parameters
    ----------
    dataset : str
        As :func:`load_task` takes it.
    output : Path, optional
        A CSV file as RelBench's leaderboard takes it, or a Parquet file with the same columns; if not given, the CSV
        file that the leaderboard expects, in the current folder, or one of a name that it refuses if the predictions do
        not count there.
    with_val : bool
        Learn from the rows of ``val`` as well, for the test.
    split, seeds_per_window, rows_at_seed, most, seed :
        As in :func:`predict`.

    Raises
    ------
    ConfigError, DataError
        As :func:`load_task`, :func:`declared` and :func:`predict`, or the file has another suffix.
    StorageError
        The disk refuses the file.
    """
    if output is not None and output.suffix not in _SUFFIXES:
        raise ConfigError(
            f"Wanted a file of predictions that ends in {' or '.join(_SUFFIXES)}, found {output}. Name it so."
        )
    if "/" not in dataset and not Path(dataset).exists():
        declared(dataset, task)  # before gigabytes are downloaded
    name, loaded = load_task(dataset, task)
    found = predict(
        loaded,
        declared(name, task),
        split=split,
        learn_from=("train", "val") if with_val else ("train",),
        seeds_per_window=seeds_per_window,
        rows_at_seed=rows_at_seed,
        most=most,
        seed=seed,
        progress=progress,
    )
    path = output or Path(f"{name}__{task}{'.rows_at_seed' * rows_at_seed}.csv")
    _write(found.table, path)
    truth = loaded.get_table(split, mask_input_cols=False)
    metrics = {str(metric): float(value) for metric, value in loaded.evaluate(found.values, truth).items()}
    return TaskResult(
        name, task, split, path, len(found.values), found.features, found.learnt_from, metrics, not rows_at_seed
    )


def _write(table: pd.DataFrame, path: Path) -> None:
    """The file appears whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            if path.suffix == ".csv":
                table.to_csv(partial, index=False)
            else:
                table.to_parquet(partial, index=False)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"Wanted to write {len(table):,} predictions to {path}; the system answered: {error.strerror or error}. "
            "Free some space there, or name another place; what was there before is unchanged."
        ) from error
