"""Reasons of a score that depends on a history as a whole: its three columns share what they make together."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from math import comb

import numpy as np

from holdfast.models.btyd.history_columns import HistoryColumns
from holdfast.models.checks import Matrix, Vector


def shared(
    columns: HistoryColumns,
    usual: tuple[float, float, float],
    X: Matrix,
    score: Callable[[Matrix], Vector],
    scored: Vector | None = None,
) -> Matrix:
    """Shape (n_rows, n_features + 1): rows sum to ``score``, the last column is the score of the usual customer.

    The three columns share the difference by Shapley's rule, exactly: what a column adds, averaged over the orders in
    which the usual numbers may be replaced by the customer's. Where the history is unknown, that itself is the
    difference, and ``orders`` bears it. ``score`` looks at no other column; ``scored`` is what it says of ``X``, where
    that is known already.
    """
    places = columns.places
    typical = np.zeros_like(X)
    typical[:, places] = usual
    known = columns.known(X)
    scored = score(X) if scored is None else scored
    everything = (0, 1, 2)
    scores = {(): np.repeat(score(typical[:1]), len(X)), everything: scored}
    for own in (own for size in (1, 2) for own in combinations(everything, size)):
        mixed = typical.copy()
        mixed[:, [places[i] for i in own]] = X[:, [places[i] for i in own]]
        scores[own] = score(mixed)
    out = np.zeros((len(X), X.shape[1] + 1))
    out[:, -1] = scores[()]
    for i, place in enumerate(places):
        for others in (own for own in scores if i not in own):
            gain = scores[tuple(sorted((*others, i)))] - scores[others]
            out[:, place] += np.where(known, gain, 0.0) / (3 * comb(2, len(others)))
    out[~known, places[0]] = (scored - scores[()])[~known]
    return out
