"""The whole way, for one configuration: the only file that knows all rooms.

A :class:`Project` is what notebooks and the command line work with; each method is one stage or one command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd

from holdfast.audit import Audit
from holdfast.backtest import Backtest, LearningCurves
from holdfast.config import Configuration, load, parse
from holdfast.dataset import Built, Checked, Dataset
from holdfast.evaluation import Evaluation
from holdfast.extrapolation import Extrapolation, extrapolate
from holdfast.features.feature import Feature
from holdfast.files import versioned_folder
from holdfast.lifetime import YEARS, lifetime_value
from holdfast.lists import features_to_score, publish_list
from holdfast.models import Bundle
from holdfast.outreach import Scorer, scored_columns
from holdfast.outreach.state import tellers
from holdfast.progress import SILENT, Progress
from holdfast.report.results import Published, Runs, Trained
from holdfast.snapshots import Snapshots, snapshot_parts
from holdfast.sources import Engine
from holdfast.survival import HORIZONS, survival
from holdfast.timeline import instant
from holdfast.tracking import Promotion, StoredModel, Tracker
from holdfast.trained_models import TrainedModels


class Project:
    """A configuration at work: it has a dataset, an evaluation, trained models, and publishes lists.

    A context manager that closes the tables.

    Attributes
    ----------
    configuration : Configuration
    dataset : Dataset
        Tables, features and snapshots, for those who look deeper.

    Examples
    --------
    >>> project = Project.open("configs/demo_retail.yaml")     # doctest: +SKIP
    >>> project.snapshots()                                    # doctest: +SKIP
    """

    def __init__(
        self,
        configuration: Configuration,
        base: Path,
        *,
        frames: Mapping[str, Any] | None = None,
        features: Sequence[Feature] = (),
        progress: Progress = SILENT,
    ) -> None:
        self.configuration = configuration
        self.dataset = Dataset(
            configuration, base, frames=frames, features=features, taken=tellers(), progress=progress
        )
        self.evaluation = Evaluation(configuration, self.dataset)

    @classmethod
    def open(
        cls,
        configuration: Path | str | Mapping[str, Any],
        *,
        base: Path | str | None = None,
        frames: Mapping[str, Any] | None = None,
        features: Sequence[Feature] = (),
        progress: Progress = SILENT,
    ) -> Self:
        """Open a YAML file, or settings that are already a mapping.

        Parameters
        ----------
        base : path, optional
            Folder that relative paths start from: that of the file, or the current one for a mapping.
        frames : mapping of name to pandas or Arrow table
            For sources that say ``frame: name``.
        features : sequence of Feature
            Features of your own, beside those of the configuration.

        Raises
        ------
        ConfigError
            The configuration cannot be right; every problem is named.
        """
        if isinstance(configuration, Mapping):
            settings, home = parse(dict(configuration)), Path.cwd()
        else:
            settings, home = load(configuration), Path(configuration).resolve().parent
        where = home if base is None else Path(base)
        return cls(settings, where, frames=frames, features=features, progress=progress)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the tables and delete their temporary files."""
        self.dataset.close()

    def __dir__(self) -> list[str]:
        """What a user needs: the methods and attributes below."""
        return sorted(name for name in (*vars(self), *vars(type(self))) if not name.startswith("_"))

    def __repr__(self) -> str:
        return f"Project({', '.join(f'{what}: {told}' for what, told in self._told().items())})"

    def _repr_html_(self) -> str:
        """A small table for notebooks; nothing is read for it."""
        told = self._told().items()
        return (
            f"<table>{''.join(f'<tr><th>{escape(what)}</th><td>{escape(how)}</td></tr>' for what, how in told)}</table>"
        )

    def _told(self) -> dict[str, str]:
        settings = self.configuration
        population = {name: told for name, told in settings.population if told}
        return {
            "name": settings.name,
            "sources": ", ".join(settings.sources),
            "population": ", ".join(f"{name} {told:g}" for name, told in population.items()).replace("_", " "),
            "churn": f"{settings.churn.kind} within {settings.churn.horizon_days:g} days".replace("_", " "),
            "value": f"{settings.value.of} within {settings.value.horizon_days:g} days",
            "currency": settings.currency or "not named",
            "test cutoffs": ", ".join(str(cutoff) for cutoff in settings.cutoffs.test),
        }

    @property
    def tables(self) -> Engine:
        """The validated sources, opened when first needed."""
        return self.dataset.tables

    @cached_property
    def tracker(self) -> Tracker:
        """The store of runs and models."""
        return Tracker.open(self.configuration.tracking, self.dataset.base)

    @property
    def models(self) -> TrainedModels:
        """Training, promotion and the champion."""
        return TrainedModels(self.configuration, self.dataset, self.evaluation, self.tracker)

    def check(self, *, audit: bool = False, rejects: Path | str | None = None) -> Checked:
        """Read and validate the sources; optionally audit the training table, and write the rejected rows."""
        checked = self.dataset.check(audit=audit, rejects=_path(rejects))
        self.evaluation.require_directions()
        return checked

    def features(self) -> tuple[Feature, ...]:
        """Every feature that these sources can give, the own ones last."""
        return self.dataset.features()

    def snapshots(self, as_of: str | None = None) -> pd.DataFrame:
        """One row per customer of the population and training or test cutoff, with features and labels.

        Where they are more than ``training.most_snapshots``, the sample that training reads, with ``sample_weight``.

        Parameters
        ----------
        as_of : str, optional
            Stand at this instant instead: what was known then, without labels, as scoring builds it.
        """
        if as_of is None:
            self.evaluation.require_directions()
        return self.dataset.snapshots(as_of)

    def write_snapshots(self, path: Path | str) -> Built:
        """Write the labelled table, all of it, as one Parquet file, whole or not at all."""
        return self.dataset.write_snapshots(Path(path))

    def audit(self) -> Audit:
        """Look for knowledge of the future in the labelled table."""
        return self.dataset.audit()

    def backtest(
        self,
        *,
        plots: Path | str | None = None,
        track: bool = False,
        keep: Path | str | None = None,
        jobs: int | None = None,
    ) -> Backtest:
        """Evaluate on every test cutoff with models trained on what was known there, beside the baselines.

        Parameters
        ----------
        plots : path, optional
            Folder for calibration, gains and value by decile, as PNG.
        track : bool
            Also keep figures, plots and report as a run.
        keep, jobs :
            As in :meth:`holdfast.evaluation.Evaluation.backtest`.
        """
        return self.evaluation.backtest(
            plots=_path(plots), tracker=self.tracker if track else None, keep=_path(keep), jobs=jobs
        )

    def learning_curves(
        self, *, plots: Path | str | None = None, keep: Path | str | None = None, jobs: int | None = None
    ) -> LearningCurves:
        """What more history, and what more customers, would bring: the backtest with models that learnt from less."""
        return self.evaluation.learning_curves(plots=_path(plots), keep=_path(keep), jobs=jobs)

    def train(self, *, force: bool = False) -> Trained:
        """Audit, evaluate, train, track, and register a challenger: :meth:`TrainedModels.train`."""
        return self.models.train(force=force)

    def promote(self) -> Promotion:
        """Make the challenger champion, unless it is worse on the latest test cutoff."""
        return self.models.promote()

    def champion(self) -> tuple[Bundle, StoredModel]:
        """The model in charge, its hashes checked: :meth:`TrainedModels.champion`."""
        return self.models.champion()

    def runs(self) -> Runs:
        """The trained models, newest first."""
        return self.models.runs()

    def scored(self, as_of: str, *, bundle: Bundle | None = None) -> pd.DataFrame:
        """Every customer of the population as known at an instant: risk, value, reasons, and the state that rules need.

        Parameters
        ----------
        bundle : Bundle, optional
            Another model than the champion.
        """
        bundle = self.champion()[0] if bundle is None else bundle
        features, cutoff = features_to_score(self.dataset, bundle), instant(as_of)
        self.dataset.require_known(cutoff)
        return self.dataset.everyone(features, [cutoff], Scorer(bundle), scored_columns(each.name for each in features))

    def score(self, as_of: str, *, output: Path | str | None = None) -> Published:
        """Score with the champion and publish the list, whole or not at all.

        Raises
        ------
        LockedError
            Another job publishes to the same folder.
        """
        settings, dataset, cutoff = self.configuration, self.dataset, instant(as_of)
        folder = (dataset.base / settings.output if output is None else Path(output)).resolve()
        with dataset.from_store():
            dataset.tables.report.require(settings.most_rejected)
            with versioned_folder(folder) as published:
                bundle, stored = self.champion()
                dataset.require_known(cutoff)
                features = features_to_score(dataset, bundle)
                snapshots = Snapshots.of(features, settings.population, [cutoff])
                return publish_list(
                    snapshot_parts(dataset.tables, snapshots, progress=dataset.progress),
                    settings,
                    cutoff,
                    published,
                    features=[feature.name for feature in features],
                    bundle=bundle,
                    version=stored.version,
                    data_fingerprint=dataset.tables.fingerprint,
                )

    def survival(
        self, as_of: str, *, horizons: Sequence[float] = HORIZONS, bundle: Bundle | None = None
    ) -> pd.DataFrame:
        """Every customer with the probability of churn within each horizon: :func:`holdfast.survival.survival`.

        ``bundle`` is another model than the champion, which answers for ``churn.horizon_days``. Publishes nothing.
        """
        return survival(self.dataset, self.champion()[0] if bundle is None else bundle, as_of, horizons)

    def lifetime_value(
        self,
        as_of: str,
        *,
        horizons: Sequence[float] = YEARS,
        yearly_discount: float = 0.0,
        bundle: Bundle | None = None,
    ) -> pd.DataFrame:
        """Every customer with the expected value within horizons: :func:`holdfast.lifetime.lifetime_value`.

        ``bundle`` is another model than the champion, which answers for ``value.horizon_days``. Publishes nothing.
        """
        bundle = self.champion()[0] if bundle is None else bundle
        return lifetime_value(self.dataset, bundle, as_of, horizons, yearly_discount)

    def extrapolate(self, as_of: str, *, horizon_days: float | None = None) -> Extrapolation:
        """Churn, orders and value within a horizon that no outcome reaches: :func:`holdfast.extrapolation.extrapolate`.

        For a young business, which cannot train. ``churn.horizon_days`` if no horizon is given. Publishes nothing.
        """
        return extrapolate(self.dataset, as_of, horizon_days)


def _path(given: Path | str | None) -> Path | None:
    return None if given is None else Path(given)
