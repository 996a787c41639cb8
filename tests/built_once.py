"""What is dear to build is built by the first worker of a run that asks for it, and found by the others."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest


def built_once(factory: pytest.TempPathFactory, name: str, build: Callable[[Path], None]) -> Path:
    """The folder of that name in the temporary folder of the whole run; ``build`` fills it once."""
    own = factory.getbasetemp()
    run = own.parent if own.name.startswith("popen-") else own  # of all workers, and not of this one
    folder, finished = run / name, run / f"{name}.finished"
    with (run / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not finished.exists():
            folder.mkdir()
            build(folder)
            finished.touch()
    return folder
