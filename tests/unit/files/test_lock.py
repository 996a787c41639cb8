"""One holder at a time, on every system."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from holdfast.errors import LockedError
from holdfast.files import locked

HOLDS = """
import sys
from pathlib import Path
from holdfast.files import locked
with locked(Path(sys.argv[1]), "hold it"):
    print("held", flush=True)
    sys.stdin.read()
"""
WITHOUT_FCNTL = """
import sys
sys.modules["fcntl"] = None
"""
TRIES = """
from holdfast.errors import LockedError
import sys
from pathlib import Path
from holdfast.files import locked
try:
    with locked(Path(sys.argv[1]), "try it"):
        print("held")
except LockedError as error:
    print(error)
"""


def start(program: str, path: Path) -> subprocess.Popen[str]:
    """A process that has said that it holds the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def said(program: str, path: Path) -> str:
    """What a process says that tries to take the lock."""
    result = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    return result.stdout


@pytest.mark.parametrize("system", ["", WITHOUT_FCNTL], ids=["with fcntl", "without fcntl"])
def test_a_lock_keeps_others_out_until_its_holder_is_gone_however_it_goes(system: str, tmp_path: Path) -> None:
    """Windows has no fcntl; a job that is killed there must not lock a shop out for ever either."""
    path = tmp_path / "lock"
    holder = start(system + HOLDS, path)
    try:
        assert f"another job holds {path} (process {holder.pid} on" in said(system + TRIES, path)
    finally:
        holder.kill()
        holder.communicate()
    assert path.exists(), "the killed one could not remove it"
    assert said(system + TRIES, path) == "held\n"
    assert not path.exists()


@pytest.mark.parametrize("module", ["holdfast.project", "holdfast.tracking.tracker", "holdfast.backtest"])
def test_every_room_opens_without_fcntl(module: str) -> None:
    """One import of a module that Windows lacks, anywhere, and no command starts there."""
    subprocess.run([sys.executable, "-c", f"{WITHOUT_FCNTL}\nimport {module}"], check=True)


def test_a_wait_ends_with_the_name_of_the_holder(tmp_path: Path) -> None:
    """A scheduler has to hear who is in the way, and before its own patience ends."""
    path, began = tmp_path / "lock", time.monotonic()
    with (
        locked(path, "hold it"),
        pytest.raises(LockedError, match=rf"for 1 seconds \(process {os.getpid()} on") as refused,
        locked(path, "wait", seconds=1.0),
    ):
        pass
    assert time.monotonic() - began < 10
    assert refused.value.exit_code == 6


def test_who_waits_gets_the_lock_when_it_is_free(tmp_path: Path) -> None:
    """The holder ends within the wait, and its file goes with it."""
    path = tmp_path / "lock"
    holder = start(HOLDS, path)
    assert holder.stdin is not None
    holder.stdin.close()
    with locked(path, "wait", seconds=60.0):
        assert str(os.getpid()) in path.read_text()
    holder.wait()
    assert list(tmp_path.iterdir()) == []


def test_of_many_that_take_turns_never_two_hold_it(tmp_path: Path) -> None:
    """The file goes with each holder; whoever had opened it before must not believe to hold what nobody else sees."""
    program = """
import os, sys
from pathlib import Path
from holdfast.files import locked
lock, inside = Path(sys.argv[1]), Path(sys.argv[1]).with_name("inside")
for _ in range(200):
    with locked(lock, "take a turn", seconds=60):
        os.close(os.open(inside, os.O_CREAT | os.O_EXCL))  # refuses a second one
        inside.unlink()
"""
    jobs = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "lock")]) for _ in range(3)]
    assert [job.wait() for job in jobs] == [0, 0, 0]
