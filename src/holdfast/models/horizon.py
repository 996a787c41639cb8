"""What a fitted model of time to churn computes: the probability of churn within each of several horizons.

One horizon is the anchor: its probability comes from a risk model of its own. From there the others follow step by
step, each from its neighbour and a probability ``s`` that was learnt from those it concerns (the discrete hazards of
Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x, walked in both directions)::

    p(next) = p * s              where churn gets rarer: s of those who churn at this horizon do so at the next
    p(next) = p + (1 - p) * s    where it gets more frequent: s of those who stay at this one churn at the next

So probabilities never decrease in the horizon (or never increase, see below), for every row, by construction and to
the last bit; and each step is a risk model, additive in log-odds, that can say why.

Which way churn goes depends on what churn is. If it is an event, such as the end of a contract, more time brings more
of it: ``P(ended within h days)`` grows with ``h``. If it is the absence of an event, such as "no order within ``h``
days", more time brings more returns: ``P(no order within h days)`` falls with ``h``, and its complement, the
probability of coming back within ``h`` days, grows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.models.checks import InputError, Matrix
from holdfast.models.risk import RiskModel


@dataclass(frozen=True)
class HorizonModel:
    """One risk model per horizon, and how the probabilities of the horizons follow from them.

    Attributes
    ----------
    horizons : tuple of float
        Days, increasing.
    anchor : int
        Place of the horizon whose model gives the probability of churn itself; the others give steps.
    event_is_churn : bool
        Whether churn is an event (then it grows with the horizon) or the absence of one (then it falls).
    models : tuple of RiskModel
        One per horizon. All speak of churn: greater log-odds mean a greater probability of it at their horizon.
    """

    horizons: tuple[float, ...]
    anchor: int
    event_is_churn: bool
    models: tuple[RiskModel, ...]

    @property
    def n_features(self) -> int:
        """Number of columns of the matrices it takes."""
        return self.models[self.anchor].n_features

    def probabilities(self, X: Matrix) -> Matrix:
        """Probability of churn at each horizon, shape (n_rows, n_horizons)."""
        steps = [model.probability(X) for model in self.models]
        out = np.empty((len(X), len(steps)))
        out[:, self.anchor] = steps[self.anchor]
        for place, known in walk(len(steps), self.anchor):
            p, share = out[:, known], steps[place]
            rarer = (place < known) == self.event_is_churn
            # The second in a form in which rounding cannot bring it below p.
            out[:, place] = p * share if rarer else np.minimum(p + (1 - p) * share, 1.0)
        return out

    def contributions(self, X: Matrix, horizon: float) -> Matrix:
        """What each feature adds to the log-odds of churn at the anchor, or of the step that leads to another horizon.

        Shape (n_rows, n_features + 1), the base last. A step's log-odds are those of churn at this horizon among
        customers whose outcome at the neighbour nearer to the anchor leaves both possible.
        """
        if horizon not in self.horizons:
            raise InputError(f"Wanted one of the horizons {days(self.horizons)} of the model; found {horizon:g} days.")
        return self.models[self.horizons.index(horizon)].contributions(X)

    def to_parts(self) -> tuple[dict[str, Any], dict[str, str]]:
        """A JSON-ready description and the texts of the trees by file name, which carries the horizon."""
        listed, texts = [], {}
        for horizon, model in zip(self.horizons, self.models, strict=True):
            about, own = model.to_parts()
            trees = about["score"]["trees"]
            if trees is not None:
                name = f"{within('churn', horizon)}_trees.txt"
                texts[name] = own[trees["file"]]
                about = {**about, "score": {**about["score"], "trees": {**trees, "file": name}}}
            listed.append(about)
        return {
            "horizons": list(self.horizons),
            "anchor": self.anchor,
            "event_is_churn": self.event_is_churn,
            "models": listed,
        }, texts

    @classmethod
    def from_parts(cls, about: Mapping[str, Any], texts: Mapping[str, str]) -> HorizonModel:
        """Rebuild from :meth:`to_parts`."""
        return cls(
            tuple(float(horizon) for horizon in about["horizons"]),
            int(about["anchor"]),
            bool(about["event_is_churn"]),
            tuple(RiskModel.from_parts(each, texts) for each in about["models"]),
        )


def walk(count: int, anchor: int) -> list[tuple[int, int]]:
    """Every horizon but the anchor and the neighbour it follows from, in an order in which that one is known before."""
    return [(i, i - 1) for i in range(anchor + 1, count)] + [(i, i + 1) for i in range(anchor - 1, -1, -1)]


def increasing(horizons: Sequence[float]) -> tuple[float, ...]:
    """The horizons as numbers.

    Raises
    ------
    InputError
        They are no numbers, there are none, one is not above 0, or they do not increase.
    """
    given = np.asarray(horizons)  # a text is no row of digits
    if given.ndim != 1 or given.dtype.kind not in "iuf":
        raise InputError(
            f"Wanted horizons as a list of numbers of days, such as (30, 60, 90, 180); found {horizons!r}. "
            "Give a list, also of one."
        )
    found = tuple(float(horizon) for horizon in given)
    if not found or not np.isfinite(found).all() or found[0] <= 0 or (np.diff(found) <= 0).any():
        raise InputError(
            "Wanted horizons in days above 0, each longer than the one before, such as 30, 60, 90, 180; found "
            f"{days(found) or 'none'}. Sort them and name each once."
        )
    return found


def within(what: str, horizon: float) -> str:
    """A name such as ``value_365d``: what there is within so many days; never the same for two horizons."""
    return f"{what}_{np.format_float_positional(horizon, trim='-')}d"


def days(horizons: tuple[float, ...]) -> str:
    """Horizons as a reader lists them."""
    return ", ".join(f"{horizon:g}" for horizon in horizons)
