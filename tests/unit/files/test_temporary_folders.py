"""Temporary folders of jobs that were killed, and of those that were not."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast.files import TemporaryFolder, sweep, temporary_folder, whole_file, whole_folder
from holdfast.files.system_lock import take
from holdfast.files.temporary import PREFIX
from holdfast.sources.connection import connect, discard

OPENS_TABLES = """
import sys
from holdfast.sources.connection import connect
connection, folder = connect("100MB", 1)
print(folder.path, flush=True)
sys.stdin.read()
"""
FILLS_A_FOLDER = """
import os, pathlib, sys
from holdfast.files import whole_folder
place = pathlib.Path(sys.argv[1])
renamed = pathlib.Path.rename
def rename(path, target):
    found = renamed(path, target)
    print(path.name, flush=True)
    sys.stdin.read()
pathlib.Path.rename = rename
with whole_folder(place) as folder:
    (folder / "a").write_text("new")
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder that no other job of this machine uses."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@contextmanager
def job(program: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that says one line and then waits to be killed."""
    command = [sys.executable, "-c", program, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def test_the_next_job_removes_what_a_killed_one_left_and_nothing_that_is_at_work(temporary: Path) -> None:
    """A nightly job that is killed every night would fill the disk with copies of the customers' data."""
    with job(OPENS_TABLES) as (_, said):
        assert Path(said).parent == temporary
        discard(*connect("100MB", 1))
        assert Path(said, "tables.duckdb").exists(), "while the job runs, nobody touches its tables, however young"
    discard(*connect("100MB", 1))
    assert list(temporary.iterdir()) == []


def test_folders_that_are_in_use_or_not_ours_stay(temporary: Path) -> None:
    """A folder of a person may be called like ours; one without our lock is not ours to judge."""
    persons, link = temporary / "holdfast-notes", temporary / "holdfast-link"
    persons.mkdir()
    (persons / "notes.txt").write_text("mine")
    link.symlink_to(persons)
    with temporary_folder() as first, temporary_folder() as second:
        assert sorted(temporary.iterdir()) == sorted([persons, link, first, second])
    assert sorted(temporary.iterdir()) == sorted([persons, link])


def test_a_folder_may_be_closed_twice(temporary: Path) -> None:
    """Tables and whoever opened them both clean up; the second must not free somebody else's lock."""
    folder = TemporaryFolder.make()
    folder.close()
    with temporary_folder() as other:
        folder.close()
        sweep(temporary)
        assert other.is_dir()


def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    """Files and folders alike: the old one whole, and nothing beside it."""
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "file") as partial:
        (partial.with_name("half").write_text("half"), (partial / "of no folder").read_text())
    with pytest.raises(FileNotFoundError), whole_folder(tmp_path / "folder") as making:
        ((making / "half").write_text("half"), (making / "missing").read_text())
    assert (tmp_path / "file").read_text() == "old"
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


def test_a_job_killed_between_the_old_folder_and_the_new_one_loses_neither(tmp_path: Path) -> None:
    """A rename cannot replace a full folder, so for an instant there is none; the next job puts the old one back."""
    place = tmp_path / "models"
    place.mkdir()
    (place / "a").write_text("old")
    with job(FILLS_A_FOLDER, str(place)) as (_, said):
        assert said == "models"
        assert not place.exists()
        sweep(tmp_path, ".holdfast-")
        assert not place.exists(), "the job lives and will put the new one there"
    sweep(tmp_path, ".holdfast-")
    assert (place / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [place]


def test_a_folder_that_is_swept_away_cannot_be_taken_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its maker may come for the lock between freeing and removing, and would work in a folder that disappears."""
    made = Path(tempfile.mkdtemp(prefix=PREFIX, dir=tmp_path))
    remove, seen = shutil.rmtree, []

    def removing(path: Path, **how: bool) -> None:
        with pytest.raises(FileNotFoundError):
            take(made / ".lock")
        seen.append(path)
        remove(path, **how)

    monkeypatch.setattr(shutil, "rmtree", removing)
    sweep(tmp_path)
    assert len(seen) == 1
    assert list(tmp_path.iterdir()) == []
