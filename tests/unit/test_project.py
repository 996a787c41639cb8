"""What a notebook sees of a project."""

from __future__ import annotations

from pathlib import Path

from holdfast import Project
from tests.end_to_end.shop import settings


def test_a_project_shows_itself_without_reading_anything(tmp_path: Path) -> None:
    """The last line of a cell; names of a configuration are text, never markup."""
    project = Project.open(settings(currency="<b>EUR</b>"), base=tmp_path)
    shown = project._repr_html_()
    assert "no order within 60 days" in shown
    assert "&lt;b&gt;EUR" in shown
    assert "<b>" not in shown
    assert "tables" not in vars(project.dataset)
    assert repr(project).startswith("Project(name: ")


def test_completion_shows_what_a_user_needs(tmp_path: Path) -> None:
    """Two dozen names at most, and none of the machinery."""
    offered = dir(Project.open(settings(), base=tmp_path))
    assert {"train", "backtest", "promote", "score", "scored", "snapshots", "features", "check"} <= set(offered)
    assert len(offered) <= 30
    assert not any(name.startswith("_") for name in offered)
