"""Rows on the way to their chunks: in memory while they are few, beyond that in files beside the database."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from threading import Lock

import numpy as np

from holdfast.errors import StorageError
from holdfast.history.arrays import Indices
from holdfast.history.compiling import compiled

BYTES_IN_MEMORY = 256 * 2**20


class Shelf:
    """As many places as there are chunks; each takes rows in pieces and gives them back once, in the order they came.

    Parameters
    ----------
    folder : Path
        Where files go when memory is full; they are removed as they are taken.
    places : int
    bytes_in_memory : int
        Rows beyond this are written to files.
    """

    def __init__(self, folder: Path, places: int, bytes_in_memory: int = BYTES_IN_MEMORY) -> None:
        self._folder, self._limit, self._held = folder, bytes_in_memory, 0
        self._pieces: list[list[list[Indices]]] = [[] for _ in range(places)]
        self._spilled: Path | None = None
        self._widths = 0
        self._lock = Lock()

    def put(self, columns: list[Indices], places: Indices) -> None:
        """Add rows, each at its place.

        Parameters
        ----------
        columns : list of arrays of shape (n_rows,)
            64 bits each, whatever they mean.
        places : array of shape (n_rows,)
        """
        self._widths = len(columns)
        edges, targets = _grouped(places, len(self._pieces))
        moved = [_moved(column, targets) for column in columns]
        size = sum(column.nbytes for column in moved)
        with self._lock:
            fits = self._held + size <= self._limit
            self._held += size  # also of what does not fit: from then on all rows go to files, behind those in memory
        for place in np.flatnonzero(np.diff(edges)).tolist():
            piece = [column[edges[place] : edges[place + 1]] for column in moved]
            if fits:
                self._pieces[place].append(piece)
            else:
                self._write(place, piece)

    def _write(self, place: int, piece: list[Indices]) -> None:
        try:
            with self._lock:
                if self._spilled is None:
                    self._spilled = Path(mkdtemp(prefix="rows-", dir=self._folder))
                with self._file(place).open("ab") as file:
                    file.write(np.concatenate(([piece[0].size], *piece)).data)
        except OSError as error:
            needed = sum(column.nbytes for column in piece)
            raise StorageError(
                f"Wanted to write {needed:,} bytes of events to {self._file(place)}; the system answered: "
                f"{error.strerror or error}. Free some space there, or point TMPDIR at a larger disk."
            ) from error

    def _file(self, place: int) -> Path:
        return (self._spilled or self._folder) / f"{place}.rows"

    def take(self, place: int) -> list[Indices]:
        """The columns of all rows of a place, which is empty afterwards; no columns at all if nothing came."""
        pieces, self._pieces[place] = self._pieces[place], []
        if self._spilled is not None and self._file(place).exists():
            pieces += self._read(place)
            self._file(place).unlink()
        return [np.concatenate(columns) for columns in zip(*pieces, strict=True)] if len(pieces) != 1 else pieces[0]

    def _read(self, place: int) -> list[list[Indices]]:
        flat = np.fromfile(self._file(place), dtype=np.int64)
        pieces, at = [], 0
        while at < flat.size:
            rows, at = int(flat[at]), at + 1
            pieces.append(list(flat[at : at + self._widths * rows].reshape(self._widths, rows)))
            at += self._widths * rows
        return pieces

    def close(self) -> None:
        """Remove what was never taken."""
        self._pieces.clear()
        if self._spilled is not None:
            for file in self._spilled.iterdir():
                file.unlink()
            self._spilled.rmdir()
            self._spilled = None


@compiled
def _grouped(places: Indices, count: int) -> tuple[Indices, Indices]:
    """Where the rows of each place begin once they stand together, and where each row goes; equal places keep order."""
    edges = np.zeros(count + 1, dtype=np.int64)
    for j in range(places.size):
        edges[places[j] + 1] += 1
    for place in range(count):
        edges[place + 1] += edges[place]
    targets, free = np.empty(places.size, dtype=np.int64), edges[:-1].copy()
    for j in range(places.size):
        targets[j] = free[places[j]]
        free[places[j]] += 1
    return edges, targets


@compiled
def _moved(values: Indices, targets: Indices) -> Indices:
    """Each value where its target says."""
    out = np.empty(values.size, dtype=np.int64)
    for j in range(values.size):
        out[targets[j]] = values[j]
    return out
