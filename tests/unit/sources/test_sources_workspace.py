"""Temporary folders of jobs that were killed, and of those that were not."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from holdfast.sources.connection import connect
from holdfast.sources.duck_tables import discard
from holdfast.sources.workspace import YOUNG_SECONDS, workspace

WORK = """
import sys, time
from holdfast.sources.connection import connect
connection, folder = connect("100MB", 1)
print(folder, flush=True)
time.sleep(60)
"""


def age(folder: Path) -> None:
    """Make a folder look as if it had been there for a while."""
    long_ago = time.time() - 2 * YOUNG_SECONDS
    os.utime(folder, (long_ago, long_ago))


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder that no other job of this machine uses."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_next_job_removes_what_a_killed_one_left(temporary: Path) -> None:
    """A nightly job that is killed every night would fill the disk with copies of the customers' data."""
    with subprocess.Popen([sys.executable, "-c", WORK], stdout=subprocess.PIPE, text=True) as job:
        assert job.stdout is not None
        folder = Path(job.stdout.readline().strip())
        assert folder.parent == temporary
        age(folder)
        discard(*connect("100MB", 1))
        assert folder.is_dir(), "while the job runs, nobody touches its tables"
        job.kill()
    discard(*connect("100MB", 1))
    assert list(temporary.iterdir()) == []


def test_folders_that_are_young_ours_or_strange_stay(temporary: Path) -> None:
    """A job may be about to open its database; our own are open; the rest is not ours to judge."""
    ours, young = workspace(), temporary / "holdfast-tables-1-young"
    aged, strange, link = (
        temporary / "holdfast-tables-1-aged",
        temporary / "another",
        temporary / "holdfast-tables-link",
    )
    for folder in (young, aged, strange):
        folder.mkdir()
    link.symlink_to(strange)
    for folder in (ours, aged, strange):
        age(folder)
    fresh = workspace()
    assert sorted(temporary.iterdir()) == sorted([ours, young, strange, link, fresh])
