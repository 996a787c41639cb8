"""A folder that is there whole or not at all: built beside its place under another name, then renamed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from holdfast.errors import ConfigError, StorageError
from holdfast.files import whole_folder

MARK = "simulation.json"
"""Written last: a folder with it was built here, and is complete."""


def is_complete(folder: Path, identity: Mapping[str, object]) -> bool:
    """Whether the folder holds a complete simulation built with exactly these arguments.

    Raises
    ------
    ConfigError
        Something else is there, which must not be replaced.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
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
    """Give an empty folder to build in; it takes its place when the block ends well, and is gone when not.

    Raises
    ------
    StorageError
        The disk refused to keep what was written.
    """
    try:
        with whole_folder(folder.absolute()) as stage:
            yield stage
    except OSError as error:
        raise StorageError(
            f"Wanted to write a business to {folder.absolute()}; the system answered: {error.strerror or error}. "
            "Free some space or name a folder that can be written, then run again."
        ) from error
