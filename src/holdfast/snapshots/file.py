"""The snapshots table as a Parquet file that is complete or absent, written piece by piece."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from holdfast.errors import StorageError
from holdfast.files import OTHERS, locked, whole_file
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
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock, wanted = path.with_name(f".{path.name}.lock"), f"write the snapshots to {path}"
        with locked(lock, wanted, otherwise="name another file"), whole_file(path, deny=OTHERS) as partial:
            written = _write(tables, snapshots, partial, progress)
    except OSError as error:
        rows = tables.customer_count * len(snapshots.cutoffs)
        raise StorageError(
            f"Wanted to write the snapshots to {path}; the system answered: {error.strerror or error}. "
            f"Up to {rows:,} rows of up to {8 * len(snapshots.schema):,} bytes need room. "
            "Free some space there, or name another place; what was there before is unchanged."
        ) from error
    return written


def _write(tables: Engine, snapshots: Snapshots, file: Path, progress: Progress) -> Written:
    """The whole table."""
    members = rows = 0
    with pq.ParquetWriter(file, snapshots.schema, compression="zstd", compression_level=1) as writer:
        for frame in snapshot_parts(tables, snapshots, progress=progress).frames(None):
            complete = frame if snapshots.labels is None else frame[frame["churned"].notna()]
            members, rows = members + len(frame), rows + len(complete)
            if len(complete):
                writer.write_table(pa.Table.from_pandas(complete, snapshots.schema, preserve_index=False))
    require_members(members, tables, snapshots)
    require_stayed(rows, members)
    return Written(rows, members - rows)
