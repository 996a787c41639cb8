"""A frozen copy of a checkout, and the processes that run its code: whoever edits the checkout may go on editing."""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

COPIED = ("src", "configs")
_COMMAND = Path(__file__).with_name("command.py")
_LAST_LINES = 8


class StepError(Exception):
    """A step of a checkout did not end well; says which, and what it said last."""


@dataclass(frozen=True)
class Spent:
    """Seconds on the clock and of all processors."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Checkout:
    """A copy of a checkout's code and configurations.

    Attributes
    ----------
    folder : Path
        Of the copy; ``../../shared/data`` of a configuration lies beside it.
    entry : str
        Where the command line begins, as ``module:function``.
    spent : dict
        What each step took, filled as steps end.
    """

    folder: Path
    entry: str
    spent: dict[str, Spent] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """SHA-256 over the source files and configurations."""
        whole = hashlib.sha256(self.entry.encode())
        for path in sorted(path for part in COPIED for path in (self.folder / part).rglob("*") if path.is_file()):
            if "__pycache__" not in path.parts:
                whole.update(path.relative_to(self.folder).as_posix().encode() + b"\0" + path.read_bytes())
        return whole.hexdigest()

    def command(self, step: str, *arguments: str | Path) -> str:
        """Run ``holdfast`` as a user would; returns what it printed.

        Raises
        ------
        StepError
            It ended with another code than 0.
        """
        return self.program(step, _COMMAND, self.entry, *arguments, ours=True)

    def program(self, step: str, file: Path, *arguments: str | Path, ours: bool) -> str:
        """Run a program of this folder, with the package of this checkout at hand or without any."""
        return self._run(step, [str(file)], arguments, ours=ours)

    def _run(self, step: str, program: list[str], arguments: tuple[str | Path, ...], *, ours: bool) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        environment["MLFLOW_DISABLE_TELEMETRY"] = "true"
        if ours:
            environment["PYTHONPATH"] = str(self.folder / "src")
        begun, before = perf_counter(), _cpu()
        done = subprocess.run(
            [sys.executable, "-P", "-W", "ignore", *program, *map(str, arguments)],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        self.spent[step] = Spent(perf_counter() - begun, _cpu() - before)
        if done.returncode:
            last = "\n".join(done.stderr.strip().splitlines()[-_LAST_LINES:])
            raise StepError(f"The step '{step}' ended with code {done.returncode}:\n{last}")
        return done.stdout


@contextmanager
def copied(source: Path, shared: Path) -> Iterator[Checkout]:
    """A copy of a checkout in a temporary folder, with the folder ``shared`` beside it.

    Raises
    ------
    SystemExit
        The folder is no checkout, or its package is not what Python imports from it.
    """
    with TemporaryDirectory(prefix="same-numbers-") as temporary:
        folder = Path(temporary).resolve() / "checkout"
        for part in COPIED:
            if not (source / part).is_dir():
                raise SystemExit(f"Wanted a checkout of the package in {source}, found no folder {part!r} there.")
            shutil.copytree(source / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        (folder.parent / "shared").symlink_to(shared.resolve())
        settings = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))
        checkout = Checkout(folder, settings["project"]["scripts"]["holdfast"])
        place = checkout._run("import", ["-c", "import holdfast; print(holdfast.__file__)"], (), ours=True).strip()
        if not Path(place).resolve().is_relative_to(folder):
            raise SystemExit(f"Wanted the package of {source}, found that Python imports {place}. Is it in the way?")
        checkout.spent.clear()
        yield checkout


def _cpu() -> float:
    """Seconds of all processors that children which have ended took, and theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
