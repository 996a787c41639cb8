"""A snapshots table in one file that several processes map into memory, so that they share one copy of it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from holdfast.errors import StorageError


def write(snapshots: pd.DataFrame, path: Path) -> Path:
    """Write the table as one uncompressed piece, numbers as they lie in memory.

    Raises
    ------
    StorageError
        The disk refused.
    """
    schema = pa.Schema.from_pandas(snapshots, preserve_index=False)
    columns = [_arrow(snapshots[name], schema.field(str(name)).type) for name in snapshots]
    table = pa.Table.from_arrays(columns, schema=schema)
    try:
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as writer:
            writer.write_table(table, max_chunksize=max(1, len(snapshots)))
    except OSError as error:
        raise StorageError(
            f"Wanted to write {table.nbytes:,} bytes of snapshots to {path} for worker processes to read; the system "
            f"answered: {error.strerror or error}. Free space there, point TMPDIR at a larger disk, or use one job."
        ) from error
    return path


def _arrow(column: pd.Series[Any], kind: pa.DataType) -> pa.Array:
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iuf":
        return pa.array(column.to_numpy(), kind, from_pandas=False)  # NaN stays a number, so nobody has to copy it back
    found = pa.array(column, kind, from_pandas=True)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def mapped(path: Path) -> pd.DataFrame:
    """The table of such a file; its numbers stay in the file's pages, which the system shares between processes."""
    with pa.memory_map(str(path)) as file:
        found: pd.DataFrame = pa.ipc.open_file(file).read_all().to_pandas(split_blocks=True)
    return found


def digest(snapshots: pd.DataFrame) -> str:
    """SHA-256 over names, types and values, in the order in which they stand."""
    whole = hashlib.sha256()
    for name in snapshots:
        column = snapshots[name]
        whole.update(f"{name}\0{column.dtype}\0{len(column)}\0".encode())
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "iufb":
            whole.update(np.ascontiguousarray(column.to_numpy()).data)
        else:
            whole.update(np.ascontiguousarray(pd.util.hash_pandas_object(column, index=False).to_numpy()).data)
    return whole.hexdigest()
