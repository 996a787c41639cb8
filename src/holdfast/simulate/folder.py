"""A folder that is there whole or not at all: built beside its place under another name, then renamed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from holdfast.errors import ConfigError, StorageError

MARK = "simulation.json"
"""Written last: a folder with it was built here, and is complete."""


def is_complete(folder: Path, identity: Mapping[str, object]) -> bool:
    """Whether the folder holds a complete simulation built with exactly these arguments.

    Raises
    ------
    ConfigError
        Something else is there, which must not be replaced.
    """
    if folder.is_dir() and not any(folder.iterdir()):
        return False
    if not folder.exists():
        return False
    try:
        found = json.loads((folder / MARK).read_text(encoding="utf-8"))
        files = [folder / name for name in found["rows"]] + [folder / "truth" / "truth.parquet"]
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(
            f"Wanted to build a business in {folder}, but something else is there: it has no readable {MARK}. "
            "Name another folder, or remove this one."
        ) from None
    return {name: found.get(name) for name in identity} == dict(identity) and all(file.is_file() for file in files)


@contextmanager
def publish(folder: Path) -> Iterator[Path]:
    """Give an empty folder to build in; rename it to its place when the block ends well, remove it when not.

    What an earlier process left unfinished beside the place, because it was killed, is removed first.

    Raises
    ------
    StorageError
        The disk refused to keep what was written.
    """
    folder = folder.absolute()
    stage = folder.parent / f".{folder.name}.building-{os.getpid()}"
    old = folder.parent / f".{folder.name}.replaced-{os.getpid()}"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        stage.mkdir()
        yield stage
        if folder.exists():
            folder.rename(old)
        stage.rename(folder)
    except OSError as error:
        raise StorageError(
            f"Wanted to write a business to {folder}; the system answered: {error.strerror or error}. "
            "Free some space or name a folder that can be written, then run again."
        ) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove building sites of processes that are no more."""
    for step in ("building", "replaced"):
        for left in folder.parent.glob(f".{folder.name}.{step}-*"):
            process = left.name.rpartition("-")[2]
            if not process.isdigit() or int(process) == os.getpid() or not _alive(int(process)):
                shutil.rmtree(left, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
