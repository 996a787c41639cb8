"""The configurations that we hand out."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.config import load
from tests.architecture.source_files import ROOT

CONFIGURATIONS = sorted((ROOT / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_every_configuration_loads(path: Path) -> None:
    """An example that is refused teaches that the tool does not work."""
    assert load(path).name


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_every_configuration_explains_itself(path: Path) -> None:
    """People copy an example and change it; the comments say what to change."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert sum("#" in line for line in lines) >= 5
