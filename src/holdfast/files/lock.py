"""A lock that says who holds it, and for which nobody waits without end."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from holdfast.errors import LockedError
from holdfast.files.system_lock import take

_PAUSE_SECONDS = 0.05
_LONGEST = 200  # characters of what a file says about its holder


@contextmanager
def locked(path: Path, wanted: str, *, otherwise: str = "", seconds: float = 0.0) -> Iterator[None]:
    """Hold the lock at ``path`` while the block runs; the file is there only while somebody holds it, or was killed.

    Parameters
    ----------
    path : Path
        In a folder that is there.
    wanted : str
        What this job is about to do, for the error: "publish in lists".
    otherwise : str
        What else its user may do than wait: "give another output folder".
    seconds : float
        How long to wait for another holder.

    Raises
    ------
    LockedError
        Another process, or this one, holds it; says which one and since when, if it could write that down.
    OSError
        The file cannot be made.
    """
    until = time.monotonic() + seconds
    while (free := take(path)) is None:
        if time.monotonic() >= until:
            waited = f" for {seconds:.0f} seconds" if seconds else ""
            raise LockedError(
                f"Wanted to {wanted}, found that another job holds {path}{waited}{_holder(path)}. "
                f"Wait until it ends{f', or {otherwise}' if otherwise else ''}. This job changed nothing."
            )
        time.sleep(_PAUSE_SECONDS)
    try:
        with suppress(OSError):  # a full disk locks all the same
            now = datetime.now(UTC).isoformat(timespec="seconds")
            path.write_text(f"process {os.getpid()} on {socket.gethostname()}, since {now}", encoding="utf-8")
        yield
    finally:
        free()


def _holder(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")[:_LONGEST]
    except OSError:
        return ""
    return f" ({text})" if text.isprintable() and text else ""
