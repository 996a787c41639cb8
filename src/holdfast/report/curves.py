"""Learning curves as a figure: risk above, value below; more history on the left, more customers on the right."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from holdfast.backtest import LearningCurve, LearningCurves
from holdfast.metrics import RISK_METRICS, VALUE_METRICS, Metric
from holdfast.report.plots import INK, MODEL_COLOUR, finished

_ROWS: tuple[Metric, ...] = (RISK_METRICS["log_loss"], VALUE_METRICS["mae"])
_ASKED = {"cutoffs": "More history?", "customers": "More customers?"}
_LEAST_SPAN = 0.02  # of the level; chance drawn larger would look like an effect
_AXIS = {"cutoffs": "latest cutoffs learnt from", "customers": "share of customers learnt from"}


def drawn(found: LearningCurves) -> Figure:
    """A curve for each question and measure; every step to the right learns from more.

    A bar is the 95 % interval of the difference to the largest size, on the same resampled customers; a bar that does
    not reach the dotted line says that the rest of the data helped beyond chance.
    """
    figure = Figure(figsize=(8.4, 6.0), layout="constrained")
    grid = figure.subplots(len(_ROWS), len(found.curves), sharey="row", sharex="col", squeeze=False)
    for axes, metric in zip(grid, _ROWS, strict=True):
        for one, curve in zip(axes, found.curves, strict=True):
            _line(one, curve, metric)
        bottom, top = axes[0].get_ylim()  # of the whole row
        room = max(0.0, _LEAST_SPAN * (abs(bottom) + abs(top)) / 2 - (top - bottom)) / 2
        axes[0].set_ylim(bottom - room, top + room)
        axes[0].set_ylabel(f"{metric.label} ({metric.better} is better)", fontsize=9)
    for top, bottom, curve in zip(grid[0], grid[-1], found.curves, strict=True):
        top.set_title(_ASKED[curve.by])
        bottom.set_xlabel(_AXIS[curve.by], fontsize=9)
    figure.supxlabel("bars: 95 % interval of the difference to the largest size, by resampled customers", fontsize=8)
    return finished(figure, *grid.flat)


def _line(axes: Axes, curve: LearningCurve, metric: Metric) -> None:
    points = curve.points
    size = np.array([point.size for point in points])
    level = np.array([point.metrics[metric.name].estimate for point in points])
    gaps = [point.to_most[metric.name] for point in points]
    low, high = (np.array([level[-1] + getattr(gap, end) for gap in gaps]) for end in ("low", "high"))
    axes.axhline(level[-1], color=INK, linewidth=0.8, linestyle=":")
    axes.vlines(size[:-1], low[:-1], high[:-1], color=MODEL_COLOUR, linewidth=1.2)
    axes.plot(size, level, color=MODEL_COLOUR, marker="o", markersize=5, linewidth=1.6)
    axes.set_xscale("log", base=2)
    axes.set_xticks(size, [curve.label(each) for each in size])
    axes.minorticks_off()
    axes.grid(axis="y", linewidth=0.4, alpha=0.5)
