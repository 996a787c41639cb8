"""A list where others read it."""

from __future__ import annotations

import os
import resource
import shutil
import stat
import subprocess
import sys
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from holdfast.errors import ConfigError, LockedError, StorageError
from holdfast.files import LOCK_NAME, VERSIONS, Bytes, versioned_folder
from holdfast.outreach import Selection, publish
from holdfast.timeline import instant, show
from tests.conftest import ROOT
from tests.unit.outreach.published import FILES, read_manifest
from tests.unit.outreach.scored import selected

MANIFEST = {"model": {"name": "demo", "version": "3"}, "fingerprints": {"data": "d", "configuration": "c"}}


def published(output: Path, selection: Selection, page: str = "<p>page</p>") -> Path:
    """Publish under the lock."""
    with versioned_folder(output) as folder:
        return publish(selection, folder, report_html=page, manifest=MANIFEST)


def everything(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file below a folder with its bytes and the time it was written."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_list_is_a_folder_of_six_files_with_a_manifest_that_proves_them(tmp_path: Path) -> None:
    """A consumer checks what it reads against hashes, counts and the list's id."""
    selection = selected()
    pointer = published(tmp_path, selection)
    assert pointer == tmp_path / "as_of=2025-01-01"
    assert pointer.is_symlink()
    assert not pointer.readlink().is_absolute()
    manifest = read_manifest(pointer)
    assert manifest["list_id"] == selection.list_id
    assert manifest["as_of"] == "2025-01-01"
    assert manifest["counts"] == selection.counts
    assert manifest["model"] == {"name": "demo", "version": "3"}
    assert manifest["rules_not_applied"] == []
    assert manifest["holdfast_version"]


@pytest.mark.parametrize(
    ("instants", "names"),
    [
        (("2026-11-30",), ["as_of=2026-11-30"]),
        (("2026-11-30T06:00Z", "2026-11-30T18:00Z"), ["as_of=2026-11-30T060000Z", "as_of=2026-11-30T180000Z"]),
        (("2026-11-30T00:00+01:00", "2026-11-29"), ["as_of=2026-11-29", "as_of=2026-11-29T230000Z"]),
        (("2026-11-30T00:00:00.000001Z",), ["as_of=2026-11-30T000000.000001Z"]),
    ],
)
def test_every_instant_has_a_folder_of_its_own(tmp_path: Path, instants: tuple[str, ...], names: list[str]) -> None:
    """A list of the evening took the place of the morning's, and a midnight in Berlin that of the day before."""
    for each in instants:
        published(tmp_path, replace(selected(), as_of=instant(each)))
    found = sorted(path.name for path in tmp_path.glob("as_of=*"))
    assert found == names
    assert {read_manifest(tmp_path / name)["as_of"] for name in found} == {show(instant(each)) for each in instants}
    assert not set("".join(found)) & set('<>:"/\\|?*'), "some file systems take none of these in a name"


def test_a_list_is_for_its_owner_and_their_group(tmp_path: Path) -> None:
    """Colleagues read it, other users of the machine do not: it says who is about to leave."""
    before = os.umask(0o022)
    try:
        pointer = published(tmp_path, selected())
    finally:
        os.umask(before)
    assert stat.S_IMODE(pointer.stat().st_mode) == 0o750
    assert {stat.S_IMODE(path.stat().st_mode) for path in pointer.resolve().iterdir()} == {0o640}


def test_the_tables_come_back_as_they_were_selected(tmp_path: Path) -> None:
    """Types and values survive the files; also an empty table keeps its types."""
    selection = selected(budget={"contacts": 1}, control_share=0.999)
    assert selection.at_risk.empty
    pointer = published(tmp_path, selection)
    tables = {"at_risk": selection.at_risk}
    tables |= {"customers": selection.customers.frame(), "excluded": selection.excluded.frame()}
    for name, table in tables.items():
        found = pd.read_parquet(pointer.resolve() / f"{name}.parquet")
        pd.testing.assert_frame_equal(found, table, check_index_type=False)


def test_the_same_list_again_changes_no_byte_and_writes_nothing(tmp_path: Path) -> None:
    """A second run of the night must not look like a new list."""
    published(tmp_path, selected())
    before = everything(tmp_path)
    published(tmp_path, selected())
    assert everything(tmp_path) == before


def test_another_machine_writes_the_same_bytes(tmp_path: Path) -> None:
    """The bytes depend on the contents, not on the clock or the place."""
    first, second = published(tmp_path / "a", selected()), published(tmp_path / "b", selected())
    assert {n: (first / n).read_bytes() for n in FILES} == {n: (second / n).read_bytes() for n in FILES}


def test_a_reader_of_the_old_list_can_finish_and_the_next_run_cleans_up(tmp_path: Path) -> None:
    """A list is replaced under readers that have resolved it; their files stay for one more run."""
    old = published(tmp_path, selected(seed=1)).resolve()
    new = published(tmp_path, selected(seed=2)).resolve()
    assert old != new
    assert {path.name for path in old.iterdir()} == FILES
    newest = published(tmp_path, selected(seed=3)).resolve()
    assert not old.exists()
    assert new.exists()
    assert {path.name for path in (tmp_path / VERSIONS).iterdir()} == {new.name, newest.name}


def test_lists_of_other_days_stay(tmp_path: Path) -> None:
    """Cleaning up removes what nothing points at, never another day's list."""
    with versioned_folder(tmp_path) as folder:
        folder.replace("as_of=2024-12-31", {"a": Bytes(b"1")})
    published(tmp_path, selected(seed=1))
    published(tmp_path, selected(seed=2))
    published(tmp_path, selected(seed=3))
    assert (tmp_path / "as_of=2024-12-31" / "a").read_bytes() == b"1"


def test_a_damaged_list_is_written_anew(tmp_path: Path) -> None:
    """Publishing the same list over a broken copy repairs it, as often as needed."""
    for _ in range(3):
        pointer = published(tmp_path, selected())
        read_manifest(pointer)
        (pointer.resolve() / "at_risk.csv").write_bytes(b"broken")
    read_manifest(published(tmp_path, selected()))


def test_what_a_killed_job_left_is_removed(tmp_path: Path) -> None:
    """Staging folders of dead jobs would fill the disk one night at a time."""
    (tmp_path / VERSIONS / "staging").mkdir(parents=True)
    (tmp_path / VERSIONS / "staging" / "customers.parquet").write_bytes(b"half")
    (tmp_path / VERSIONS / "pointer").symlink_to("nowhere")
    pointer = published(tmp_path, selected())
    assert [path.name for path in (tmp_path / VERSIONS).iterdir()] == [pointer.resolve().name]


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    """A list that somebody copied by hand into the place of the pointer is theirs to move."""
    (tmp_path / "as_of=2025-01-01").mkdir()
    with pytest.raises(StorageError, match="found a folder or file there that holdfast did not make"):
        published(tmp_path, selected())


def test_own_fields_of_the_manifest_cannot_be_replaced(tmp_path: Path) -> None:
    """A caller's 'files' would make the proof worthless."""
    with versioned_folder(tmp_path) as folder, pytest.raises(ConfigError, match="its own: counts, files"):
        publish(selected(), folder, report_html="", manifest={"files": {}, "counts": {}})


def test_a_second_job_leaves_at_once_and_names_the_lock(tmp_path: Path) -> None:
    """Two jobs at once would publish a list of one with the page of the other; a nested attempt is refused as well."""
    with versioned_folder(tmp_path):
        with pytest.raises(LockedError, match=LOCK_NAME) as caught, versioned_folder(tmp_path):
            pass
        program = "import sys; from holdfast.files import versioned_folder\nwith versioned_folder(sys.argv[1]): pass"
        other = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=False)
        assert "LockedError" in other.stderr
    assert caught.value.exit_code == 6
    with versioned_folder(tmp_path):
        pass


