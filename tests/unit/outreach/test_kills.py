"""A job may die at any moment; readers must not notice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from holdfast.files import VERSIONS, versioned_folder
from holdfast.outreach import publish
from tests.conftest import ROOT
from tests.unit.outreach.published import read_manifest
from tests.unit.outreach.scored import selected


def killed(folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """What readers found after each kill."""
    command = [sys.executable, "-m", "tests.unit.outreach.kills", str(folder), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=300)
    return [json.loads(line) for line in result.stdout.splitlines()]


def require_that_the_next_job_cleans_up(folder: Path) -> None:
    """One list after two quiet runs: the pointer's version and at most its predecessor."""
    for seed in (7, 7):
        with versioned_folder(folder) as output:
            pointer = publish(selected(n=60, seed=seed), output, report_html="", manifest={})
    read_manifest(pointer)
    assert [path.name for path in (folder / VERSIONS).iterdir()] == [pointer.resolve().name]


def test_a_kill_at_a_random_moment_leaves_the_old_or_the_new_list(tmp_path: Path) -> None:
    """Plain writes left a torn or mixed list in every second of such kills."""
    found = killed(tmp_path, "random", "40")
    assert len(found) == 40
    assert [entry for entry in found if not entry["whole"]] == []
    require_that_the_next_job_cleans_up(tmp_path)


def test_a_kill_before_each_single_operation_leaves_the_old_or_the_new_list(tmp_path: Path) -> None:
    """Chance might miss the one moment that matters; this goes through all of them, in order."""
    found = killed(tmp_path, "each")
    assert len(found) > 15
    assert [entry for entry in found if not entry["whole"]] == []
    which = [entry["which"] for entry in found]
    assert which == sorted(which), "the old list up to one moment, the new one from then on"
    assert set(which) == {0, 1}
    assert any(name.startswith(".holdfast-") for entry in found for name in entry["lying_about"]), (
        "some kills hit a version in the making"
    )
    assert [entry["killed"] for entry in found] == [True] * (len(found) - 1) + [False]
    require_that_the_next_job_cleans_up(tmp_path)
