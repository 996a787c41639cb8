"""What a difference measured on repeated folds is worth.

The folds of repeated cross-validation share most of their training rows, so their differences resemble each other, and
the plain standard error of their mean is far too small. Nadeau and Bengio (2003, doi:10.1023/A:1024068626366) correct
it: the variance of one difference counts ``1/n + test/train`` times and not ``1/n`` times.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t

from holdfast.errors import DataError
from holdfast.metrics.bootstrap import Difference
from holdfast.metrics.catalogue import Metric


def folds_difference(
    metric: Metric, a: ArrayLike, b: ArrayLike, *, test_share: float, coverage: float = 0.95
) -> Difference:
    """The mean over folds of metric ``a`` minus metric ``b``, with the corrected resampled t interval.

    Unlike a bootstrap of customers it includes what another training sample would change.

    Parameters
    ----------
    metric : Metric
        Of which ``a`` and ``b`` are values; for ``better="zero"`` their sizes are compared.
    a, b : arrays of shape (n_folds,)
        Fold by fold.
    test_share : float
        Share of the rows that each fold tests on, between 0 and 1: 0.2 with five folds.

    Raises
    ------
    DataError
        Fewer than two folds, folds that do not match, a fold without the metric, or a share outside 0 to 1.
    """
    one, other = (np.asarray(x, dtype=np.float64) for x in (a, b))
    if one.shape != other.shape or one.ndim != 1 or len(one) < 2:
        raise DataError(f"Wanted the same two or more folds of both, found {one.shape} and {other.shape} values.")
    if not 0 < test_share < 1:
        raise DataError(f"Wanted the share of the rows that a fold tests on, between 0 and 1, found {test_share:g}.")
    gaps = np.abs(one) - np.abs(other) if metric.better == "zero" else one - other
    if np.isnan(gaps).any():
        raise DataError(
            f"{metric.label} does not exist on {int(np.isnan(gaps).sum())} of {len(gaps)} folds. "
            "Take fewer folds, or stratify them by outcome."
        )
    spread = np.sqrt((1 / len(gaps) + test_share / (1 - test_share)) * np.var(gaps, ddof=1))
    far = float(t.ppf((1 + coverage) / 2, len(gaps) - 1) * spread)
    middle = float(gaps.mean())
    better = gaps > 0 if metric.better == "higher" else gaps < 0
    return Difference(middle, middle - far, middle + far, float(better.mean()))
