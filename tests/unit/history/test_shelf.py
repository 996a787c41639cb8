"""Rows on the way to their chunks."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from holdfast.errors import StorageError
from holdfast.history.spill import Shelf

PLACES = 5


def batches(count: int = 7, rows: int = 100) -> list[tuple[list[np.ndarray], np.ndarray]]:
    """Batches of two columns and the places of their rows; the fourth place gets none."""
    random = np.random.default_rng(0)
    return [
        ([random.integers(0, 2**62, rows), np.arange(rows) + 1000 * number], random.choice([0, 1, 2, 4], rows))
        for number in range(count)
    ]


def wanted(place: int) -> list[list[int]]:
    """What a place must give back: its rows in the order they came."""
    found: list[list[int]] = [[], []]
    for columns, places in batches():
        for column, values in zip(found, columns, strict=True):
            column.extend(values[places == place].tolist())
    return found


@pytest.mark.parametrize("bytes_in_memory", [0, 3000, 2**30])
def test_a_place_gives_back_its_rows_in_the_order_they_came(tmp_path: Path, bytes_in_memory: int) -> None:
    """Whether they were kept in memory, in files, or partly in both."""
    shelf = Shelf(tmp_path, PLACES, bytes_in_memory)
    for columns, places in batches():
        shelf.put(columns, places)
    assert any(tmp_path.iterdir()) == (bytes_in_memory < 2**30)
    for place in (0, 1, 2, 4):
        assert [column.tolist() for column in shelf.take(place)] == wanted(place)
    assert shelf.take(3) == []
    shelf.close()
    assert not any(tmp_path.iterdir())


def test_several_threads_lose_no_row(tmp_path: Path) -> None:
    """Pieces of two threads must not be written into each other."""
    shelf = Shelf(tmp_path, PLACES, 0)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda batch: shelf.put(*batch), batches()))
    for place in (0, 1, 2, 4):
        pairs = sorted(zip(*(column.tolist() for column in shelf.take(place)), strict=True))
        assert pairs == sorted(zip(*wanted(place), strict=True))


def test_what_was_never_taken_is_removed(tmp_path: Path) -> None:
    """A build that was interrupted leaves nothing."""
    shelf = Shelf(tmp_path, PLACES, 0)
    shelf.put(*batches()[0])
    assert any(tmp_path.iterdir())
    shelf.close()
    assert not any(tmp_path.iterdir())


def test_a_disk_that_refuses_is_named_with_what_was_needed(tmp_path: Path) -> None:
    """The person on duty needs the place and the size."""
    folder = tmp_path / "gone"
    folder.mkdir()
    shelf = Shelf(folder, PLACES, 0)
    shutil.rmtree(folder)
    with pytest.raises(StorageError, match=r"(?s)Wanted to write [\d,]+ bytes of events to .*gone.*TMPDIR"):
        shelf.put(*batches()[0])
