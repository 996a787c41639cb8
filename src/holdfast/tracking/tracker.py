"""Log a training, register its model, and say which version is in charge.

A registered model has two aliases: ``challenger``, the version trained last, and ``champion``, the version that scores.
Training moves the first; only :meth:`Tracker.promote` moves the second.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import mlflow.artifacts
from mlflow.entities import LoggedModel, LoggedModelOutput
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from holdfast.errors import BundleError, ConfigError, HoldfastError, LockedError
from holdfast.timeline import show
from holdfast.tracking.entries import Promotion, RunInfo, RunRecord, StoredModel, Verdict
from holdfast.tracking.package import ServingCode, bundle_in, write_package
from holdfast.tracking.settings import TrackingSettings
from holdfast.tracking.shaping import fingerprint_tags, finite_metrics, flat, record, report, text
from holdfast.tracking.store import Store, asking, exists_already, locked, open_store

CHAMPION, CHALLENGER = "champion", "challenger"
_MODEL_TAG, _KIND_TAG, _VERDICT_TAG = "holdfast.model", "holdfast.kind", "holdfast.verdict."
_NAME = re.compile(r"[A-Za-z0-9][\w .-]*")

Judge = Callable[[StoredModel | None, StoredModel], Verdict]


class Tracker:
    """Runs and registered models of one store; made by :meth:`open`.

    Examples
    --------
    >>> tracker = Tracker.open(TrackingSettings(), base)                     # doctest: +SKIP
    >>> tracker.champion("online-retail").bundle                             # doctest: +SKIP
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @classmethod
    def open(cls, settings: TrackingSettings, base: Path) -> Tracker:
        """Connect to the store, preparing a local one where it does not exist yet.

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
        return cls(open_store(settings, base))

    @property
    def location(self) -> str:
        """The tracking URI as it may be printed: without credentials."""
        return self._store.shown

    def log_training(
        self,
        bundle: Path,
        *,
        name: str,
        features: Sequence[Mapping[str, Any]],
        parameters: Mapping[str, Any],
        metrics: Mapping[str, float],
        metrics_by_cutoff: Mapping[int, Mapping[str, float]],
        fingerprints: Mapping[str, str],
        plots: Mapping[str, Any],
        audit: Mapping[str, Any],
        backtest: Mapping[str, Any],
        folders: Mapping[str, Path] | None = None,
        code: ServingCode | None = None,
    ) -> RunInfo:
        """Keep everything about a training, register its model and make it the challenger.

        Parameters
        ----------
        bundle : Path
            Folder of the saved bundle.
        name : str
            Name of the registered model.
        features : sequence of mapping
            The bundle's features, in order; ``name`` and ``dtype`` become the signature.
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

        Raises
        ------
        RegistryError, StorageError
            The store did not take it. The run is marked as failed; no alias was moved.
        """
        code = code or ServingCode.of_bundle()
        client, data = self._store.client, fingerprints.get("data", "unknown")
        with self._run(name, "training", fingerprints, parameters, sorted(metrics_by_cutoff)) as (run_id, folder):
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
                version = self._register(name, logged, fingerprint_tags(fingerprints))
            except BaseException:
                self._tell(lambda: client.finalize_logged_model(logged.model_id, "FAILED"))
                raise
        with self._asking():
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
        _check_name(name)
        client = self._store.client
        tags = {
            "mlflow.source.name": "holdfast",
            "mlflow.source.type": "JOB",
            "holdfast.version": distribution_version("holdfast"),
            _KIND_TAG: kind,
            _MODEL_TAG: name,
            **{f"holdfast.cutoff.{step}": show(cutoff) for step, cutoff in enumerate(cutoffs)},
            **fingerprint_tags(fingerprints),
        }
        with self._asking(), tempfile.TemporaryDirectory(prefix="holdfast-") as temporary:
            run_id = client.create_run(self._store.experiment_id, tags=tags, run_name=f"{name} {kind}").info.run_id
            try:
                client.log_batch(run_id, params=flat(parameters))
                yield run_id, Path(temporary)
                client.set_terminated(run_id, "FINISHED")
            except BaseException:
                self._tell(lambda: client.set_terminated(run_id, "FAILED"))
                raise

    def champion(self, name: str) -> StoredModel:
        """The version in charge, its bundle fetched if the store is remote.

        Raises
        ------
        HoldfastError
            No version is champion yet.
        """
        found = self._aliased(name, CHAMPION)
        if found is None:
            raise HoldfastError(
                f"No version of the model {name!r} is champion in {self.location}. "
                "Run `holdfast train` if none is trained yet, then `holdfast promote`."
            )
        return found

    def challenger(self, name: str) -> StoredModel:
        """The version that was trained last.

        Raises
        ------
        HoldfastError
            No version is trained yet.
        """
        found = self._aliased(name, CHALLENGER)
        if found is None:
            raise HoldfastError(f"No version of the model {name!r} is in {self.location}. Run `holdfast train` first.")
        return found

    def promote(self, name: str, judge: Judge) -> Promotion:
        """Let the judge compare champion and challenger; if it accepts, the challenger becomes champion.

        Parameters
        ----------
        name : str
            Name of the registered model.
        judge : callable
            ``judge(champion or None, challenger) -> Verdict``; the verdict becomes tags of the challenger's version.

        Raises
        ------
        LockedError
            While the judge compared, another job trained or promoted.
        """
        challenger, champion = self.challenger(name), self._aliased(name, CHAMPION)
        if champion is not None and champion.version == challenger.version:
            reason = f"version {challenger.version} is champion already"
            return Promotion(name, challenger.version, champion.version, moved=False, reason=reason)
        verdict = judge(champion, challenger)
        against = champion.version if champion else None
        ruling = {
            "accepted": str(verdict.accepted).lower(),
            "reason": verdict.reason,
            "against": against or "none",
            "figures": json.dumps(dict(verdict.figures), sort_keys=True),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        with self._asking(), locked(self._store.folder / "promote.lock"):
            now = self._aliases(name)
            if now.get(CHALLENGER) != challenger.version or now.get(CHAMPION) != against:
                raise LockedError(
                    f"While versions {against or 'none'} and {challenger.version} of {name!r} were compared, "
                    "another job trained or promoted. Nothing was changed; run `holdfast promote` again."
                )
            for key, value in ruling.items():
                self._store.client.set_model_version_tag(name, challenger.version, _VERDICT_TAG + key, text(value))
            if verdict.accepted:
                self._store.client.set_registered_model_alias(name, CHAMPION, challenger.version)
        in_charge = challenger.version if verdict.accepted else against
        return Promotion(name, challenger.version, in_charge, moved=verdict.accepted, reason=verdict.reason)

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
        _check_name(name)
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

    def _asking(self) -> AbstractContextManager[None]:
        return asking(self._store.settings, self._store.uri)

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

    def _register(self, name: str, logged: LoggedModel, tags: Mapping[str, str]) -> str:
        """Make a model whose files are all there the next version of a name."""
        client = self._store.client
        try:
            client.create_registered_model(name)
        except MlflowException as error:
            if not exists_already(error):
                raise
        created = client.create_model_version(
            name,
            source=logged.artifact_location,
            run_id=logged.source_run_id,
            model_id=logged.model_id,
            tags=dict(tags),
        )
        return str(created.version)

    @staticmethod
    def _tell(failed: Callable[[], object]) -> None:
        """Mark something as failed, as far as the store still answers; the error on its way says what happened."""
        with suppress(MlflowException):
            failed()

    def _aliases(self, name: str) -> dict[str, str]:
        """Alias → version; empty if the model is not registered."""
        found = self._store.client.search_registered_models(f"name = '{name}'", max_results=1)
        return {alias: str(version) for alias, version in found[0].aliases.items()} if found else {}

    def _aliased(self, name: str, alias: str) -> StoredModel | None:
        _check_name(name)
        with self._asking():
            version = self._aliases(name).get(alias)
            if version is None:
                return None
            entry = self._store.client.get_model_version(name, version)
            location = self._store.client.get_model_version_download_uri(name, version)
            package = self._fetch(location, f"{name}-{version}-{entry.run_id}")
        if not bundle_in(package).is_dir():
            raise BundleError(
                f"Version {version} of {name!r} should lie in {package}, but its bundle is not there. "
                "Restore the folder, or run `holdfast train` and `holdfast promote`."
            )
        return StoredModel(name, version, str(entry.run_id), bundle_in(package))

    def _fetch(self, location: str, key: str) -> Path:
        """The local folder of a model; from a remote store it is downloaded once, whole or not at all."""
        parts = urlsplit(location)
        if parts.scheme in ("", "file"):
            return Path(unquote(parts.path))
        kept = self._store.folder / "fetched" / key
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=kept.parent) as staging:
                package = mlflow.artifacts.download_artifacts(location, dst_path=staging, tracking_uri=self._store.uri)
                if not kept.exists():
                    Path(package).rename(kept)
        return kept


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"A model's name starts with a letter or digit and goes on with letters, digits, '-', '_', '.' or spaces; "
            f"found {name!r}. Change the name in the configuration."
        )
