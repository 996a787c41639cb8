"""Temporary folders for tables: what a killed job left behind, the next one removes."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

DATABASE = "tables.duckdb"
YOUNG_SECONDS = 60.0
"""A folder younger than this may belong to a job that has not opened its database yet."""
_PREFIX = "holdfast-tables-"


def workspace() -> Path:
    """A new folder in the system's temporary folder; those of jobs that are no more are removed first."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if _abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-"))


def _abandoned(folder: Path) -> bool:
    """Whether it is our user's, has some age, and no process has its database open.

    DuckDB holds a lock on an open database, which the system frees when the process ends, however it ends. The folders
    of this process are left alone unseen: opening and closing such a file would free our own lock on it.
    """
    if folder.name.startswith(f"{_PREFIX}{os.getpid()}-"):
        return False
    try:
        told = folder.lstat()
        if told.st_uid != os.geteuid() or time.time() - told.st_mtime < YOUNG_SECONDS:
            return False
        descriptor = os.open(folder / DATABASE, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return True  # it never came to a database
    except OSError:
        return False
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)
