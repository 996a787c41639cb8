"""Opening a store: several at once, damaged ones, silent ones, and what the messages give away."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from holdfast.errors import ConfigError, RegistryError, StorageError
from holdfast.tracking import Tracker, TrackingSettings


@pytest.fixture
def closed_port() -> int:
    """A port of this machine where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        yield int(listener.getsockname()[1])


def test_several_processes_may_create_the_store_at_once(tmp_path: Path) -> None:
    """Nightly jobs of several shops start together; without the lock three of four crashed."""
    program = (
        "import sys; from pathlib import Path; from holdfast.tracking import Tracker, TrackingSettings; "
        "Tracker.open(TrackingSettings(), Path(sys.argv[1]))"
    )
    jobs = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [job.communicate() for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0, 0], said
    assert said == [(b"", b"")] * 3


@pytest.mark.parametrize("scheme", ["http", "postgresql"])
def test_an_absent_server_is_named_within_seconds_and_without_its_password(
    scheme: str, closed_port: int, tmp_path: Path
) -> None:
    """A scheduler must hear of it before its own patience ends, and the log is read by many."""
    settings = TrackingSettings(uri=f"{scheme}://analyst:hunter2@127.0.0.1:{closed_port}/store")
    began = time.monotonic()
    with pytest.raises(RegistryError) as refused:
        Tracker.open(settings, tmp_path)
    assert time.monotonic() - began < 10
    assert f"{scheme}://***@127.0.0.1:{closed_port}" in str(refused.value)
    assert "hunter2" not in str(refused.value)
    assert refused.value.exit_code == 5


def test_a_server_that_never_answers_is_given_up_within_ten_seconds(silent_port: int, tmp_path: Path) -> None:
    """A hanging server is worse than a missing one: nothing refuses the connection."""
    began = time.monotonic()
    with pytest.raises(RegistryError, match="tracking server"):
        Tracker.open(TrackingSettings(uri=f"http://127.0.0.1:{silent_port}"), tmp_path)
    assert time.monotonic() - began < 12


def test_a_damaged_store_is_said_to_be_damaged(tmp_path: Path) -> None:
    """MLflow alone would try for a hundred seconds."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mlflow.db").write_bytes(b"this was a database once" * 100)
    with pytest.raises(RegistryError, match=r"mlflow\.db cannot be used: .*database"):
        Tracker.open(TrackingSettings(), tmp_path)


def test_a_folder_that_is_a_file_is_a_storage_error(tmp_path: Path) -> None:
    """The path is right and the place is taken: the message speaks of the folder, not of a server."""
    (tmp_path / "models").write_text("not a folder")
    with pytest.raises(StorageError, match="models"):
        Tracker.open(TrackingSettings(), tmp_path)


def test_a_disk_that_takes_no_more_is_a_storage_error(tmp_path: Path) -> None:
    """The night job's message must say "make room", not "the server did not answer"."""
    program = """
import resource, sys
from pathlib import Path
from holdfast.errors import StorageError
from holdfast.tracking import Tracker, TrackingSettings
Tracker  # loaded before files may no longer grow
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    Tracker.open(TrackingSettings(), Path(sys.argv[1]))
except StorageError as error:
    print(error)
"""
    command = [sys.executable, "-B", "-c", program, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Make room, then repeat" in result.stdout, result.stderr


def test_opening_leaves_the_environment_as_it_was(tmp_path: Path) -> None:
    """A notebook that uses MLflow for other work keeps its own patience and its own log levels."""
    before = dict(os.environ)
    Tracker.open(TrackingSettings(), tmp_path)
    assert dict(os.environ) == before


def test_a_variable_in_the_uri_is_filled_in_or_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords belong in the environment, not in the configuration."""
    settings = TrackingSettings(uri="https://${STORE_USER}@mlflow.example")
    monkeypatch.setenv("STORE_USER", "analyst")
    assert settings.resolve(tmp_path)[0] == "https://analyst@mlflow.example"
    monkeypatch.delenv("STORE_USER")
    with pytest.raises(ConfigError, match="STORE_USER"):
        settings.resolve(tmp_path)


def test_a_sqlite_path_is_relative_to_the_configuration(tmp_path: Path) -> None:
    """The same configuration must find the same store from every folder."""
    assert TrackingSettings(uri="sqlite:///kept/runs.db").resolve(tmp_path)[0] == f"sqlite:///{tmp_path}/kept/runs.db"
    assert TrackingSettings(uri="sqlite:////srv/runs.db").resolve(tmp_path)[0] == "sqlite:////srv/runs.db"


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://me:hun/ter2@127.0.0.1:1/x",
        "postgresql://me:hun#ter2@127.0.0.1:1/x",
        "postgresql://me:hun[ter2@127.0.0.1:1/x",
        "postgresql://me:hunter2@127.0.0.1:port/x",
        "mysql://me:hunter2@127.0.0.1:99999999/x",
        "http://me:hunter2@127.0.0.1:port/",
        "postgresql://me:hun\udce4ter2@127.0.0.1:1/x",
        "sqlite://",
    ],
)
def test_an_address_that_cannot_be_read_is_refused_and_not_quoted(uri: str, tmp_path: Path) -> None:
    """What looks like a port or a host may be a piece of the password."""
    with pytest.raises(ConfigError, match=r"tracking\.uri") as refused:
        Tracker.open(TrackingSettings(uri=uri), tmp_path)
    assert re.search(r"hun|ter2", str(refused.value)) is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_database_without_its_driver_is_a_matter_of_the_configuration(tmp_path: Path) -> None:
    """The scheme names a package that nobody promised to install."""
    with pytest.raises(ConfigError, match=r"tracking\.uri, mysql\+mysqldb://\*\*\*@/x, needs the driver 'MySQLdb'"):
        Tracker.open(TrackingSettings(uri="mysql+mysqldb://me:hunter2@/x"), tmp_path)


def test_a_server_that_echoes_a_header_gives_nothing_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies answer with the request that they refuse, and our message quotes their answer."""

    class Echo(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(400)
            self.end_headers()
            told = f"refused Authorization: {self.headers['Authorization']}, the token hunter2 is unknown"
            self.wfile.write(told.encode())

        def log_message(self, *said: object) -> None:
            pass

    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "hunter2")
    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with pytest.raises(RegistryError, match="refused") as refused:
                Tracker.open(TrackingSettings(uri=f"http://127.0.0.1:{server.server_port}"), tmp_path)
        finally:
            server.shutdown()
    assert "hunter2" not in str(refused.value)


def test_a_folder_with_a_hash_holds_its_own_store(tmp_path: Path) -> None:
    """In an address the sign would begin a fragment; in a folder's name it is a letter."""
    base = tmp_path / "shop #1"
    base.mkdir()
    Tracker.open(TrackingSettings(), base)
    assert (base / "models" / "mlflow.db").stat().st_size > 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shop #1"]
