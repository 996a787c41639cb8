"""The versions of a registered model, and which of them is in charge.

A registered model has two aliases: ``challenger``, the version trained last, and ``champion``, the version that scores.
Training moves the first; only :meth:`Registry.promote` moves the second.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import mlflow.artifacts
from mlflow.entities import LoggedModel
from mlflow.exceptions import MlflowException

from holdfast.errors import BundleError, ConfigError, HoldfastError, LockedError
from holdfast.files import HIDDEN, temporary_folder
from holdfast.tracking.entries import Promotion, StoredModel, Verdict
from holdfast.tracking.package import bundle_in
from holdfast.tracking.shaping import text
from holdfast.tracking.store import Store, asking, exists_already

CHAMPION, CHALLENGER = "champion", "challenger"
_VERDICT_TAG = "holdfast.verdict."
_NAME = re.compile(r"[A-Za-z0-9][\w .-]*")

Judge = Callable[[StoredModel | None, StoredModel], Verdict]


class Registry:
    """Registered models of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def location(self) -> str:
        """The tracking URI as it may be printed: without credentials."""
        return self._store.shown

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
            While the judge compared, another job trained or promoted; or one holds the registry for minutes.
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
        with self._asking(), self._store.locked():
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

    def register(self, name: str, logged: LoggedModel, tags: Mapping[str, str]) -> str:
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

    def _aliases(self, name: str) -> dict[str, str]:
        """Alias → version; empty if the model is not registered."""
        found = self._store.client.search_registered_models(f"name = '{name}'", max_results=1)
        return {alias: str(version) for alias, version in found[0].aliases.items()} if found else {}

    def _aliased(self, name: str, alias: str) -> StoredModel | None:
        check_name(name)
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
            with temporary_folder(kept.parent, HIDDEN) as staging:
                package = mlflow.artifacts.download_artifacts(
                    location, dst_path=str(staging), tracking_uri=self._store.uri
                )
                if not kept.exists():
                    Path(package).rename(kept)
        return kept

    def _asking(self) -> AbstractContextManager[None]:
        return asking(self._store.settings, self._store.uri)


def check_name(name: str) -> None:
    """Refuse a name that no registry takes."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"A model's name starts with a letter or digit and goes on with letters, digits, '-', '_', '.' or spaces; "
            f"found {name!r}. Change the name in the configuration."
        )
