"""Reach the store: prepare a local one once, find out fast that a remote one is silent, and keep MLflow quiet.

MLflow's own defaults wait four minutes for a server that is not there, print the rows that a schema refuses,
and crash when several processes create one sqlite store. Everything that talks to MLflow runs inside :func:`asking`.
"""

from __future__ import annotations

import logging
import os
import socket
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import sqlalchemy.exc
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_ALREADY_EXISTS, ErrorCode
from requests import RequestException

from holdfast.credentials import PERCENT_ENCODED, hide_credentials
from holdfast.errors import ConfigError, HoldfastError, RegistryError, StorageError
from holdfast.files import locked
from holdfast.tracking.settings import TrackingSettings

_PROBE_SECONDS = 2  # a server that is up answers its first, empty question sooner
_PREPARING_SECONDS, _REGISTERING_SECONDS = 60, 300  # as others may take, with a whole upload in the second
_ALREADY_EXISTS = ErrorCode.Name(RESOURCE_ALREADY_EXISTS)
_NETWORK = (RequestException, ConnectionError, TimeoutError, socket.gaierror)  # of OSError; the others are files
_NO_SPACE = ("database or disk is full", "No space left on device", "disk I/O error")


@dataclass(frozen=True)
class Store:
    """An opened store: who to ask, where it is, which experiment the runs go to."""

    client: MlflowClient
    uri: str
    folder: Path
    experiment_id: str
    settings: TrackingSettings

    @property
    def running(self) -> Path:
        """Where each run that is going on has a temporary folder."""
        return self.folder / "running"

    def locked(self) -> AbstractContextManager[None]:
        """Register and promote one after the other; waits for another job of this folder, but not without end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = self.folder / "registry.lock"
        return locked(lock, f"change the models in {self.shown}", seconds=_REGISTERING_SECONDS)

    @property
    def shown(self) -> str:
        """The URI as it may be printed."""
        return hide_credentials(self.uri, self.uri)


def open_store(settings: TrackingSettings, base: Path) -> Store:
    """Connect, creating the local store and the experiment where they do not exist yet.

    Raises
    ------
    ConfigError
        The URI cannot be read, or needs a driver that is not installed.
    LockedError
        Another job takes more than a minute to make the local store.
    RegistryError
        A remote store does not answer within ten seconds; or a local one is damaged or of another MLflow version.
    StorageError
        The folder of the local store cannot be written.
    """
    uri, folder = settings.resolve(base)
    address = _read(uri)
    with _drivers(uri), asking(settings, uri, timeout=min(_PROBE_SECONDS, settings.timeout_seconds)):
        if uri.startswith("sqlite:"):
            path = Path(uri.removeprefix("sqlite:///").partition("?")[0])
            artifacts = (folder / "artifacts").as_uri()
            path.parent.mkdir(parents=True, exist_ok=True)
            if not _is_prepared(path, settings.experiment):
                lock = path.with_suffix(".lock")
                with locked(lock, f"make the tracking store {path}", seconds=_PREPARING_SECONDS):
                    if not _is_prepared(path, settings.experiment):  # whoever held the lock may have made it
                        _experiment(MlflowClient(tracking_uri=uri, registry_uri=uri), settings.experiment, artifacts)
        else:
            artifacts = None
            _check_database_server(address, settings)
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        experiment_id = _experiment(client, settings.experiment, artifacts)
    return Store(client, uri, folder, experiment_id, settings)


@contextmanager
def asking(settings: TrackingSettings, uri: str, *, timeout: int | None = None) -> Iterator[None]:
    """Run calls of MLflow with few retries and without chatter, and word their failures in our terms."""
    environment = {
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": str(settings.retries),
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(timeout or settings.timeout_seconds),
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
        "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_UV_AUTO_DETECT": "false",
    }
    loggers = [logging.getLogger(name) for name in ("mlflow", "alembic", "urllib3")]
    before = {name: os.environ.get(name) for name in environment}
    levels = [logger.level for logger in loggers]
    os.environ.update(environment)
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"(mlflow|sqlalchemy)\b")
            yield
    except (MlflowException, RequestException, sqlalchemy.exc.SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise _in_our_words(error, uri) from None  # MLflow's own trace quotes URIs and data
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def exists_already(error: MlflowException) -> bool:
    """Whether MLflow refused to create something because another process was faster."""
    return bool(error.error_code == _ALREADY_EXISTS)


def _experiment(client: MlflowClient, name: str, artifacts: str | None) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=artifacts))
        except MlflowException as error:
            if not exists_already(error):
                raise
            found = client.get_experiment_by_name(name)
    if found is None or found.lifecycle_stage != "active":
        raise RegistryError(
            f"The experiment {name!r} was deleted from the tracking store. "
            "Restore it there (mlflow experiments restore), or name another under tracking.experiment."
        )
    return str(found.experiment_id)


def _is_prepared(path: Path, experiment: str) -> bool:
    """Whether the experiment is there, which is made last.

    The file is opened without MLflow, which tries ten times, for a hundred seconds, before it says that it cannot.
    """
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'experiments'").fetchone():
            return False
        return bool(connection.execute("SELECT 1 FROM experiments WHERE name = ?", [experiment]).fetchone())


def _read(uri: str) -> SplitResult:
    """The parts of the URI; what cannot be read is not quoted, because nobody knows which part is the password."""
    try:
        parts = urlsplit(uri.encode().decode())  # bytes that are no UTF-8 arrive as lone surrogates
        readable = not (parts.port == 0 or uri in ("sqlite:", "sqlite://", "sqlite:///"))
    except ValueError:
        readable = False
    if not readable:
        raise ConfigError(
            "Wanted tracking.uri as scheme://user:password@host:port/database, or as sqlite:///file, found one that "
            f"cannot be read. Check the port. {PERCENT_ENCODED}"
        )
    return parts


@contextmanager
def _drivers(uri: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise ConfigError(
            f"tracking.uri, {hide_credentials(uri, uri)}, needs the driver {error.name!r}, which is not installed. "
            "Install it, or name another one in the scheme, as in postgresql+psycopg://…"
        ) from None


def _check_database_server(address: SplitResult, settings: TrackingSettings) -> None:
    """Knock at the port of a database server, for the same reason; web servers are asked by MLflow itself."""
    ports = {"postgresql": 5432, "mysql": 3306, "mssql": 1433}
    kind = address.scheme.split("+")[0]
    if kind in ports and address.hostname:
        place = (address.hostname, address.port or ports[kind])
        socket.create_connection(place, timeout=min(_PROBE_SECONDS, settings.timeout_seconds)).close()


def _in_our_words(error: Exception, uri: str) -> HoldfastError:
    given = (f"{name}={value}" for name, value in os.environ.items() if name.startswith("MLFLOW_TRACKING_"))
    reason = hide_credentials(str(error).strip().split("\n", maxsplit=1)[0], uri, *given)
    reason = reason if len(reason) <= 300 else reason[:297] + "…"
    place = hide_credentials(uri, uri)
    if any(sign in str(error) for sign in _NO_SPACE):
        return StorageError(
            f"The tracking store {place} could not keep what was logged: {reason}. Make room, then repeat."
        )
    if isinstance(error, OSError) and not isinstance(error, _NETWORK):
        return StorageError(
            f"The tracking store {place} cannot be read or written: {reason}. Check the folder's rights."
        )
    if uri.startswith("sqlite:"):
        advice = "Restore the file, or move it away to start a new store."
        if "mlflow db upgrade" in str(error):
            advice = f"Another version of MLflow wrote it; run: mlflow db upgrade {place}"
        return RegistryError(f"The tracking store {place} cannot be used: {reason}. {advice}")
    return RegistryError(
        f"The tracking server {place} did not do what it was asked: {reason}. "
        "Check that it runs, that tracking.uri names it, and that the credentials in the environment are right."
    )
