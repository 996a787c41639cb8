"""Three looks at a backtest: are the risks true, does the order pay, and where does the value prediction err.

Each function returns a matplotlib figure that belongs to nobody: no window opens, nothing stays in pyplot's memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from numpy.typing import NDArray

from holdfast.backtest import MODEL, Backtest
from holdfast.errors import StorageError
from holdfast.sampling import weights
from holdfast.timeline import show

INK, MODEL_COLOUR = "#22303c", "#0b6e75"
_OTHER, _CAME = ("#c8743a", "#8a8f98", "#a06ab4"), "#d9a441"
_BINS = 10
Numbers = NDArray[np.float64]


def figures(result: Backtest) -> dict[str, Figure]:
    """All three by the name that their file should bear, without ending."""
    return {"calibration": calibration(result), "gains": gains(result), "value_by_decile": value_by_decile(result)}


def save(drawn: Mapping[str, Figure], folder: str | Path) -> list[Path]:
    """Write figures by name as PNG into a folder, which is made if it is not there.

    Raises
    ------
    StorageError
        The disk refused.
    """
    folder = Path(folder)
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in drawn.items():
            paths.append(folder / f"{name}.png")
            figure.savefig(paths[-1], dpi=144)
    except OSError as error:
        raise StorageError(f"Wanted to write plots to {folder}; the system answered: {error.strerror}.") from error
    return paths


def calibration(result: Backtest) -> Figure:
    """Predicted against observed churn in ten bins of equal count, a line a cutoff; below, how risks are spread."""
    figure = _figure(5.6, 6.0)
    upper, lower = figure.subplots(2, 1, height_ratios=[4, 1], sharex=True)
    upper.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=":", label="perfect")
    shades = np.linspace(0.35, 1.0, len(result.cutoffs))
    for shade, cutoff in zip(shades, result.cutoffs, strict=True):
        rows = result.predictions[result.predictions["cutoff"] == cutoff]
        p, churned, weight = _column(rows, f"{MODEL}_p_churn"), _column(rows, "churned"), _weight(rows)
        bins = _tenths(np.argsort(p, kind="stable"), weight)
        x, y = (np.array([np.average(values[b], weights=weight[b]) for b in bins]) for values in (p, churned))
        upper.plot(x, y, color=MODEL_COLOUR, alpha=shade, marker="o", markersize=4, linewidth=1.6, label=show(cutoff))
    everyone = _column(result.predictions, f"{MODEL}_p_churn")
    lower.hist(everyone, bins=np.linspace(0, 1, 41), weights=_weight(result.predictions), color=MODEL_COLOUR)
    upper.set(xlim=(0, 1), ylim=(0, 1), ylabel="share that churned", title="Are the risks true?")
    lower.set(xlabel="predicted risk", ylabel="customers")
    upper.legend(frameon=False, fontsize=8, loc="upper left")
    return finished(figure, upper, lower)


def gains(result: Backtest) -> Figure:
    """What share of churners, and of expected loss that came, the top of each ranking holds."""
    figure = _figure(8.4, 4.4)
    left, right = figure.subplots(1, 2)
    rows = result.predictions
    lost = _column(rows, "churned")
    value = np.maximum(_column(rows, "future_value"), 0)
    _gains(left, result, "p_churn", lost)
    _gains(right, result, "value", value)
    left.set(ylabel="share of all churners", title="Ranked by risk")
    right.set(ylabel="share of all value", title="Ranked by value")
    left.legend(frameon=False, fontsize=8, loc="lower right")
    return finished(figure, left, right)


def _gains(axes: Axes, result: Backtest, what: str, amount: Numbers) -> None:
    weight = _weight(result.predictions)
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=":", label="chance")
    axes.plot(*_reached(amount, amount, weight), color=INK, linewidth=0.8, linestyle="--", label="perfect")
    others = iter(_OTHER * len(result.models))
    for model in result.models:
        if f"{model}_{what}" in result.predictions:
            colour, width = (MODEL_COLOUR, 2.0) if model == MODEL else (next(others), 1.2)
            score = _column(result.predictions, f"{model}_{what}")
            axes.plot(*_reached(amount, score, weight), color=colour, linewidth=width, label=model)
    axes.axvline(0.1, color=INK, linewidth=0.5, alpha=0.5)
    axes.set(xlim=(0, 1), ylim=(0, 1.01), xlabel="share of customers, highest first")


def _reached(amount: Numbers, score: Numbers, weight: Numbers) -> tuple[Numbers, Numbers]:
    """Share of the customers from the top down, and share of the amount that they hold."""
    order = np.argsort(-score, kind="stable")
    reach, held = (np.cumsum(np.r_[0.0, part[order]]) for part in (weight, weight * amount))
    return reach / max(reach[-1], 1.0), held / held[-1] if held[-1] else held


def value_by_decile(result: Backtest) -> Figure:
    """Mean predicted and observed value in tenths of customers by predicted value, on a logarithmic scale."""
    figure = _figure(6.4, 4.2)
    axes = figure.subplots()
    predicted, came = _column(result.predictions, f"{MODEL}_value"), _column(result.predictions, "future_value")
    weight = _weight(result.predictions)
    bins = _tenths(np.argsort(-predicted, kind="stable"), weight)
    place = np.arange(1, len(bins) + 1)
    means = [np.array([np.average(values[b], weights=weight[b]) for b in bins]) for values in (predicted, came)]
    axes.vlines(place, *means, color=INK, linewidth=0.8, alpha=0.5)
    for values, colour, marker, label in zip(means, (MODEL_COLOUR, _CAME), "oD", ("predicted", "came"), strict=True):
        axes.plot(place, values, color=colour, marker=marker, markersize=7, linestyle="", label=label)
    axes.set_yscale("symlog", linthresh=max(float(np.abs(means).min()), 1e-3))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(axis="y", linewidth=0.4, alpha=0.5)
    axes.set(
        xticks=place,
        xlabel="tenth of customers, highest predicted value first",
        ylabel="mean value per customer",
        title="Where does the value prediction err?",
    )
    axes.legend(frameon=False, fontsize=8)
    return finished(figure, axes)


def _column(rows: pd.DataFrame, name: str) -> Numbers:
    return rows[name].to_numpy(dtype=np.float64)


def _weight(rows: pd.DataFrame) -> Numbers:
    """How many customers each row stands for."""
    found = weights(rows)
    return np.ones(len(rows)) if found is None else found


def _tenths(order: NDArray[np.intp], weight: Numbers) -> list[NDArray[np.intp]]:
    """Ordered rows in ten parts that stand for equally many customers; parts without a row are left out."""
    upto = np.cumsum(weight[order])
    place = np.floor(_BINS * (upto - weight[order] / 2) / upto[-1]) if len(order) else upto
    return [order[place == part] for part in range(_BINS) if (place == part).any()]


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), layout="constrained")


def finished(figure: Figure, *all_axes: Axes) -> Figure:
    """The look that all figures share."""
    for axes in all_axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
        axes.title.set_fontsize(11)
    return figure
