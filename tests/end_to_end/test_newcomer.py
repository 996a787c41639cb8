"""The README's way for one's own tables, command by command, in an empty folder with raw files only."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from holdfast.simulate import simulate
from tests.conftest import ROOT
from tests.end_to_end.command import done, holdfast


def steps() -> list[list[str]]:
    """The commands under "On your own tables", without their comments."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## On your own tables")[2]
    block = section.partition("```")[2].partition("```")[0]
    return [line.partition("#")[0].split()[1:] for line in block.strip().splitlines()]


def test_a_newcomer_comes_from_raw_files_to_a_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever follows the README and edits nothing gets a list of which every part can be questioned."""
    tables = simulate("subscription", tmp_path / "business", customers=400).tables.values()
    home = tmp_path / "home"
    home.mkdir()
    files = [shutil.copy(table, home) for table in tables]
    monkeypatch.chdir(home)
    assert [step[0] for step in steps()] == ["init", "check", "train", "backtest", "promote", "score"]
    for command, *arguments in steps():
        if command == "init":
            told = done("init", *(Path(file).name for file in files)).out
            continue
        answer = done(command, *arguments)
    assert re.search(r"score holdfast.yaml --as-of 2025-01-01", told)
    assert "scored" in answer.out
    folder = home / "lists" / "as_of=2025-01-01"
    counts = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert pq.read_metadata(folder / "at_risk.parquet").num_rows > 0, counts
    assert holdfast("init", "usage.parquet").code == 2, "the configuration is there already"
