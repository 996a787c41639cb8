"""A table on its way to a file: Parquet that grows piece by piece, in memory while small, then in a nameless file.

A nameless file belongs to its process: when the process ends, however it ends, the system frees the space, so no job
leaves anything behind for the next.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import sha256

import pandas as pd
import pyarrow.parquet as pq

from holdfast.errors import StorageError
from holdfast.partitioned.columns import ROWS_AT_ONCE, Columns, conform, no_rows, schema, to_arrow

BYTES_IN_MEMORY = 64 * 2**20
_BLOCK = 2**20


class Spool:
    """Rows of these columns, written with :meth:`append` until :meth:`finish`, then read as often as one likes.

    The file's bytes depend on the pieces alone: each one is a row group.

    Raises
    ------
    StorageError
        The temporary folder is full; it is named.
    """

    def __init__(self, columns: Columns) -> None:
        self.columns = dict(columns)
        self.rows = 0
        self._file = tempfile.SpooledTemporaryFile(max_size=BYTES_IN_MEMORY)  # noqa: SIM115 - lives as long as the table
        self._writer = pq.ParquetWriter(self._file, schema(columns), compression="zstd")

    def append(self, frame: pd.DataFrame) -> None:
        """Write a piece; one without rows leaves no trace."""
        if not len(frame):
            return
        try:
            self._writer.write_table(to_arrow(frame, self.columns), row_group_size=len(frame))
        except OSError as error:
            raise self._refused(error) from error
        self.rows += len(frame)

    def finish(self) -> Spool:
        """Close the table: from now on it is read."""
        try:
            self._writer.close()
            self._file.flush()
        except OSError as error:
            raise self._refused(error) from error
        return self

    def frames(self, reads: Sequence[str] | None = None) -> Iterator[pd.DataFrame]:
        """The rows as they were written, some columns or all."""
        names = list(self.columns if reads is None else reads)
        columns = {name: self.columns[name] for name in names}
        reader = pq.ParquetFile(self._file)
        for batch in reader.iter_batches(batch_size=ROWS_AT_ONCE, columns=names):
            yield conform(batch.to_pandas(), columns)

    def frame(self) -> pd.DataFrame:
        """The whole table in memory."""
        return conform(pd.concat([no_rows(self.columns), *self.frames()]), self.columns)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self._file.seek(0, 2)

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the file."""
        digest = sha256()
        for block in self.blocks():
            digest.update(block)
        return digest.hexdigest()

    def blocks(self) -> Iterator[bytes]:
        """The file's bytes."""
        self._file.seek(0)
        while block := self._file.read(_BLOCK):
            yield block

    def close(self) -> None:
        """Free the space."""
        self._file.close()

    def _refused(self, error: OSError) -> StorageError:
        return StorageError(
            f"Wanted to keep {self.rows:,} rows and more in the temporary folder {tempfile.gettempdir()}; the system "
            f"answered: {error.strerror or error}. Free space there, or set TMPDIR to a folder with more."
        )
