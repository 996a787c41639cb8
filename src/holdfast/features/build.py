"""From events to the columns of the snapshots table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from holdfast.features.feature import Feature
from holdfast.history import kernel
from holdfast.history.aggregates import First, Last
from holdfast.history.arrays import Indices, Numbers
from holdfast.history.stream import Stream, View, Window, empty, past
from holdfast.timeline import Instants


def needed(features: Iterable[Feature]) -> dict[str, set[str]]:
    """The columns to read per stream."""
    streams: dict[str, set[str]] = {}
    for feature in features:
        if feature.source is not None:
            streams.setdefault(feature.source, set()).update(feature.aggregate.columns())
    return streams


def build(
    features: Sequence[Feature],
    streams: Mapping[str, Stream],
    customers: Indices,
    cutoffs: Instants,
    known: Mapping[str, View] | None = None,
) -> dict[str, Numbers | pd.Series]:
    """Compute every feature for every snapshot.

    Parameters
    ----------
    customers, cutoffs : arrays of shape (n_snapshots,)
        The customer's place in the chunk, and the instant.
    known : mapping of stream name to View, optional
        What these snapshots may see of some streams, if that has been found out already.

    Returns
    -------
    mapping of feature name to column of n_snapshots values
        float64 for numbers, texts for categories.
    """
    views: dict[str | None, View] = {None: empty(cutoffs)}
    views.update(known or {})
    columns: dict[str, Numbers | pd.Series] = {}
    for feature in features:
        if feature.source is not None and feature.source not in views:
            views[feature.source] = past(streams[feature.source], customers, cutoffs)
        columns[feature.name] = _column(feature, views[feature.source])
    return columns


def _column(feature: Feature, view: View) -> Numbers | pd.Series:
    values = feature.aggregate(view, Window.before(feature.window))
    if isinstance(feature.aggregate, First | Last) and feature.is_category:
        return _texts(values, view.levels[feature.aggregate.column])
    return values if feature.aggregate.always_answers else kernel.filled(values, feature.when_empty)


def _texts(codes: Numbers, levels: tuple[str, ...]) -> pd.Series:
    """Texts of category codes; missing where the code is NaN."""
    lookup = pd.array([*levels, None], dtype="str")
    return pd.Series(lookup.take(np.where(np.isnan(codes), -1, codes).astype(np.int64)))
