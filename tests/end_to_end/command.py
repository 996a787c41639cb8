"""Runs ``holdfast`` as a user does, and keeps what it said and how it ended."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from holdfast.cli import main

HOLDFAST = (sys.executable, "-c", "from holdfast.cli import main; main()")


@dataclass(frozen=True)
class Answer:
    """Exit code, standard output and standard error of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What a program reads: the last line."""
        return json.loads(self.out.splitlines()[-1])


def holdfast(*arguments: str | Path) -> Answer:
    """Run the command line in this process, through its real entry; an escaped exception shows its trace."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(out), redirect_stderr(err), patch.object(sys, "argv", ["holdfast", *map(str, arguments)]):
        try:
            main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:  # what Python itself would do with it
            traceback.print_exc()
            code = 1
    return Answer(code, out.getvalue(), err.getvalue())


def done(*arguments: str | Path) -> Answer:
    """Run a command that must succeed."""
    answer = holdfast(*arguments)
    assert answer.code == 0, f"holdfast {' '.join(map(str, arguments))} ended with {answer.code}:\n{answer.err}"
    return answer


def started(*arguments: str | Path, folder: Path, **environment: str) -> subprocess.Popen[str]:
    """Start the command line as a process of its own."""
    return subprocess.Popen(
        [*HOLDFAST, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def apart(*arguments: str | Path, folder: Path, **environment: str) -> Answer:
    """Run the command line as a process of its own."""
    process = started(*arguments, folder=folder, **environment)
    out, err = process.communicate(timeout=300)
    return Answer(process.returncode, out, err)
