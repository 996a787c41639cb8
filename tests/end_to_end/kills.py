"""Runs ``holdfast score`` in forked processes that have everything imported, kills them, and reports what readers find.

Usage: ``python -m tests.end_to_end.kills FOLDER COUNT``. The folder holds ``few.yaml`` and ``many.yaml``, which publish
two different lists to the same place; each trial publishes the one that is not there. Half of the kills come at any
moment of the run, half while it publishes. Prints one JSON object per kill, then one about two jobs at once.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm  # noqa: F401 - so that no child spends its time on it
import mlflow.store.model_registry.sqlalchemy_store
import mlflow.store.tracking.sqlalchemy_store  # noqa: F401 - the same

from holdfast import cli, project
from holdfast.files import VERSIONS
from holdfast.report import console
from tests.end_to_end.shop import AS_OF
from tests.unit.outreach.published import read_manifest

WARM = (project.Project, console.show)


def score(folder: Path, which: str, publishing: Callable[[], None]) -> int:
    """Start ``holdfast score`` in a child that calls ``publishing`` once, when it begins to; its process id."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    told = os.open(folder / f"{which}.err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(told, 2)

    begun: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "os.mkdir" and f"{VERSIONS}/.holdfast-" in str(arguments[0]) and not begun:
            begun.append(str(arguments[0]))  # folders that are swept away later are moved to such a one too
            publishing()

    sys.addaudithook(watch)
    sys.argv = ["holdfast", "score", str(folder / f"{which}.yaml"), "--as-of", AS_OF]
    try:
        cli.main()
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 1)
    except BaseException:
        os._exit(99)
    os._exit(0)


def nothing() -> None:
    """Publish undisturbed."""


def finished(child: int) -> int:
    """Wait for a child; its exit code."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def found(folder: Path) -> str:
    """The list that a reader finds, every hash checked."""
    return str(read_manifest(folder / "lists" / f"as_of={AS_OF}")["list_id"])


def killed(folder: Path, which: str, wait: Callable[[int], None]) -> bool:
    """Score, kill after ``wait`` has read from the pipe or slept; whether the child was still running."""
    listen, call = os.pipe()
    child = score(folder, which, lambda: os.write(call, b"!") and None)
    wait(listen)
    os.kill(child, signal.SIGKILL)
    os.close(listen)
    os.close(call)
    return finished(child) == -signal.SIGKILL


def main() -> None:
    """Kill as often as asked."""
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    assert threading.active_count() == 1, "a fork copies one thread only"
    lists, draw = {}, random.Random(0)
    for which in ("few", "many", "few"):
        begun = time.monotonic()
        assert finished(score(folder, which, nothing)) == 0, (folder / f"{which}.err").read_text()
        lists[which] = found(folder)
    whole = time.monotonic() - begun
    publishing = 0.08
    present, kills, trials = "few", 0, 0
    while kills < count:
        other = "many" if present == "few" else "few"
        near = kills % 2 == 1
        moment = draw.uniform(0, publishing if near else whole)

        def wait(listen: int, near: bool = near, moment: float = moment) -> None:
            if near:
                assert select.select([listen], [], [], 60)[0], "the child never came to publishing"
            time.sleep(moment)

        trials += 1
        assert trials < 10 * count, "the children end before they can be killed"
        if killed(folder, other, wait):
            kills += 1
            try:
                now = found(folder)
                entry = {"near": near, "whole": now in lists.values(), "new": now == lists[other]}
            except (AssertionError, OSError, ValueError) as error:
                entry = {"near": near, "whole": False, "problem": repr(error)}
            versions = sorted(path.name for path in (folder / "lists" / ".versions").iterdir())
            tables = len(list(Path(tempfile.gettempdir()).iterdir()))
            tell(entry | {"moment": moment, "versions": versions, "tables": tables})
        present = next((name for name, known in lists.items() if known == found(folder)), present)
    two_at_once(folder, "many" if present == "few" else "few", present)


def two_at_once(folder: Path, first: str, second: str) -> None:
    """Halt a job while it publishes, start another one, let the first go on."""
    halted = score(folder, first, lambda: os.kill(os.getpid(), signal.SIGSTOP))
    assert os.WIFSTOPPED(os.waitpid(halted, os.WUNTRACED)[1])
    refused = finished(score(folder, second, nothing))
    before = found(folder)
    os.kill(halted, signal.SIGCONT)
    published = finished(halted)
    tell(
        {
            "refused": refused,
            "said": (folder / f"{second}.err").read_text(),
            "published": published,
            "changed": before != found(folder),
        }
    )


def tell(entry: dict[str, Any]) -> None:
    """One JSON object on a line of its own."""
    sys.stdout.write(json.dumps(entry) + "\n")


if __name__ == "__main__":
    main()
