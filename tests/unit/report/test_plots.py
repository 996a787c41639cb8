"""The plots of a backtest show its numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from holdfast.backtest import Backtest, backtest
from holdfast.errors import StorageError
from holdfast.report import plots
from holdfast.sampling import WEIGHT
from holdfast.timeline import instant, show
from tests.unit.learning.samples import MONTH, snapshots, training_spec


@pytest.fixture(scope="module")
def result() -> Backtest:
    """A backtest at two cutoffs."""
    tests = [instant("2024-01-01") + k * MONTH for k in (4, 6)]
    return backtest(snapshots(cutoffs=7), training_spec(), tests, draws=5)


def labels(figure: Figure) -> list[str]:
    """Entries of all legends."""
    return [text.get_text() for axes in figure.axes if (box := axes.get_legend()) for text in box.get_texts()]


def test_calibration_has_a_line_for_each_cutoff(result: Backtest) -> None:
    """A season shows as lines on different sides of the diagonal."""
    figure = plots.calibration(result)
    assert labels(figure) == ["perfect", *map(show, result.cutoffs)]
    line = figure.axes[0].get_lines()[1]
    assert np.mean(line.get_ydata()) == pytest.approx(
        result.predictions.loc[result.predictions["cutoff"] == result.cutoffs[0], "churned"].mean()
    )


def test_gains_end_with_everyone(result: Backtest) -> None:
    """All customers hold all churners; a baseline without values is absent from the right side."""
    left, right = plots.gains(result).axes
    assert [line.get_ydata()[-1] for line in left.get_lines()[1:5]] == pytest.approx([1.0] * 4)
    assert len(right.get_lines()) == len(left.get_lines()) - 1


def test_value_by_decile_shows_both_means(result: Backtest) -> None:
    """Ten tenths, predicted and observed."""
    predicted, came = plots.value_by_decile(result).axes[0].get_lines()
    assert np.mean(predicted.get_ydata()) == pytest.approx(result.predictions["model_value"].mean())
    assert np.mean(came.get_ydata()) == pytest.approx(result.predictions["future_value"].mean())


def test_plots_of_a_sample_show_what_it_stands_for(result: Backtest) -> None:
    """A row that stands for three is drawn like three rows."""
    rows = result.predictions
    weight = rows["churned"].map({0.0: 3.0, 1.0: 1.0})
    copies = replace(result, predictions=rows.loc[rows.index.repeat(weight.astype(int))].reset_index(drop=True))
    sample = replace(result, predictions=rows.assign(**{WEIGHT: weight}))
    at_half = []
    for one in (sample, copies, result):
        curve = plots.gains(one).axes[0].get_lines()[2]
        at_half.append(np.interp(0.5, curve.get_xdata(), curve.get_ydata()))
        bars = plots.calibration(one).axes[1].patches
        assert sum(bar.get_height() for bar in bars) == len(copies.predictions if one is not result else rows)
    came = plots.value_by_decile(sample).axes[0].get_lines()[1]
    assert np.mean(came.get_ydata()) == pytest.approx(np.average(rows["future_value"], weights=weight), rel=0.02)
    assert at_half[0] == pytest.approx(at_half[1], abs=1e-9)
    assert abs(at_half[0] - at_half[2]) > 0.01


def test_plots_are_written_where_asked(result: Backtest, tmp_path: Path) -> None:
    """PNG files, in a folder that need not exist."""
    paths = plots.save(plots.figures(result), tmp_path / "new" / "plots")
    assert [path.name for path in paths] == ["calibration.png", "gains.png", "value_by_decile.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in paths)


def test_a_disk_that_refuses_is_named(result: Backtest, tmp_path: Path) -> None:
    """One sentence instead of a traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"Wanted to write plots to .*file"):
        plots.save(plots.figures(result), tmp_path / "file")
