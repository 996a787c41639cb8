"""Building a business: the same arguments give the same folder, whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast.errors import ConfigError, StorageError
from holdfast.progress import Advance
from holdfast.simulate import Kind, simulate

FEW = 60


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("kind", ["retail", "subscription"])
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, kind: Kind) -> None:
    """A figure in a report can only be repeated if its input can."""
    first = simulate(kind, tmp_path / "first", customers=FEW, seed=3)
    second = simulate(kind, tmp_path / "second", customers=FEW, seed=3)
    assert contents(first.folder) == contents(second.folder)
    assert "truth/truth.parquet" in contents(first.folder)


def test_a_second_run_changes_nothing_and_another_seed_replaces_the_folder(tmp_path: Path) -> None:
    """A demo is started again and again."""
    folder = tmp_path / "demo" / "retail"
    first = simulate("retail", folder, customers=FEW, seed=3)
    written = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    again = simulate("retail", folder, customers=FEW, seed=3)
    assert (first.reused, again.reused) == (False, True)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == written
    assert again.rows == first.rows
    before = contents(folder)
    assert not simulate("retail", folder, customers=FEW, seed=4).reused
    assert contents(folder)["orders.parquet"] != before["orders.parquet"]
    assert [path.name for path in folder.parent.iterdir()] == ["retail"]


def test_a_folder_that_lost_a_table_is_built_anew(tmp_path: Path) -> None:
    """A folder that looks complete must be complete."""
    built = simulate("retail", tmp_path / "shop", customers=FEW)
    built.tables["orders"].unlink()
    assert not simulate("retail", tmp_path / "shop", customers=FEW).reused
    assert built.tables["orders"].is_file()


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    """People make the folder first."""
    (tmp_path / "shop").mkdir()
    assert simulate("retail", tmp_path / "shop", customers=FEW).truth.is_file()


def test_somebody_elses_folder_is_refused(tmp_path: Path) -> None:
    """Nothing that we did not build is ever replaced."""
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"something else is there.*Name another folder"):
        simulate("retail", tmp_path, customers=FEW)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "bakery"}, "among retail, subscription; found 'bakery'"),
        ({"kind": "retail", "customers": 3}, "at least 10 customers; found 3"),
        ({"kind": "retail", "seed": -1}, "seed from 0 upwards; found -1"),
        ({"kind": "retail", "season": 1.0}, "season from 0 to below 1; found 1.0"),
    ],
)
def test_wrong_arguments_are_named(tmp_path: Path, arguments: dict[str, object], message: str) -> None:
    """Wanted, found, what to do."""
    with pytest.raises(ConfigError, match=message):
        simulate(folder=tmp_path / "shop", **arguments)  # type: ignore[arg-type]  # wrong on purpose
    assert not (tmp_path / "shop").exists()


def test_an_interrupted_build_leaves_nothing_behind(tmp_path: Path) -> None:
    """Ctrl-C in the middle must not leave half a business."""

    @contextmanager
    def interrupting(label: str, total: int | None = None) -> Iterator[Advance]:
        yield lambda _: None
        raise KeyboardInterrupt(label)

    with pytest.raises(KeyboardInterrupt):
        simulate("retail", tmp_path / "shop", customers=FEW, progress=interrupting)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_build_shows_no_folder_and_the_next_run_clears_the_site(tmp_path: Path) -> None:
    """A kill gives no chance to clean up."""
    folder = tmp_path / "shop"
    code = f"from holdfast.simulate import simulate; simulate('retail', {str(folder)!r}, customers=3000)"
    process = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".holdfast-*/new")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert list(tmp_path.glob(".holdfast-*/new"))
    assert not folder.exists()
    simulate("retail", folder, customers=FEW)
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The disk's own words are not enough to act on."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="Wanted to write a business to"):
        simulate("retail", tmp_path / "file" / "shop", customers=FEW)


def test_the_progress_is_told(tmp_path: Path) -> None:
    """Whoever waits wants to see it move."""
    steps: dict[str, list[int]] = {}

    @contextmanager
    def listening(label: str, total: int | None = None) -> Iterator[Advance]:
        done = steps.setdefault(label, [])
        yield done.append
        assert total is None or sum(done) == total

    simulate("retail", tmp_path / "shop", customers=FEW, progress=listening)
    assert len(steps) == 3
