"""A folder that is replaced whole: readers see the old one or the new one, never a mix, whenever the power fails.

::

    output/
      .holdfast.lock                          there while a job works here
      .versions/as_of=2025-01-01.3f2a…/       the files, complete and synced to disk before anything points at them
      .versions/.holdfast-…/                  a version in the making; what a killed job leaves is removed by the next
      as_of=2025-01-01 -> .versions/…         the pointer, replaced in one step

The version that a new one replaces stays until the next job runs, for readers that have it open. Whoever reads several
files of one list resolves the pointer once and reads them all behind it.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from holdfast.errors import StorageError
from holdfast.files import whole
from holdfast.files.lock import locked

LOCK_NAME = ".holdfast.lock"
VERSIONS = ".versions"
_POINTER = "pointer"


class Content(Protocol):
    """What a file is to hold, known before it is written."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def sha256(self) -> str:
        """The SHA-256 of the bytes, as text."""

    def blocks(self) -> Iterator[bytes]:
        """The bytes, one bounded block after the other."""


@dataclass(frozen=True)
class Bytes:
    """A content that is in memory."""

    content: bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.content)

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the bytes, as text."""
        return sha256(self.content).hexdigest()

    def blocks(self) -> Iterator[bytes]:
        """All of them at once."""
        yield self.content


@dataclass(frozen=True)
class VersionedFolder:
    """An output folder that this process alone may change; :func:`versioned_folder` gives it."""

    path: Path

    def replace(self, name: str, files: Mapping[str, Content]) -> Path:
        """Put a folder ``name`` with these files into it, whole or not at all; only owner and group may read it.

        The same files a second time change nothing.

        Raises
        ------
        StorageError
            The disk is too small or refuses; names the file and the bytes that are needed. What was there before is
            still there.
        """
        pointer, versions = self.path / name, self.path / VERSIONS
        needed = sum(content.size for content in files.values())
        at = pointer
        try:
            _require_pointer(pointer)
            version = _version(pointer, files)
            if version is None:
                return pointer
            _require_space(self.path, needed)
            with whole.whole_folder(versions / version, deny=whole.OTHERS) as making:
                for file_name, content in files.items():
                    at = pointer / file_name
                    whole.write(making / file_name, content.blocks())
            at = pointer
            _point(pointer, version)
        except OSError as error:
            raise _storage_error(error, at, needed) from error
        return pointer


@contextmanager
def versioned_folder(output: Path | str) -> Iterator[VersionedFolder]:
    """Take the folder for this job, or leave at once; what an earlier job left is removed.

    Raises
    ------
    LockedError
        Another job holds it.
    StorageError
        The folder cannot be made or written to.
    """
    output = Path(output)
    lock = output / LOCK_NAME
    with ExitStack() as held:
        try:
            output.mkdir(parents=True, exist_ok=True)
            held.enter_context(locked(lock, f"work in {output}", otherwise="give another output folder"))
            _tidy(output)
        except OSError as error:
            raise _storage_error(error, lock, 0) from error
        yield VersionedFolder(output)


def _version(pointer: Path, files: Mapping[str, Content]) -> str | None:
    """A name for the new version that the present one does not bear; None if the present one holds the same files."""
    present = pointer.readlink().name if pointer.is_symlink() else ""
    if present and _holds(pointer, files):
        return None
    digest = sha256()
    for name, content in files.items():
        digest.update(f"{name}:{content.sha256};".encode())
    version = f"{pointer.name}.{digest.hexdigest()[:16]}"
    return version + "-repaired" if version == present else version


def _holds(folder: Path, files: Mapping[str, Content]) -> bool:
    if not folder.is_dir() or sorted(path.name for path in folder.iterdir()) != sorted(files):
        return False
    return all(
        (folder / name).stat().st_size == content.size and whole.sha256(folder / name) == content.sha256
        for name, content in files.items()
    )


def _point(pointer: Path, version: str) -> None:
    fresh = pointer.parent / VERSIONS / _POINTER
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(Path(VERSIONS) / version)  # read from where it will stand
    fresh.replace(pointer)
    whole.sync(pointer.parent)


def _tidy(output: Path) -> None:
    """Remove what no pointer leads to: older versions, and what a killed job left. Only under the lock."""
    pointed = {path.readlink().name for path in output.iterdir() if path.is_symlink()}
    for path in (output / VERSIONS).glob("*"):
        if path.name not in pointed:
            if path.is_symlink() or not path.is_dir():
                path.unlink(missing_ok=True)
            else:
                shutil.rmtree(path, ignore_errors=True)


def _require_pointer(pointer: Path) -> None:
    if pointer.exists() and not pointer.is_symlink():
        raise StorageError(
            f"Wanted to publish at {pointer}, found a folder or file there that holdfast did not make. "
            "Move it away, or give another output folder."
        )


def _require_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageError(
            f"Wanted {needed:,} bytes of disk for the list in {folder}, found {free:,} free. "
            "Free space or give another output folder; what was there before is unchanged."
        )


def _storage_error(error: OSError, path: Path, needed: int) -> StorageError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    wanted = f" ({needed:,} bytes are needed in all)" if needed else ""
    todo = "Free space" if full else "Check the rights of the folder"
    return StorageError(
        f"Wanted to write {path}{wanted}; the system answered: {error.strerror or error}. "
        f"{todo} or give another output folder; what was there before is unchanged."
    )
