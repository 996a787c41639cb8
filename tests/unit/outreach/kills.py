"""Publishes lists in a child process, kills it, and reports what a reader finds afterwards.

Usage: ``python kills.py FOLDER random COUNT`` kills at random moments, ``python kills.py FOLDER each`` before each
single operation on the file system in turn. Prints one JSON object per kill.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

from holdfast.files import VERSIONS, versioned_folder
from holdfast.outreach import publish
from tests.unit.outreach.published import read_manifest
from tests.unit.outreach.scored import selected

LISTS = [selected(n=60, seed=seed) for seed in (1, 2)]
OPERATIONS = {"open", "os.mkdir", "os.rename", "os.symlink", "os.remove", "os.rmdir", "os.scandir", "shutil.rmtree"}


def put(folder: Path, which: int) -> None:
    """Publish one of the two lists."""
    with versioned_folder(folder) as output:
        publish(LISTS[which], output, report_html=f"<p>{which}</p>", manifest={"which": which})


def child(work: Callable[[], None]) -> int:
    """Run ``work`` in a forked process; its id."""
    process = os.fork()
    if process == 0:
        try:
            work()
        finally:
            os._exit(0)
    return process


def forever(folder: Path) -> None:
    """Publish one after the other, as fast as the disk allows."""
    for which in cycle((0, 1)):
        put(folder, which)


def killed_at(folder: Path, which: int, operation: int) -> None:
    """Publish, and die before the n-th operation on the file system."""
    seen = 0

    def count(event: str, _: object) -> None:
        nonlocal seen
        if event in OPERATIONS:
            if seen == operation:
                os.kill(os.getpid(), signal.SIGKILL)
            seen += 1

    sys.addaudithook(count)
    put(folder, which)


def told(folder: Path) -> dict[str, object]:
    """What a reader finds: which list, whole or not, and how much lies about."""
    try:
        manifest = read_manifest(folder / "as_of=2025-01-01")
    except (AssertionError, OSError, ValueError) as error:
        return {"whole": False, "problem": repr(error)}
    versions = sorted(path.name for path in (folder / VERSIONS).iterdir())
    known = manifest["list_id"] == LISTS[manifest["which"]].list_id
    return {"whole": known, "which": manifest["which"], "lying_about": versions}


def main() -> None:
    """Kill as asked on the command line."""
    folder, mode = Path(sys.argv[1]), sys.argv[2]
    put(folder, 0)
    if mode == "random":
        moments = random.Random(0)
        for _ in range(int(sys.argv[3])):
            sys.stdout.flush()
            process = child(lambda: forever(folder))
            time.sleep(moments.uniform(0.0, 0.08))
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            sys.stdout.write(json.dumps(told(folder)) + "\n")
        return
    for operation in range(1000):
        for _ in range(2):  # the second finds nothing to clean up, so every round begins alike
            put(folder, 0)
        sys.stdout.flush()
        process = child(lambda at=operation: killed_at(folder, 1, at))
        status = os.waitpid(process, 0)[1]
        sys.stdout.write(json.dumps(told(folder) | {"killed": os.WIFSIGNALED(status)}) + "\n")
        if not os.WIFSIGNALED(status):
            return


if __name__ == "__main__":
    main()
