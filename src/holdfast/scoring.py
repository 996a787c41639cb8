"""A model's bundle and a snapshots table in; every customer's risk, value and reasons out.

Customers are scored in chunks, so memory is bounded by the chunk. A row's scores do not depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd
from scipy.special import expit

from holdfast.errors import BundleError, DataError
from holdfast.explain import reason_columns, reasons
from holdfast.features.catalogue import Vocabulary, catalogue
from holdfast.features.feature import Feature
from holdfast.features.own import descriptions
from holdfast.models import Bundle
from holdfast.progress import SILENT, Progress

PREDICTIONS = ("p_churn", "value", "value_low", "value_high", "expected_loss")
CUSTOMERS_PER_CHUNK = 20_000
SCORED: Mapping[str, str] = {
    "customer_id": "str",
    "cutoff": "int64",
    **dict.fromkeys(PREDICTIONS, "float64"),
    **{name: "float64" if name.endswith(("_contribution", "_odds")) else "str" for name in reason_columns()},
}
"""Names and types of what :func:`score` gives with three reasons."""
_TOLERANCE = 1e-9


class Scorer(Protocol):
    """What scoring wants of a bundle: its features, its predictions, and what each feature adds to the log-odds."""

    @property
    def features(self) -> Sequence[Mapping[str, Any]]:
        """The features' records, in the order of the matrix."""

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Columns ``PREDICTIONS``, one row per row of the frame."""

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """One column per feature and ``base``, in log-odds."""


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
    stored = Vocabulary.from_dict(bundle.meta["vocabulary"])
    known = {feature.name: feature for feature in catalogue(Vocabulary(vocabulary.columns, stored.levels))}
    trained_with = bundle.meta.get("own_features", {})
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
    bundle: Scorer,
    snapshots: pd.DataFrame,
    currency: str | None,
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
    currency : str or None
        Written after amounts in the reasons.

    Returns
    -------
    DataFrame
        One row per row of ``snapshots``, with its index: ``customer_id, cutoff, p_churn, value, value_low, value_high,
        expected_loss`` and the columns of :func:`holdfast.explain.reasons`.

    Raises
    ------
    BundleError
        The snapshots lack features of the bundle, or hold text for a number or a number for text; they are named.
        Or the contributions do not add up to the predicted risk.
    DataError
        There is no customer to score.
    """
    _require_features(bundle.features, snapshots)
    parts = []
    with progress("Scoring customers", total=len(snapshots)) as advance:
        for first in range(0, len(snapshots), chunk):
            part = snapshots.iloc[first : first + chunk]
            parts.append(_scored(bundle, part, currency, reasons_per_customer))
            advance(len(part))
    return pd.concat(parts)


def _scored(bundle: Scorer, part: pd.DataFrame, currency: str | None, n: int) -> pd.DataFrame:
    predictions, contributions = bundle.predict(part), bundle.contributions(part)
    added = expit(contributions.to_numpy(dtype=np.float64).sum(axis=1))
    off = float(np.abs(added - predictions["p_churn"].to_numpy(dtype=np.float64)).max())
    if not off <= _TOLERANCE:
        raise BundleError(
            f"Wanted reasons that add up to the risk within {_TOLERANCE:g}, found a difference of {off:.3g}. "
            "The bundle's parts do not belong together; train again."
        )
    why = reasons(contributions, part, bundle.features, currency, n)
    return pd.concat([part[["customer_id", "cutoff"]], predictions[list(PREDICTIONS)], why], axis=1)


def _require_features(features: Sequence[Mapping[str, Any]], snapshots: pd.DataFrame) -> None:
    columns = set(snapshots.columns)
    absent = [str(spec["name"]) for spec in features if spec["name"] not in columns]
    if absent:
        more = ", …" if len(absent) > 10 else ""
        raise BundleError(
            f"The champion was trained with other features than the catalogue gives now: {len(absent)} of its "
            f"{len(features)} features are not in the table: {', '.join(absent[:10])}{more}. "
            "Train and promote a model on today's sources, or bring back the source that these features come from."
        )
    lost = [name for name in ("customer_id", "cutoff") if name not in columns]
    if lost or not len(snapshots):
        raise DataError(
            f"Wanted a table of customers with customer_id and cutoff, found {len(snapshots)} rows"
            f"{' without ' + ' and '.join(lost) if lost else ''}. Build the snapshots at the cutoff to score."
        )
    wrong = [
        f"{spec['name']} (wanted a {spec['dtype']}, found {snapshots[spec['name']].dtype})"
        for spec in features
        if pd.api.types.is_numeric_dtype(snapshots[spec["name"]]) == (spec.get("dtype") == "category")
        and snapshots[spec["name"]].notna().any()
    ]
    if wrong:
        raise BundleError(
            f"The champion was trained with other types of features: {', '.join(wrong)}. "
            "Map the columns as they were in training, or train again."
        )
