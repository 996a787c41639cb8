"""Whether probabilities mean what they say in every part of the business, and not on average alone.

A model can be right in total and wrong about each country, one too high and another too low. Each segment's mean
prediction stands beside the share that came, with the interval that resampled customers give to their difference.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from holdfast.errors import ConfigError
from holdfast.metrics.bootstrap import middle, resample
from holdfast.metrics.calibration import calibration_error
from holdfast.metrics.weighted import Array, ratio

ALL = "(all)"
MISSING = "(missing)"
FEWEST = 100


def calibration_by_segment(
    truth: ArrayLike,
    p: ArrayLike,
    segment: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    customers: ArrayLike | None = None,
    fewest: int = FEWEST,
    draws: int = 1_000,
    seed: int = 0,
    coverage: float = 0.95,
) -> pd.DataFrame:
    """Predicted and observed churn of every segment.

    Parameters
    ----------
    truth, p : arrays of shape (n_rows,)
        Churned (0 or 1) and its probability.
    segment : array of shape (n_rows,)
        Any labels; None and NaN form a segment of their own. Numbers first go through :func:`bands`.
    weights : array of shape (n_rows,), optional
        How many rows each stands for, where the rows are a sample.
    customers : array of shape (n_rows,), optional
        Who each row is about; None where every row is another customer.
    fewest : int
        Segments with fewer customers are too small to judge: two or more are pooled into one row that says how many
        they are; a single one, and a pool that is still too small, stands there marked.
    draws : int
        Resamples of customers; 0 gives intervals of NaN.

    Returns
    -------
    DataFrame
        Everyone first, then the segments in order of their labels, the pool last: ``segment``, ``customers``, ``rows``,
        ``predicted``, ``observed``, ``difference`` (predicted minus observed) with ``low`` and ``high``,
        ``calibration_error`` (within the segment; its own noise keeps it above 0 in small ones) and ``small``. The
        rows of the segments add up to all rows.
    """
    y, chance = np.asarray(truth, dtype=np.float64), np.asarray(p, dtype=np.float64)
    own = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    _, who = np.unique(np.arange(len(y)) if customers is None else np.asarray(customers), return_inverse=True)
    labels, members = _members(segment, who, fewest)
    off = _drawn_differences(chance - y, own, who, members, draws, seed)
    rows = []
    for i, (label, inside) in enumerate(zip(labels, members, strict=True)):
        count, weight = len(np.unique(who[inside])), own[inside]
        predicted, observed = (float(ratio(x[inside] @ weight, weight.sum())) for x in (chance, y))
        low, high = middle(off[:, i], coverage)
        rows.append(
            {
                "segment": label,
                "customers": count,
                "rows": len(inside),
                "predicted": predicted,
                "observed": observed,
                "difference": predicted - observed,
                "low": low,
                "high": high,
                "calibration_error": float(calibration_error(y[inside], chance[inside], weight)),
                "small": count < fewest,
            }
        )
    return pd.DataFrame(rows)


def bands(amount: ArrayLike, count: int = 4) -> NDArray[np.object_]:
    """Numbers as segments: bands of about equal size whose labels sort as their amounts do; NaN stays missing.

    Equal numbers share a band, so heavy ties give fewer bands than ``count``.

    Raises
    ------
    ConfigError
        ``count`` is less than 1.
    """
    if count < 1:
        raise ConfigError(f"Wanted at least one band, found {count}.")
    x = np.asarray(amount, dtype=np.float64)
    known = x[~np.isnan(x)]
    out = np.full(len(x), None, dtype=object)
    if not len(known):
        return out
    edges = np.unique(np.quantile(known, np.arange(1, count) / count, method="higher"))
    edges = edges[edges > known.min()]
    starts, ends = [known.min(), *edges], [*edges, known.max()]
    width = len(str(len(starts)))
    digits = _digits(np.array([*starts, known.max()]))
    names = [
        f"{i:0{width}d}: {low:,.{digits}f} to {'' if i == len(starts) else 'under '}{high:,.{digits}f}"
        for i, (low, high) in enumerate(zip(starts, ends, strict=True), start=1)
    ]
    there = ~np.isnan(x)
    out[there] = np.array(names, dtype=object)[np.searchsorted(edges, x[there], side="right")]
    return out


def _digits(edges: Array) -> int:
    """The fewest decimals, up to six, with which different edges read differently."""
    different = len(np.unique(edges))
    return next((d for d in range(6) if len({f"{edge:.{d}f}" for edge in edges}) == different), 6)


def _named(segment: ArrayLike) -> NDArray[np.object_]:
    """Labels as text."""
    values = pd.Series(np.asarray(segment, dtype=object))
    return values.where(values.notna(), MISSING).astype(str).to_numpy(dtype=object)


def _members(segment: ArrayLike, who: NDArray[np.intp], fewest: int) -> tuple[list[str], list[NDArray[np.intp]]]:
    """The rows of everyone, of each segment and of the pool of small ones, with their labels."""
    named = _named(segment)
    found = {str(label): np.flatnonzero(named == label) for label in np.unique(named)}
    small = [label for label, rows in found.items() if len(np.unique(who[rows])) < fewest]
    labels, members = [ALL], [np.arange(len(named))]
    pooled = set(small) if len(small) > 1 else set()
    for label, rows in found.items():
        if label not in pooled:
            labels.append(label)
            members.append(rows)
    if pooled:
        labels.append(f"({len(small)} small segments)")
        members.append(np.sort(np.concatenate([found[label] for label in small])))
    return labels, members


def _drawn_differences(
    off: Array, own: Array, who: NDArray[np.intp], members: list[NDArray[np.intp]], draws: int, seed: int
) -> Array:
    """Weighted mean of ``off`` in each segment, for each draw of customers; shape (draws, n_segments)."""
    blocks = []
    for counts in resample(who, draws, seed):
        weight = counts * own
        blocks.append(
            np.column_stack([ratio(weight[:, rows] @ off[rows], weight[:, rows].sum(axis=1)) for rows in members])
        )
    return np.concatenate(blocks) if blocks else np.empty((0, len(members)))
