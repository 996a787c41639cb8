"""Rows on the way to their chunks: in memory while they are few, beyond that in files beside the database."""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from threading import Lock

import numpy as np

from holdfast.errors import StorageError
from holdfast.history.arrays import Indices

BYTES_IN_MEMORY = 512 * 2**20


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
        order = np.argsort(places.astype(np.int16 if len(self._pieces) < 2**15 else np.int64), kind="stable")
        edges = np.searchsorted(places[order], np.arange(len(self._pieces) + 1))
        for place in np.flatnonzero(np.diff(edges)).tolist():
            rows = order[edges[place] : edges[place + 1]]
            piece = [column[rows] for column in columns]
            size = sum(column.nbytes for column in piece)
            if self._held + size <= self._limit:
                self._held += size
                self._pieces[place].append(piece)
            else:
                self._write(place, piece, size)

    def _write(self, place: int, piece: list[Indices], size: int) -> None:
        try:
            if self._spilled is None:
                self._spilled = Path(mkdtemp(prefix="rows-", dir=self._folder))
            with self._file(place).open("ab") as file:
                for column in (np.array([piece[0].size]), *piece):
                    file.write(column.data)
        except OSError as error:
            raise StorageError(
                f"Wanted to write {size:,} bytes of sorted events to {self._file(place)}; the system answered: "
                f"{error.strerror or error}. Free some space there, or point TMPDIR at a larger disk."
            ) from error

    def _file(self, place: int) -> Path:
        return (self._spilled or self._folder) / f"{place}.rows"

    def take(self, place: int) -> list[Indices]:
        """The columns of all rows of a place, which is empty afterwards; no columns at all if nothing came."""
        pieces, self._pieces[place] = self._pieces[place], []
        with self._lock:
            self._held -= sum(column.nbytes for piece in pieces for column in piece)
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
