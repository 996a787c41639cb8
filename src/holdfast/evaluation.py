"""Models of a configuration, tried on what came: trained at a test cutoff on what was known there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from holdfast.backtest import (
    DRAWS,
    Backtest,
    BacktestFold,
    ContactTerms,
    Execution,
    FittedFold,
    LearningCurves,
    backtest,
    learning_curves,
)
from holdfast.config import Configuration
from holdfast.dataset import Dataset
from holdfast.features.own import descriptions
from holdfast.fingerprint import code_fingerprint
from holdfast.learning import Tuning
from holdfast.learning.training import require_directions, require_learnable
from holdfast.learning.training_spec import TrainingSpec
from holdfast.learning.trial_study import require_optuna
from holdfast.models.model_card import ModelCard
from holdfast.report import plots as drawings
from holdfast.report.curves import drawn as curves_drawn
from holdfast.sampling import Sample
from holdfast.timeline import instant
from holdfast.tracking import Tracker

_PLACES: Any = {
    **dict.fromkeys(("sources", "tracking", "output", "store"), True),
    "spark": {"conf"},
    "training": {"tuning": {"folder"}},
}


@dataclass(frozen=True)
class Evaluation:
    """What models that learn from a dataset would have been worth, at cutoffs that they had not seen.

    Attributes
    ----------
    finished : dict
        Fits of this project; the same is never made twice.
    """

    configuration: Configuration
    dataset: Dataset
    finished: dict[BacktestFold, FittedFold] = field(default_factory=dict)

    def backtest(
        self,
        *,
        plots: Path | None = None,
        tracker: Tracker | None = None,
        keep: Path | None = None,
        jobs: int | None = None,
    ) -> Backtest:
        """Evaluate on every test cutoff with models trained on what was known there, beside the baselines.

        Parameters
        ----------
        plots : Path, optional
            Folder for calibration, gains and value by decile, as PNG.
        tracker : Tracker, optional
            Also keep figures, plots and report as a run there.
        keep : Path, optional
            Folder where cutoffs stay as they finish; another run with the same data, configuration and code takes them
            up. It holds customers and outcomes: protect it like the sources.
        jobs : int, optional
            Cutoffs at once, each in a process; by default as many as cores and free memory bear, and one for a small
            table. The result is the same to the byte.

        Raises
        ------
        LockedError
            Another run keeps its cutoffs in the same folder.
        """
        result = self.at(self.test_cutoffs(), keep=keep, jobs=jobs)
        if plots is not None:
            drawings.save(drawings.figures(result), plots)
        if tracker is not None:
            tracker.log_backtest(
                name=self.configuration.name,
                parameters=self.parameters(),
                metrics=result.figures(),
                metrics_by_cutoff={cutoff: result.figures(cutoff) for cutoff in result.cutoffs},
                fingerprints=self.fingerprints,
                plots=drawings.figures(result),
                backtest=result.to_dict(),
            )
        return result

    def learning_curves(
        self, *, plots: Path | None = None, keep: Path | None = None, jobs: int | None = None
    ) -> LearningCurves:
        """What more history, and what more customers, would bring: the backtest with models that learnt from less.

        ``plots`` is a folder for ``learning_curves.png``; ``keep`` and ``jobs`` as in :meth:`backtest`, whose fits are
        taken up.
        """
        found = learning_curves(**self._tests(self.test_cutoffs(), keep=keep, jobs=jobs))
        if plots is not None:
            drawings.save({"learning_curves": curves_drawn(found)}, plots)
        return found

    def test_cutoffs(self) -> list[int]:
        """The configured ones, in order."""
        return sorted(instant(cutoff) for cutoff in self.configuration.cutoffs.test)

    def at(self, cutoffs: Sequence[int], *, draws: int = DRAWS, **how: Any) -> Backtest:
        """The backtest of some cutoffs."""
        return backtest(**self._tests(cutoffs, **how), terms=self._contact_terms(), draws=draws)

    def _contact_terms(self) -> ContactTerms:
        """What contacting costs and keeps, in numbers."""
        outreach = self.configuration.outreach
        return ContactTerms(
            {name: (action.cost, action.save_rate) for name, action in outreach.actions.items()},
            outreach.budget.contacts,
            outreach.budget.share or 1.0,
            outreach.control_share,
            self.configuration.currency,
        )

    def _tests(
        self, cutoffs: Sequence[int], *, keep: Path | None = None, jobs: int | None = None, part: float = 1.0
    ) -> dict[str, Any]:
        """What backtest and learning curves want to know; ``part`` is theirs of the command's minutes for tuning."""
        tuning, snapshots = self.tuning(part), self.training_snapshots()
        require_learnable(snapshots)
        return {
            "snapshots": snapshots,
            "spec": self.spec(tuning),
            "test_cutoffs": cutoffs,
            "execution": Execution(jobs, keep, self.finished),
            "progress": self.dataset.progress,
        }

    def tuning(self, part: float) -> Tuning | None:
        """A part of the budget, with the folder where it is; None without a search."""
        found = self.configuration.training.tuning
        if found is not None:
            require_optuna()
        return found and found.part(part).kept_in(
            found.folder and (self.dataset.base / found.folder.expanduser()).resolve()
        )

    def require_directions(self) -> None:
        """Refuse declared directions that no model can keep to, before anything is learnt."""
        if self.configuration.training.directions:
            require_directions([feature.record() for feature in self.dataset.features()], self.configuration.churn.kind)

    def training_snapshots(self) -> pd.DataFrame:
        """What training and backtest read."""
        self.require_directions()
        return self.dataset.training_snapshots

    @property
    def model_fingerprints(self) -> dict[str, str]:
        """What a model depends on: the valid rows, the settings that decide it, the code."""
        return {
            "data": self.dataset.tables.fingerprint,
            "configuration": self.configuration.model_fingerprint,
            "code": self.dataset.own.fingerprint(code_fingerprint()),
        }

    @property
    def fingerprints(self) -> dict[str, str]:
        """What figures depend on: the same, with all settings, because a backtest counts money."""
        return self.model_fingerprints | {"configuration": self.configuration.fingerprint}

    def parameters(self) -> dict[str, Any]:
        """What a run keeps of the configuration, everything but where data and store are; and what was sampled."""
        settings = self.configuration.model_dump(mode="json", exclude=_PLACES)
        sample = Sample.of_table(self.dataset.training_snapshots)
        return settings if sample is None else {**settings, "sample": sample.to_dict()}

    def spec(self, tuning: Tuning | None = None) -> TrainingSpec:
        """How a model is trained, in the words of models."""
        settings, dataset = self.configuration, self.dataset
        return TrainingSpec(
            features=tuple(feature.record() for feature in dataset.features()),
            card=ModelCard(
                name=settings.name,
                churn=settings.churn.definition(),
                value=settings.value.definition(),
                population=settings.population.definition(),
                currency=settings.currency,
                columns=dataset.vocabulary.columns,
                levels=dataset.vocabulary.levels,
                own_features=descriptions(dataset.own.records),
                fingerprints=self.model_fingerprints,
            ),
            complete_after=settings.labels.churn_after,
            value_after=settings.labels.complete_after,
            seed=settings.seed,
            tuning=tuning,
            effort=settings.training.effort,
        )
