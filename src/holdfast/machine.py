"""What the machine lends to this process, asked in a way that every system answers."""

from __future__ import annotations

import os
from pathlib import Path


def cores() -> int:
    """How many cores this process may keep busy.

    Those that the system, a container and the process's own affinity leave it, and no more than OMP_THREAD_LIMIT:
    whoever starts a process as one of many (a worker, a task of Spark) sets that, and it binds LightGBM as well.
    """
    from joblib import cpu_count

    found = int(cpu_count())
    return min(found, int(os.environ.get("OMP_THREAD_LIMIT") or found))


def free_memory() -> int:
    """Bytes that can be had without swapping; where a system does not say, all that it has, or as if it were enough."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # Windows has no such function, other systems no such name
        return 2**62
