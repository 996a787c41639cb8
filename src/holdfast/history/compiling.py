"""Loops in machine code, and where that code is kept from one process to the next."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Loop = TypeVar("Loop", bound=Callable[..., object])


def compiled(loop: Loop) -> Loop:
    """Compile a loop once; it lets other threads run.

    The machine code is kept beside the source file or, where the installation is read-only, in the user's home; where
    neither can be written, in the temporary folder, and where that is not ours alone, nowhere.
    """
    kernel = numba.njit(nogil=True, error_model="numpy")(loop)
    try:
        kernel.enable_caching()
    except RuntimeError:  # numba finds no place
        _keep_in_temporary_folder(kernel)
    return cast(Loop, kernel)


def _keep_in_temporary_folder(kernel: Any) -> None:
    user = getattr(os, "geteuid", int)()  # Windows gives every user a temporary folder of their own
    folder = Path(tempfile.gettempdir()) / f"numba-of-holdfast-{user}"
    before = numba.config.CACHE_DIR
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        if _is_ours_alone(folder.lstat(), user):  # who could write here could have any code run
            numba.config.CACHE_DIR = str(folder)
            kernel.enable_caching()
    except (OSError, RuntimeError):
        return  # every process compiles for itself
    finally:
        numba.config.CACHE_DIR = before


def _is_ours_alone(told: os.stat_result, user: int) -> bool:
    others = stat.S_IRWXG | stat.S_IRWXO if os.name == "posix" else 0
    return stat.S_ISDIR(told.st_mode) and told.st_uid == user and not told.st_mode & others
