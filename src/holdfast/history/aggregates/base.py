"""What every aggregate promises."""

from __future__ import annotations

from typing import ClassVar

from holdfast.history.arrays import Numbers
from holdfast.history.conditions import Condition
from holdfast.history.stream import View, Window


class Aggregate:
    """Anything that can be computed per snapshot from a view and a window.

    Attributes
    ----------
    always_answers : bool
        Whether it gives a number, and never -0.0, also where there are no events.
    """

    always_answers: ClassVar[bool] = False

    def columns(self) -> frozenset[str]:
        """Names of the columns that must exist in the stream."""
        raise TypeError(f"{type(self).__name__} must say which columns it reads; define columns().")

    def __call__(self, view: View, window: Window) -> Numbers:
        """Evaluate for every snapshot of the view: one float64 each, NaN where there is nothing to answer from.

        The array may be shared with others who ask the same: nobody writes into it.
        """
        raise TypeError(f"{type(self).__name__} must say what it computes; define __call__().")


def columns_of(where: Condition | None) -> frozenset[str]:
    """The columns that a condition reads."""
    return where.columns if where else frozenset()
