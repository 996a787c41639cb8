"""The figure of learning curves shows their numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from holdfast.backtest import LearningCurves
from holdfast.metrics import Interval
from holdfast.report.curves import drawn
from holdfast.report.plots import save
from tests.unit.backtest.test_learning_curve import curve


@pytest.fixture
def found() -> LearningCurves:
    """Two curves made by hand."""
    by_cutoffs = curve("cutoffs", [1, 2, 3, 6], 0.004, 0.002, 0.006)
    return LearningCurves((0,), by_cutoffs, curve("customers", [0.5, 1], 0.01, -0.01, 0.02), fits=6, new=6)


def test_every_point_stands_where_it_belongs(found: LearningCurves) -> None:
    """A panel for each question and measure; doublings are equally far apart."""
    risk_by_cutoffs, _, value_by_cutoffs, value_by_customers = drawn(found).axes
    line = risk_by_cutoffs.get_lines()[1]
    assert list(line.get_xdata()) == [1, 2, 3, 6]
    assert list(line.get_ydata()) == [0.5] * 4
    assert risk_by_cutoffs.get_xscale() == "log"
    assert [label.get_text() for label in value_by_customers.get_xticklabels()] == ["1/2", "all"]
    assert list(value_by_cutoffs.get_lines()[1].get_ydata()) == [9.0] * 4
    assert "log loss" in risk_by_cutoffs.get_ylabel()
    assert "value MAE" in value_by_cutoffs.get_ylabel()


def test_bars_are_intervals_of_the_difference_to_the_largest(found: LearningCurves) -> None:
    """Two intervals side by side would hide what the pairs show; the largest has no difference to itself."""
    bars = drawn(found).axes[0].collections[0].get_segments()
    assert len(bars) == 3
    assert np.allclose(bars[0][:, 1], [0.502, 0.506])


def test_every_point_and_bar_can_be_seen(found: LearningCurves) -> None:
    """Panels of a row share their axis, also where their levels differ."""
    last = found.by_customers.points[-1]
    higher = replace(last, metrics={**last.metrics, "mae": Interval(12.0, 11.0, 13.0)})
    apart = replace(found, by_customers=replace(found.by_customers, points=(found.by_customers.points[0], higher)))
    for axes in drawn(apart).axes:
        bottom, top = axes.get_ylim()
        shown = [
            *axes.get_lines()[1].get_ydata(),
            *(y for bar in axes.collections[0].get_segments() for y in bar[:, 1]),
        ]
        assert bottom < min(shown) <= max(shown) < top


def test_chance_is_not_drawn_large(found: LearningCurves) -> None:
    """An axis that zooms into a thousandth makes noise look like an effect."""
    bottom, top = drawn(found).axes[2].get_ylim()
    assert top - bottom >= 0.02 * 9.0


def test_the_figure_is_written(found: LearningCurves, tmp_path: Path) -> None:
    """Beside those of the backtest."""
    (path,) = save({"learning_curves": drawn(found)}, tmp_path / "plots")
    assert path.name == "learning_curves.png"
    assert path.read_bytes().startswith(b"\x89PNG")
