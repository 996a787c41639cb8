"""The snapshots table as a Parquet file that is complete or absent, written piece by piece."""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from holdfast.errors import LockedError, StorageError
from holdfast.progress import SILENT, Progress
from holdfast.snapshots.building import require_members, require_stayed, snapshot_parts
from holdfast.snapshots.declared import Snapshots
from holdfast.sources import Engine


@dataclass(frozen=True)
class Written:
    """What a file holds.

    Attributes
    ----------
    rows : int
    left_in_gap : int
        Snapshots that were left out, because their customer had left when the outcome window began.
    """

    rows: int
    left_in_gap: int


def write_snapshots(tables: Engine, snapshots: Snapshots, path: Path, *, progress: Progress = SILENT) -> Written:
    """Write the snapshots in order of customer and cutoff; memory depends on the piece, not on the table.

    The rows go to a hidden file beside the path, which takes its name in one step when it is whole and on disk. What
    was there before stays until then, and a job that is killed leaves nothing under that name.

    Raises
    ------
    ConfigError, DataError
        As :func:`build_snapshots`.
    StorageError
        The disk refuses; names the file and what the table may need.
    LockedError
        Another job writes the same file.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("ab") as file:
            _require_alone(file, partial, path)
            try:  # under the lock from the first byte to the name: another job would empty the file in between
                written = _write(tables, snapshots, file, progress)
                partial.replace(path)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
    except OSError as error:
        rows = tables.customer_count * len(snapshots.cutoffs)
        raise StorageError(
            f"Wanted to write the snapshots to {path}; the system answered: {error.strerror or error}. "
            f"Up to {rows:,} rows of up to {8 * len(snapshots.schema):,} bytes need room. "
            "Free some space there, or name another place; what was there before is unchanged."
        ) from error
    return written


def _write(tables: Engine, snapshots: Snapshots, file: IO[bytes], progress: Progress) -> Written:
    """The whole table, on disk."""
    members = rows = 0
    file.truncate(0)  # what a killed job left
    with pq.ParquetWriter(file, snapshots.schema, compression="zstd", compression_level=1) as writer:
        for frame in snapshot_parts(tables, snapshots, progress=progress).frames(None):
            complete = frame if snapshots.labels is None else frame[frame["churned"].notna()]
            members, rows = members + len(frame), rows + len(complete)
            if len(complete):
                writer.write_table(pa.Table.from_pandas(complete, snapshots.schema, preserve_index=False))
    require_members(members, tables, snapshots)
    require_stayed(rows, members)
    file.flush()
    os.fsync(file.fileno())
    return Written(rows, members - rows)


def _require_alone(file: IO[bytes], partial: Path, path: Path) -> None:
    """The lock goes when the process ends, however it ends.

    Between opening and locking, the job that held the lock may have given the file its final name: then what we hold
    is the published table, and must not be touched.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        alone = partial.exists() and os.path.samestat(os.fstat(file.fileno()), partial.stat())
    except BlockingIOError:
        alone = False
    if not alone:
        raise LockedError(
            f"Wanted to write the snapshots to {path}, found that another job is writing them. "
            "Wait until it ends, or name another file. This job changed nothing."
        )
