"""The top reasons of each customer: which drivers raise the risk, by how much, and in what words.

In go the contributions of every feature in log-odds and the values they come from; out comes one row per customer with
``reason_1`` … ``reason_n``, the speaking feature, the family and its contribution, and what is left::

    base_log_odds + reason_1_contribution + … + reason_n_contribution + other_contribution = log-odds of the risk
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import DataError
from holdfast.explain.wording import speaker
from holdfast.models.checks import Matrix, Vector
from holdfast.models.feature_record import FeatureRecord

SAME_FOR_ALL = frozenset({"season", "calendar"})
"""Families that say nothing about one customer, because they are the same for everyone at a cutoff."""

Places = NDArray[np.intp]


def reasons(
    contributions: Matrix,
    values: pd.DataFrame,
    features: Sequence[FeatureRecord],
    currency: str | None,
    n: int = 3,
    *,
    never: Collection[str] = SAME_FOR_ALL,
) -> pd.DataFrame:
    """The families of features that raise each customer's risk most, each spoken for by its strongest feature.

    Features of one family say much the same, and a model may raise the risk by one and lower it by its neighbour; only
    their sum means something. So a reason's contribution is that of its whole family.

    Parameters
    ----------
    contributions : array of shape (n_customers, n_features + 1)
        Log-odds that each feature adds, the base last.
    values : DataFrame of shape (n_customers, at least n_features)
        What the features were, in the same order of rows.
    features : sequence of FeatureRecord
        In the order of the contributions.
    currency : str or None
        Written after amounts.
    n : int
        How many reasons; where fewer drivers raise the risk, the text is empty and the contribution 0.
    never : collection of str
        Families that never become a reason. Their contributions count under ``other_contribution``.

    Returns
    -------
    DataFrame
        For each ``i`` up to ``n``: ``reason_i``, ``reason_i_feature``, ``reason_i_family`` (text) and
        ``reason_i_contribution``; then ``other_contribution`` and ``base_log_odds``. The index is that of
        ``values``. Reasons of the same strength keep the order of ``features``.

    Raises
    ------
    DataError
        A contribution is not finite, or the tables are not of the same customers and features.
    """
    wanted = (len(values), len(features) + 1)
    if contributions.shape != wanted or not np.isfinite(contributions).all():
        raise DataError(
            f"Wanted finite contributions of shape {wanted}, found shape {contributions.shape}, or infinite or missing "
            "ones. Score and explain the same table, or train the model again."
        )
    everything, base = contributions[:, :-1], contributions[:, -1]
    driver, strength = _strongest(everything, features, n, never)
    texts = _texts(driver, values, features, currency)
    labels = {
        "_feature": np.array([*(feature.name for feature in features), ""], dtype=object),
        "_family": np.array([*(feature.family for feature in features), ""], dtype=object),
    }
    columns: dict[str, object] = {}
    for i in range(n):
        columns[f"reason_{i + 1}"] = pd.array(texts[:, i], dtype="str")
        for suffix, words in labels.items():
            columns[f"reason_{i + 1}{suffix}"] = pd.array(words[driver[:, i]], dtype="str")
        columns[f"reason_{i + 1}_contribution"] = strength[:, i]
    columns["other_contribution"] = _row_sums(everything) - _row_sums(strength)
    columns["base_log_odds"] = base
    return pd.DataFrame(columns, index=values.index)


def reason_columns(n: int = 3) -> list[str]:
    """The columns that :func:`reasons` gives, in their order."""
    per_reason = ("", "_feature", "_family", "_contribution")
    names = [f"reason_{i + 1}{suffix}" for i in range(n) for suffix in per_reason]
    return [*names, "other_contribution", "base_log_odds"]


def _strongest(
    raised: Matrix, features: Sequence[FeatureRecord], n: int, never: Collection[str]
) -> tuple[Places, Matrix]:
    """Speaking feature and contribution of each customer's n strongest families; -1 and 0 where there is none."""
    rows = np.arange(len(raised))
    families: dict[str, list[int]] = {}
    for place, feature in enumerate(features):
        if feature.family not in never:
            root = feature.family.partition(":")[0]  # "engagement: visit" is a part of "engagement"
            families.setdefault(root, []).append(place)
    together = np.zeros((len(raised), max(n, len(families))))
    driver = np.full(together.shape, -1, dtype=np.intp)
    for column, members in enumerate(families.values()):
        places = np.array(members, dtype=np.intp)
        driver[:, column] = places[raised[:, places].argmax(axis=1)]
        together[:, column] = np.where(raised[rows, driver[:, column]] > 0, _row_sums(raised[:, places]), 0.0)
    order = np.argsort(-together, axis=1, kind="stable")[:, :n]
    driver, together = np.take_along_axis(driver, order, axis=1), np.take_along_axis(together, order, axis=1)
    raises = together > 0
    return np.where(raises, driver, -1), np.where(raises, together, 0.0)


def _row_sums(matrix: Matrix) -> Vector:
    """Column by column: the order in which numpy adds depends on the number of rows; a customer's reasons must not."""
    total = np.zeros(len(matrix))
    for column in matrix.T:
        total += column
    return total


def _texts(
    driver: Places, values: pd.DataFrame, features: Sequence[FeatureRecord], currency: str | None
) -> NDArray[np.object_]:
    """The sentences; each feature speaks once per distinct value."""
    texts = np.full(driver.shape, "", dtype=object)
    for place in np.unique(driver[driver >= 0]):
        feature = features[place]
        rows, columns = np.nonzero(driver == place)
        codes, distinct = pd.factorize(values[feature.name].to_numpy()[rows], use_na_sentinel=False)
        speak = speaker(feature, currency)
        texts[rows, columns] = np.array([speak(value) for value in distinct], dtype=object)[codes]
    return texts
