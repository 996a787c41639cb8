"""What the machine lends to this process, asked in a way that every system answers."""

from __future__ import annotations

import os


def cores() -> int:
    """How many cores this process may keep busy.

    The cores that the system gives it, and no more than OMP_THREAD_LIMIT: whoever starts a process as one of many (a
    worker, a task of Spark) sets that, and it binds LightGBM as well.
    """
    affinity = getattr(os, "sched_getaffinity", None)  # macOS and Windows have none
    found = (os.cpu_count() or 1) if affinity is None else len(affinity(0))
    return min(found, int(os.environ.get("OMP_THREAD_LIMIT") or found))
