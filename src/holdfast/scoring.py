"""A model's bundle and a snapshots table in; every customer's risk, value and reasons out.

Customers are scored in chunks, so memory is bounded by the chunk. A row's scores do not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import expit

from holdfast.errors import BundleError, DataError
from holdfast.explain import reason_columns, reasons
from holdfast.features.catalogue import Vocabulary, catalogue
from holdfast.features.feature import Feature
from holdfast.features.own import descriptions
from holdfast.models import Bundle
from holdfast.models.checks import Matrix, Vector
from holdfast.models.scores import PREDICTIONS, Scores
from holdfast.progress import SILENT, Progress

CUSTOMERS_PER_CHUNK = 20_000
SCORED: Mapping[str, str] = {
    "customer_id": "str",
    "cutoff": "int64",
    **dict.fromkeys(PREDICTIONS, "float64"),
    **{name: "float64" if name.endswith(("_contribution", "_odds")) else "str" for name in reason_columns()},
}
"""Names and types of what :func:`score` gives with three reasons."""
_TOLERANCE = 1e-9


def declarations(bundle: Bundle, vocabulary: Vocabulary, own: Sequence[Feature] = ()) -> list[Feature]:
    """The declarations of a bundle's features, from the levels it was trained with and the columns there are now.

    Parameters
    ----------
    own : sequence of Feature
        The features of the business itself, as configured now.

    Raises
    ------
    BundleError
        The catalogue, the own features or the sources cannot give some of them, or an own feature is computed in
        another way than when the model was trained; they are named.
    """
    known = {feature.name: feature for feature in catalogue(Vocabulary(vocabulary.columns, bundle.card.levels))}
    trained_with = bundle.card.own_features
    _require_same(trained_with, descriptions(own))
    known |= {feature.name: feature for feature in own if feature.name in trained_with}
    absent = [name for name in bundle.feature_names if name not in known]
    if absent:
        shown = ", ".join(absent[:10]) + (", …" if len(absent) > 10 else "")
        raise BundleError(
            f"The model was trained with {len(bundle.features)} features; the catalogue cannot build {len(absent)} "
            f"of them from the sources at hand: {shown}. Bring back the source or column that they come from, or "
            "train and promote a model on today's sources."
        )
    return [known[name] for name in bundle.feature_names]


def _require_same(trained_with: Mapping[str, str], now: Mapping[str, str]) -> None:
    gone = sorted(trained_with.keys() - now.keys())
    if gone:
        raise BundleError(
            f"The model was trained with own features that are not configured any more: {', '.join(gone)}. Bring them "
            "back under 'features', or in Python as Project.open(…, features=…), or train and promote a model without "
            "them."
        )
    changed = sorted(name for name in trained_with if trained_with[name] != now[name])
    if changed:
        raise BundleError(
            f"The model was trained with own features that are computed in another way now: {', '.join(changed)}. "
            "Bring back their source, aggregate, window and condition, or give the new ones new names, or train and "
            "promote a model with them."
        )


def score(
    bundle: Bundle,
    snapshots: pd.DataFrame,
    *,
    reasons_per_customer: int = 3,
    chunk: int = CUSTOMERS_PER_CHUNK,
    progress: Progress = SILENT,
) -> pd.DataFrame:
    """Score customers and say why.

    Parameters
    ----------
    bundle : Bundle
        The trained models with the records of their features.
    snapshots : DataFrame
        ``customer_id``, ``cutoff`` (microseconds) and the features; other columns are ignored.

    Returns
    -------
    DataFrame
        One row per row of ``snapshots``, with its index: ``customer_id, cutoff, p_churn, value, value_low, value_high,
        expected_loss`` and the columns of :func:`holdfast.explain.reasons`.

    Raises
    ------
    BundleError, InputError
        As :meth:`holdfast.models.Bundle.scores`; or the contributions do not add up to the predicted risk.
    DataError
        There is no customer to score.
    """
    parts = []
    with progress("Scoring customers", total=len(snapshots)) as advance:
        for scored, _ in in_chunks(bundle, snapshots, reasons_per_customer=reasons_per_customer, chunk=chunk):
            parts.append(scored)
            advance(len(scored))
    return pd.concat(parts)


def in_chunks(
    bundle: Bundle, snapshots: pd.DataFrame, *, reasons_per_customer: int = 3, chunk: int = CUSTOMERS_PER_CHUNK
) -> Iterator[tuple[pd.DataFrame, Scores]]:
    """What :func:`score` gives, chunk by chunk, each with the scores that it was made of."""
    lost = [name for name in ("customer_id", "cutoff") if name not in snapshots]
    if lost or not len(snapshots):
        raise DataError(
            f"Wanted a table of customers with customer_id and cutoff, found {len(snapshots)} rows"
            f"{' without ' + ' and '.join(lost) if lost else ''}. Build the snapshots at the cutoff to score."
        )
    for first in range(0, len(snapshots), chunk):
        part = snapshots.iloc[first : first + chunk]
        scores = bundle.scores(part, reasons=True)
        contributions = np.asarray(scores.contributions)
        _require_sums(contributions, scores.log_odds)
        why = reasons(contributions, part, bundle.features, bundle.card.currency, reasons_per_customer)
        yield pd.concat([part[["customer_id", "cutoff"]], scores.predictions, why], axis=1), scores


def _require_sums(contributions: Matrix, log_odds: Vector) -> None:
    off = float(np.abs(expit(contributions.sum(axis=1)) - expit(log_odds)).max())
    if not off <= _TOLERANCE:
        raise BundleError(
            f"Wanted reasons that add up to the risk within {_TOLERANCE:g}, found a difference of {off:.3g}. "
            "The bundle's parts do not belong together; train again."
        )