def test_a_full_disk_is_seen_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how much is needed and how much there is."""
    published(tmp_path, selected(seed=1))
    before = everything(tmp_path)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 9, 1234))
    with pytest.raises(StorageError, match=r"Wanted [\d,]+ bytes of disk for the list in .*, found 1,234 free"):
        published(tmp_path, selected(seed=2))
    assert everything(tmp_path) == before


def test_a_disk_that_refuses_in_the_middle_leaves_the_old_list(tmp_path: Path) -> None:
    """A real refusal of the system, here by a limit on the size of files: no half list, no leftover, one message."""
    published(tmp_path, selected(seed=1))
    before = everything(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, limits[1]))
    try:
        with pytest.raises(StorageError, match=r"as_of=2025-01-01/\w+\.\w+ \([\d,]+ bytes are needed.*Free space"):
            published(tmp_path, selected(seed=2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert everything(tmp_path) == before
    assert [path.name for path in (tmp_path / VERSIONS).iterdir()] == [(tmp_path / "as_of=2025-01-01").resolve().name]


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    """A file where a folder is wanted, as a mistyped path gives it."""
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StorageError, match=r"Wanted to write .*file/lists/.*Check the rights"),
        versioned_folder(tmp_path / "file" / "lists"),
    ):
        pass


def test_publishing_syncs_every_file_before_the_pointer_moves(tmp_path: Path) -> None:
    """What is not on the disk when the pointer moves may be empty after a power cut."""
    result = subprocess.run(
        [sys.executable, "-c", TRACED, tmp_path], capture_output=True, text=True, check=True, cwd=ROOT
    )
    events = result.stdout.split()
    moved = events.index("replace")
    assert events[:moved].count("fsync") >= len(FILES) + 2
    assert "fsync" in events[moved:]
    assert (tmp_path / "as_of=2025-01-01").is_symlink()


TRACED = """
import os, sys
from pathlib import Path
from tests.unit.outreach.test_publish import published
from tests.unit.outreach.scored import selected
sync, replace = os.fsync, os.replace
os.fsync = lambda fd: (print("fsync"), sync(fd))[1]
os.replace = lambda a, b: (print("replace"), replace(a, b))[1]
published(Path(sys.argv[1]), selected())
"""


def test_a_list_can_be_moved_with_its_folder(tmp_path: Path) -> None:
    """The pointer is relative, so a copied or mounted output folder still works."""
    published(tmp_path / "here", selected())
    (tmp_path / "here").rename(tmp_path / "there")
    read_manifest(tmp_path / "there" / "as_of=2025-01-01")
