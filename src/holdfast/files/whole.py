"""Files and folders that appear whole or not at all, and outlive a power cut."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from holdfast.files.temporary import HIDDEN, REPLACED, temporary_folder

OTHERS, ALL_BUT_OWNER = 0o007, 0o077
"""Rights to deny: to strangers where a list is handed to colleagues, to everybody where a job keeps data for itself."""


def write(path: Path, blocks: Iterable[bytes]) -> None:
    """Write a file that is not there yet, block by block, to the disk itself."""
    with path.open("xb") as file:
        for block in blocks:
            file.write(block)
        file.flush()
        os.fsync(file.fileno())


def sync(path: Path) -> None:
    """Make a written file, or the names in a folder, outlive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """The hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def whole_file(path: Path, *, deny: int = 0) -> Iterator[Path]:
    """Give a name to write to; the file takes its place in one step when the block ends well, and is gone when not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(path.parent, HIDDEN) as folder:
        partial = folder / path.name
        yield partial
        _deny(partial, deny)
        sync(partial)
        partial.replace(path)
        sync(path.parent)


@contextmanager
def whole_folder(place: Path, *, deny: int = 0) -> Iterator[Path]:
    """Give an empty folder to fill; it takes its place when the block ends well, and is gone when not.

    A folder that was there steps aside first, because a rename cannot replace a full one: for that instant a reader
    finds none. Whoever is killed then leaves it to the next one in the same parent to put it back.

    Parameters
    ----------
    place : Path
    deny : int
        Rights that nobody gets, whatever the user's mask says, such as :data:`OTHERS`.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(place.parent, HIDDEN) as folder:
        new, old = folder / "new", folder / REPLACED / place.name
        new.mkdir()
        yield new
        for path in (new, *new.rglob("*")):
            _deny(path, deny)
        sync(new)
        old.parent.mkdir()
        if place.exists():
            place.rename(old)
        new.rename(place)
        sync(place.parent)


def write_folder(place: Path, files: Mapping[str, bytes]) -> None:
    """Write a folder of these files, whole or not at all."""
    with whole_folder(place) as folder:
        for name, content in files.items():
            write(folder / name, [content])


def _deny(path: Path, rights: int) -> None:
    if rights:
        path.chmod(path.stat().st_mode & 0o777 & ~rights)
