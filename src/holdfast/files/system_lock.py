"""The system's own lock on a file, which it frees when the process ends, however it ends.

Where there is no ``flock``, the lock is that of an SQLite database beside the file, which every system has.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

Free = Callable[[], None]

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:
    import errno
    import sqlite3

    def take(path: Path) -> Free | None:
        """Lock the file, which is made if need be, and give what frees it; None while somebody holds it."""
        connection = sqlite3.connect(f"{path}.db", timeout=0, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("BEGIN EXCLUSIVE")
            path.touch()
        except sqlite3.OperationalError as error:
            connection.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                return None
            raise OSError(errno.EACCES, str(error), str(path)) from None
        except OSError:
            connection.close()
            raise

        def free() -> None:
            path.unlink(missing_ok=True)
            connection.close()

        return free

else:

    def take(path: Path) -> Free | None:
        """Lock the file, which is made if need be, and give what frees it; None while somebody holds it."""
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
            try:
                flock(descriptor, LOCK_EX | LOCK_NB)
                if _is_at(path, descriptor):
                    break
            except BlockingIOError:
                os.close(descriptor)
                return None
            except OSError:
                os.close(descriptor)
                raise
            os.close(descriptor)  # whoever held it removed the file after we had opened it

        def free() -> None:
            path.unlink(missing_ok=True)  # while it is ours: nobody may remove the file of the next holder
            os.close(descriptor)

        return free


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
