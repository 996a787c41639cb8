"""Keep everything about a training or a backtest as a run, and find it again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Any

from mlflow.entities import LoggedModelOutput, LoggedModelStatus
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from holdfast.errors import BundleError
from holdfast.files import abandoned, temporary_folder
from holdfast.models.feature_record import FeatureRecord
from holdfast.timeline import show
from holdfast.tracking.entries import RunInfo, RunRecord
from holdfast.tracking.package import ServingCode, write_package
from holdfast.tracking.registry import CHALLENGER, Registry, check_name
from holdfast.tracking.settings import TrackingSettings
from holdfast.tracking.shaping import fingerprint_tags, finite_metrics, flat, record, report
from holdfast.tracking.store import open_store

_MODEL_TAG, _KIND_TAG, _OWNER_TAG = "holdfast.model", "holdfast.kind", "holdfast.owner"


class Tracker(Registry):
    """Runs of one store, and its registered models; made by :meth:`open`.

    Examples
    --------
    >>> tracker = Tracker.open(TrackingSettings(), base)                     # doctest: +SKIP
    >>> tracker.champion("online-retail").bundle                             # doctest: +SKIP
    """

    @classmethod
    def open(cls, settings: TrackingSettings, base: Path) -> Tracker:
        """Connect to the store, preparing a local one where it does not exist yet.

        Runs that a job of this folder was killed over are ended.

        Parameters
        ----------
        settings : TrackingSettings
            Where the store is.
        base : Path
            Folder that relative paths of the settings start from: that of the configuration.

        Raises
        ------
        RegistryError
            A remote store does not answer (found out within ten seconds), or a local one is damaged.
        StorageError
            The folder of the local store cannot be written.
        """
        tracker = cls(open_store(settings, base))
        tracker._end_killed_runs()
        return tracker

    def log_training(
        self,
        bundle: Path,
        *,
        name: str,
        features: Sequence[FeatureRecord],
        parameters: Mapping[str, Any],
        metrics: Mapping[str, float],
        metrics_by_cutoff: Mapping[int, Mapping[str, float]],
        fingerprints: Mapping[str, str],
        plots: Mapping[str, Any],
        audit: Mapping[str, Any],
        backtest: Mapping[str, Any],
        folders: Mapping[str, Path] | None = None,
        code: ServingCode | None = None,
        unless_known: bool = False,
    ) -> RunInfo:
        """Keep everything about a training, register its model and make it the challenger.

        Parameters
        ----------
        bundle : Path
            Folder of the saved bundle.
        name : str
            Name of the registered model.
        features : sequence of FeatureRecord
            The bundle's, in order; they become the signature.
        parameters : mapping
            Nested settings; logged flat, with dots.
        metrics : mapping of str to float
            Pooled metrics. Those that are not finite are left out.
        metrics_by_cutoff : mapping of int to mapping
            Cutoff in microseconds → metrics; logged as steps 0, 1, … in time order, tagged with the cutoff's date.
        fingerprints : mapping of str to str
            Of data, configuration and code; tags of the run and of the version.
        plots : mapping
            File name (without ending for a figure) → matplotlib figure or path of a file.
        audit, backtest : mapping
            Reports, kept as JSON.
        folders : mapping, optional
            Name → folder to keep with the run; :meth:`folder` gives it back.
        code : ServingCode, optional
            What a consumer needs to load the bundle; by default the serving code of ``holdfast.models``.
        unless_known : bool
            Log nothing if the challenger is of these very fingerprints by now, because another job was faster.

        Raises
        ------
        LockedError
            Another job holds the registry for minutes.
        RegistryError, StorageError
            The store did not take it. The run is marked as failed; no alias was moved.
        """
        code = code or ServingCode.of_bundle()
        client, data = self._store.client, fingerprints.get("data", "unknown")
        steps = sorted(metrics_by_cutoff)
        with self._asking(), self._store.locked():
            if unless_known and (known := self.find(name, fingerprints)) and known.version:
                return RunInfo(known.run_id, known.version, fresh=False)
            with self._run(name, "training", fingerprints, parameters, steps) as (run_id, folder):
                logged = client.create_logged_model(self._store.experiment_id, name="model", source_run_id=run_id)
                try:
                    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
                    figures = finite_metrics(metrics, metrics_by_cutoff, data, logged.model_id)
                    client.log_batch(run_id, metrics=figures)
                    self._log_files(run_id, folder, plots, {"audit": audit, "backtest": backtest}, folders or {})
                    model = Model(
                        artifact_path=logged.artifact_location,
                        run_id=run_id,
                        model_uuid=logged.model_id,
                        model_id=logged.model_id,
                    )
                    write_package(folder / "model", bundle, features, code, model, folder / "staging")
                    client.log_model_artifacts(logged.model_id, str(folder / "model"))
                    client.finalize_logged_model(logged.model_id, "READY")
                    version = self.register(name, logged, fingerprint_tags(fingerprints))
                except BaseException:
                    self._tell(lambda: client.finalize_logged_model(logged.model_id, "FAILED"))
                    raise
            client.set_registered_model_alias(name, CHALLENGER, version)
        return RunInfo(run_id, version)

    def log_backtest(
        self,
        *,
        name: str,
        parameters: Mapping[str, Any],
        metrics: Mapping[str, float],
        metrics_by_cutoff: Mapping[int, Mapping[str, float]],
        fingerprints: Mapping[str, str],
        plots: Mapping[str, Any],
        backtest: Mapping[str, Any],
    ) -> str:
        """Keep a backtest as a run of its own, without a model; arguments as in :meth:`log_training`.

        Returns
        -------
        str
            The id of the run.
        """
        data = fingerprints.get("data", "unknown")
        with self._run(name, "backtest", fingerprints, parameters, sorted(metrics_by_cutoff)) as (run_id, folder):
            self._store.client.log_batch(run_id, metrics=finite_metrics(metrics, metrics_by_cutoff, data))
            self._log_files(run_id, folder, plots, {"backtest": backtest}, {})
        return run_id

    @contextmanager
    def _run(
        self,
        name: str,
        kind: str,
        fingerprints: Mapping[str, str],
        parameters: Mapping[str, Any],
        cutoffs: Sequence[int],
    ) -> Iterator[tuple[str, Path]]:
        """A run and a temporary folder for its files; finished if the block ends well, else marked as failed."""
        check_name(name)
        client, running = self._store.client, self._store.running
        tags = {
            "mlflow.source.name": "holdfast",
            "mlflow.source.type": "JOB",
            "holdfast.version": distribution_version("holdfast"),
            _KIND_TAG: kind,
            _MODEL_TAG: name,
            **{f"holdfast.cutoff.{step}": show(cutoff) for step, cutoff in enumerate(cutoffs)},
            **fingerprint_tags(fingerprints),
        }
        running.mkdir(parents=True, exist_ok=True)
        with self._asking(), temporary_folder(running) as temporary:
            tags[_OWNER_TAG] = temporary.name
            run_id = client.create_run(self._store.experiment_id, tags=tags, run_name=f"{name} {kind}").info.run_id
            try:
                client.log_batch(run_id, params=flat(parameters))
                yield run_id, temporary
                client.set_terminated(run_id, "FINISHED")
            except BaseException:
                self._tell(lambda: client.set_terminated(run_id, "FAILED"))
                raise

    def _end_killed_runs(self) -> None:
        """A run has a folder while its process lives; one that somebody left leads to a run that nobody will end."""
        client, experiments = self._store.client, [self._store.experiment_id]
        with self._asking():
            for left in abandoned(self._store.running):
                for run in client.search_runs(experiments, f"tags.`{_OWNER_TAG}` = '{left.path.name}'"):
                    if run.info.status == "RUNNING":
                        client.set_terminated(run.info.run_id, "KILLED")
                    for model in client.search_logged_models(experiments, f"source_run_id = '{run.info.run_id}'"):
                        if model.status == LoggedModelStatus.PENDING:
                            client.finalize_logged_model(model.model_id, LoggedModelStatus.FAILED)
                left.close()

    def find(self, name: str, fingerprints: Mapping[str, str]) -> RunRecord | None:
        """The present challenger's run if it was trained from exactly this data, configuration and code."""
        for run in self.runs(name):
            if CHALLENGER in run.aliases and run.fingerprints == dict(fingerprints):
                return run
        return None

    def folder(self, run_id: str, name: str) -> Path:
        """A folder that was kept with a run, fetched if the store is remote.

        Raises
        ------
        BundleError
            It is not there.
        """
        with self._asking():
            location = f"{self._store.client.get_run(run_id).info.artifact_uri}/{name}"
            found = self._fetch(location, f"{run_id}-{name}")
        if not found.is_dir():
            raise BundleError(
                f"The run {run_id} should have the folder {name!r} in {found}, but it is not there. "
                "Restore it, or run `holdfast train` again."
            )
        return found

    def runs(self, name: str, limit: int = 50) -> list[RunRecord]:
        """The latest trainings of a model, newest first."""
        check_name(name)
        with self._asking():
            client = self._store.client
            found = client.search_runs(
                [self._store.experiment_id],
                filter_string=f"tags.`{_MODEL_TAG}` = '{name}' AND tags.`{_KIND_TAG}` = 'training'",
                order_by=["attributes.start_time DESC"],
                max_results=limit,
            )
            versions = {entry.run_id: str(entry.version) for entry in client.search_model_versions(f"name = '{name}'")}
            aliases = self._aliases(name)
        return [record(run, versions.get(run.info.run_id), aliases) for run in found]

    def _log_files(
        self,
        run_id: str,
        temporary: Path,
        plots: Mapping[str, Any],
        reports: Mapping[str, Mapping[str, Any]],
        folders: Mapping[str, Path],
    ) -> None:
        """Collect plots, reports and folders in one folder and send it at once."""
        for name, folder in folders.items():
            shutil.copytree(folder, temporary / "run" / name)
        (temporary / "run" / "plots").mkdir(parents=True)
        for plot, content in plots.items():
            if isinstance(content, str | os.PathLike):
                shutil.copyfile(content, temporary / "run" / "plots" / plot)
            else:
                content.savefig(temporary / "run" / "plots" / f"{plot.removesuffix('.png')}.png", bbox_inches="tight")
        for name, content in reports.items():
            (temporary / "run" / f"{name}.json").write_text(report(content), encoding="utf-8")
        self._store.client.log_artifacts(run_id, str(temporary / "run"))

    @staticmethod
    def _tell(failed: Callable[[], object]) -> None:
        """Mark something as failed, as far as the store still answers; the error on its way says what happened."""
        with suppress(MlflowException):
            failed()
