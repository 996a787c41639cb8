"""A job may be killed at any moment, or started twice; who reads the list must not notice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from holdfast.files import VERSIONS
from tests.conftest import ROOT
from tests.end_to_end.command import done
from tests.end_to_end.shop import AS_OF, Shop
from tests.unit.outreach.published import read_manifest

KILLS = 12


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the killed jobs keep their tables."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def told(shop: Shop, temporary: Path) -> list[dict[str, Any]]:
    """What readers found after each kill; the last entry is about two jobs at once."""
    for name, contacts in (("few", 40), ("many", 60)):
        shop.write(f"{name}.yaml", outreach__budget={"contacts": contacts})
    result = subprocess.run(
        [sys.executable, "-m", "tests.end_to_end.kills", str(shop.folder), str(KILLS)],
        env={**os.environ, "TMPDIR": str(temporary)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_kill_leaves_the_previous_list_or_the_new_one(told: list[dict[str, Any]]) -> None:
    """A dozen kills of the whole command, half of them while it publishes: never a mix, never half a file."""
    kills = told[:-1]
    assert len(kills) == KILLS
    assert [entry for entry in kills if not entry["whole"]] == []
    near = [entry for entry in kills if entry["near"]]
    assert len(near) == KILLS // 2
    assert {entry["new"] for entry in kills} == {True, False}, "some kills came before the pointer moved, some after"


def test_the_next_run_cleans_up(told: list[dict[str, Any]], shop: Shop, temporary: Path) -> None:
    """Neither stagings beside the lists nor tables in the temporary folder pile up."""
    kills = told[:-1]
    assert any(len(entry["versions"]) > 1 for entry in kills), "some kills left something"
    assert any(entry["tables"] for entry in kills), "killed jobs cannot take their tables with them"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(temporary))
        for _ in range(2):  # the version that a new one replaces stays for those who have it open
            done("score", shop.folder / "few.yaml", "--as-of", AS_OF)
    assert list(temporary.iterdir()) == []
    pointer = shop.folder / "lists" / f"as_of={AS_OF}"
    read_manifest(pointer)
    assert [path.name for path in (shop.folder / "lists" / VERSIONS).iterdir()] == [pointer.resolve().name]


def test_of_two_jobs_at_once_one_publishes(told: list[dict[str, Any]]) -> None:
    """The other leaves with its own exit code and one sentence, and has changed nothing."""
    two = told[-1]
    assert (two["refused"], two["published"], two["changed"]) == (6, 0, True)
    assert "another job holds" in two["said"]
    assert "Traceback" not in two["said"]
    assert two["said"].count("\n") == 1
