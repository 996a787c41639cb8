"""Temporary folders that outlive nobody: what a killed process left, the next one removes.

A folder is in use while somebody holds the lock ``.lock`` in it. Whoever makes a folder and finds, once it holds the
lock, that the folder was swept away in between, makes another.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from holdfast.files.system_lock import Free, take

PREFIX = "holdfast-"
HIDDEN = f".{PREFIX}"
"""How the names of folders begin that stand beside what they will become."""
REPLACED = "replaced"
"""In a temporary folder: what stood in a place that is about to be filled anew; a sweep puts it back."""
_LOCK = ".lock"
_GONE = ".gone"


class TemporaryFolder:
    """A folder of this process, readable to its owner alone; :meth:`close` removes it."""

    def __init__(self, path: Path, free: Free) -> None:
        self.path = path
        self._free = free

    @classmethod
    def make(cls, parent: Path | None = None, prefix: str = PREFIX) -> TemporaryFolder:
        """A new one in the system's temporary folder, or in ``parent``; those of the dead are swept away first."""
        parent = Path(tempfile.gettempdir()) if parent is None else parent
        sweep(parent, prefix)
        while True:
            path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
            with suppress(FileNotFoundError):
                if free := take(path / _LOCK):
                    return cls(path, free)

    def close(self) -> None:
        """Remove it with all that it holds; what it keeps of a place that is empty now goes back there."""
        for kept in self.path.glob(f"{REPLACED}/*"):
            if not (place := self.path.parent / kept.name).exists():
                kept.rename(place)
        gone = self.path.with_name(f"{self.path.name}{_GONE}")
        with suppress(OSError):  # some systems move no folder with an open file
            self.path = self.path.rename(gone)  # while it is ours: whoever made it a moment ago shall not find it
        free, self._free = self._free, lambda: None
        free()  # first: some systems remove no open file
        shutil.rmtree(self.path, ignore_errors=True)


def abandoned(parent: Path, prefix: str = PREFIX) -> Iterator[TemporaryFolder]:
    """Folders that processes left which are no more; they are this process's now."""
    for path in sorted(parent.glob(f"{prefix}*")):
        with suppress(OSError):  # another user's, or gone by now
            if path.is_symlink() or not path.is_dir():
                continue
            ours = (path / _LOCK).exists() or not any(path.iterdir())
            if ours and (free := take(path / _LOCK)):
                yield TemporaryFolder(path, free)


def sweep(parent: Path, prefix: str = PREFIX) -> None:
    """Remove what killed processes left in a folder."""
    for left in abandoned(parent, prefix):
        left.close()


@contextmanager
def temporary_folder(parent: Path | None = None, prefix: str = PREFIX) -> Iterator[Path]:
    """A temporary folder for a block."""
    folder = TemporaryFolder.make(parent, prefix)
    try:
        yield folder.path
    finally:
        folder.close()
