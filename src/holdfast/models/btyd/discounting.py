"""What money to come is worth today, month by month.

Fader, Hardie and Lee (2005), RFM and CLV: using iso-value curves for customer base analysis, Journal of Marketing
Research 42 (4), 415-430, discount expected purchases in continuous time; here money counts from the middle
of its month.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from holdfast.models.checks import InputError, Matrix, Vector

YEAR_DAYS = 365.25
_MONTH_DAYS = 30.0  # within which money is worth the same


def refuse_discount(yearly_discount: float) -> None:
    """Raise unless the discount is a finite number of 0 or more, as a share a year."""
    given = np.asarray(yearly_discount)
    if given.ndim or given.dtype.kind not in "iuf" or not 0 <= given < np.inf:
        raise InputError(
            f"Wanted a yearly discount of 0 or more, such as 0.1; found {yearly_discount!r}. "
            "Give it as a share a year, or 0 for none."
        )


def present_value(upto: Callable[[float], Vector], horizons: Sequence[float], yearly_discount: float) -> Matrix:
    """What is expected within each horizon, shape (n_rows, n_horizons), later money counting for less.

    Each month's value is divided by ``(1 + yearly_discount) ** years`` until its middle; the last month ends with the
    horizon.

    Parameters
    ----------
    upto : function of days
        Value from now until then, one number a row, without discount. Where it falls, it counts as standing still.
    horizons : sequence of float
        Days, increasing.
    yearly_discount : float
        0.1 for a tenth a year; with 0 the answer is that of ``upto``, to the bit.

    Raises
    ------
    InputError
        The discount is below 0 or not finite.
    """
    refuse_discount(yearly_discount)
    if yearly_discount == 0:
        return np.column_stack([upto(horizon) for horizon in horizons])
    start, before, total = 0.0, np.zeros(1), np.zeros(1)

    def later(end: float) -> tuple[Vector, Vector]:
        reached = np.maximum(upto(end), before)
        return reached, total + (reached - before) * (1 + yearly_discount) ** (-(start + end) / 2 / YEAR_DAYS)

    found = []
    for horizon in horizons:
        while start + _MONTH_DAYS < horizon:
            before, total = later(start + _MONTH_DAYS)
            start += _MONTH_DAYS
        found.append(later(horizon)[1])
    return np.column_stack(found)
