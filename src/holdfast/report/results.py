"""What a command has to tell: one record per command, the same for people (``console``) and for programs (JSON)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from holdfast.backtest import Backtest, LearningCurves
    from holdfast.tracking import RunRecord


@dataclass(frozen=True)
class Trained:
    """A challenger in the registry. ``fresh`` is False where nothing had changed since it was trained.

    ``choice`` says what the risk score is made of, and what each possibility lost at the latest cutoff that could
    judge. ``sample`` says what it learnt from, where that was a sample; see :class:`holdfast.sampling.Sample`.
    ``tuning`` is the record of a search for parameters, by score; see :mod:`holdfast.learning.tuning`. ``gives_up``
    says what a training of less than the full effort gave up.
    """

    name: str
    version: str
    run_id: str
    fresh: bool
    snapshots: int
    features: int
    cutoffs: int
    metrics: Mapping[str, float]
    tested_at: str
    tracking: str
    choice: Mapping[str, Any]
    sample: Mapping[str, Any] | None = None
    tuning: Mapping[str, Mapping[str, Any] | None] | None = None
    gives_up: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {**vars(self), "metrics": dict(self.metrics)}


@dataclass(frozen=True)
class Evaluated:
    """A backtest, and the learning curves if they were asked for."""

    backtest: Backtest
    curves: LearningCurves | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON: the backtest, and under ``learning_curves`` the curves."""
        found = self.backtest.to_dict()
        return found if self.curves is None else {**found, "learning_curves": self.curves.to_dict()}


@dataclass(frozen=True)
class Published:
    """A list, whole, in its folder."""

    folder: Path
    list_id: str
    as_of: str
    model_version: str
    counts: Mapping[str, int]
    expected_loss: float
    expected_loss_on_list: float
    currency: str | None
    rules_not_applied: Sequence[str]
    first: pd.DataFrame

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON; without the customers."""
        rest = {name: value for name, value in vars(self).items() if name != "first"}
        return {**rest, "folder": str(self.folder), "counts": dict(self.counts)}


@dataclass(frozen=True)
class Runs:
    """The trained models of a project, newest first."""

    name: str
    records: Sequence[RunRecord]

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        records = [{**vars(record), "started": record.started.isoformat(timespec="seconds")} for record in self.records]
        return {"name": self.name, "runs": records}
