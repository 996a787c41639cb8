"""What no model may be given, said in the user's words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import DataError

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


class InputError(DataError, ValueError):
    """Rows that no model can learn from or score.

    A ``DataError`` for the command line (exit code 3) and a ``ValueError``, as scikit-learn asks of estimators.
    """


def refuse_infinite(X: Matrix, names: Sequence[str] | None = None) -> None:
    """Raise if a cell is infinite: LightGBM would score it without a word. NaN means missing and is welcome."""
    bad = np.isinf(X).any(axis=0)
    if bad.any():
        columns = [names[i] if names is not None else f"column {i}" for i in np.flatnonzero(bad).tolist()]
        raise InputError(
            f"Input X contains infinity in {', '.join(columns)}; wanted finite numbers, or NaN where one is missing. "
            "Look for a division by zero or an impossible amount in the source."
        )


def refuse_other_width(X: Matrix, wanted: int) -> None:
    """Raise if the matrix has another number of columns than the model learnt from."""
    if X.ndim != 2 or X.shape[1] != wanted:
        raise InputError(f"Wanted a matrix of {wanted} columns, as in training; found shape {X.shape}.")
