"""From a bundle and snapshots to scored customers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from holdfast.errors import BundleError, DataError
from holdfast.explain import reason_columns
from holdfast.features.catalogue import Vocabulary
from holdfast.features.feature import Feature
from holdfast.features.own import descriptions
from holdfast.history.aggregates import Count
from holdfast.models import Bundle
from holdfast.models.checks import InputError
from holdfast.models.feature_record import FeatureRecord
from holdfast.models.model_card import ChurnDefinition, ModelCard, ValueDefinition
from holdfast.models.residual_quantiles import KNOTS
from holdfast.models.scores import PREDICTIONS
from holdfast.models.value import Distribution, Refunds
from holdfast.scoring import declarations, score
from holdfast.timeline import Days

FEATURES = (
    FeatureRecord("silent", unit="days", meaning="silent for {value}", family="recency"),
    FeatureRecord(
        "plan",
        "category",
        "category",
        "is on {value}",
        "plan",
        when_missing="plan not known",
        categories=("basic", "pro"),
    ),
)
CARD = ModelCard("shop", ChurnDefinition("no_event", 30), ValueDefinition("revenue", 30), currency="EUR")


class LinearRisk:
    """A model small enough to check by hand: log-odds = -1 + 0.1 * silent + 0.5 if on plan basic."""

    n_features = 2

    def __init__(self, shift: float = 0.0) -> None:
        self.shift = shift

    def explained(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parts = np.column_stack([X[:, 0] * 0.1, np.where(X[:, 1] == 0, 0.5, 0.0), np.full(len(X), -1.0)])
        return parts.sum(axis=1) + self.shift, parts


class FixedValue:
    """Fifty, give or take."""

    n_features = 2

    def distribution(self, X: np.ndarray) -> Distribution:
        rows = len(X)
        return Distribution(
            np.ones(rows), np.full(rows, np.log(50.0)), np.zeros((rows, len(KNOTS))), Refunds(0.0, np.zeros(len(KNOTS)))
        )


def linear(shift: float = 0.0, currency: str | None = "EUR") -> Bundle:
    """Both in a bundle."""
    return Bundle(LinearRisk(shift), FixedValue(), FEATURES, replace(CARD, currency=currency))  # type: ignore[arg-type]


def snapshots(n: int = 5) -> pd.DataFrame:
    """Customers who have been silent for 0, 1, 2, … days, on different plans."""
    return pd.DataFrame(
        {
            "customer_id": [f"c{i}" for i in range(n)],
            "cutoff": np.int64(0),
            "silent": np.arange(n, dtype=float),
            "plan": pd.array(["basic", None, "pro", "basic", "pro"][:n], dtype="str"),
            "unused": 1.0,
        },
        index=range(10, 10 + n),
    )


def test_every_customer_is_scored_once_with_reasons() -> None:
    """What outreach reads: who, when, how risky, how valuable, and why."""
    scored = score(linear(), snapshots())
    assert list(scored) == ["customer_id", "cutoff", *PREDICTIONS, *reason_columns()]
    assert list(scored.index) == [10, 11, 12, 13, 14]
    assert list(scored["reason_1"]) == [
        "is on basic",
        "silent for 1 day",
        "silent for 2 days",
        "is on basic",
        "silent for 4 days",
    ]
    assert scored.loc[13, "reason_2"] == "silent for 3 days"


def test_chunks_change_nothing_and_report_progress() -> None:
    """Memory is bounded by the chunk; the answer must not know of it."""
    done: list[int] = []

    @contextmanager
    def counting(label: str, total: int | None = None) -> Iterator[Any]:
        assert (label, total) == ("Scoring customers", 5)
        yield done.append

    whole = score(linear(), snapshots())
    pd.testing.assert_frame_equal(score(linear(), snapshots(), chunk=2, progress=counting), whole)
    assert done == [2, 2, 1]


def test_features_that_the_catalogue_no_longer_gives_are_named() -> None:
    """The champion of last year and the sources of today may disagree; the message says on what."""
    with pytest.raises(BundleError, match=r"trained with 2 features; the table lacks 2 of them: silent, plan\."):
        score(linear(), snapshots().drop(columns=["silent", "plan"]))


def test_a_feature_of_another_type_is_named() -> None:
    """A plan that has become a number would be read as unknown for everybody, without a word."""
    with pytest.raises(InputError, match=r"plan \(wanted a category, found float64\)"):
        score(linear(), snapshots().assign(plan=1.0))
    with pytest.raises(InputError, match=r"silent \(wanted a number, found str\)"):
        score(linear(), snapshots().assign(silent=pd.array(["x"] * 5, dtype="str")))


def test_a_category_of_which_nothing_is_known_passes_whatever_its_type() -> None:
    """An attribute that no customer has yet comes as an empty column, which pandas may call a number."""
    assert len(score(linear(), snapshots().assign(plan=np.nan))) == 5


def test_reasons_that_do_not_add_up_to_the_risk_are_refused() -> None:
    """A bundle whose parts come from two trainings would explain a risk that nobody predicted."""
    with pytest.raises(BundleError, match="found a difference of"):
        score(linear(shift=0.01), snapshots())


def test_nobody_to_score_is_said() -> None:
    """An empty table would end in an empty list that looks like good news."""
    with pytest.raises(DataError, match="found 0 rows"):
        score(linear(), snapshots()[:0])
    with pytest.raises(DataError, match="without cutoff"):
        score(linear(), snapshots().drop(columns="cutoff"))


VOCABULARY = Vocabulary({"orders": ("amount",)}, {})
OWN = Feature("orders_in_june", "orders", Count(), "count", "ordered {value} times", "own", Days(30))


def trained(features: list[str], **card: Any) -> Any:
    """The part of a bundle that its declarations are found by."""
    return SimpleNamespace(feature_names=features, features=features, card=replace(CARD, **card))


def test_own_features_of_a_bundle_are_found_among_those_configured() -> None:
    """In the bundle's order; own ones that the model does not know are left alone."""
    bundle = trained(["orders_in_june", "spend_90d"], own_features=descriptions([OWN]))
    later = replace(OWN, name="later")
    found = declarations(bundle, VOCABULARY, [later, replace(OWN, meaning="bought {value} times")])
    assert [feature.name for feature in found] == ["orders_in_june", "spend_90d"]
    assert found[0].meaning == "bought {value} times"


def test_own_features_that_are_gone_or_changed_are_named() -> None:
    """A model that is fed another number under the same name scores nonsense without a word."""
    bundle = trained(["orders_in_june"], own_features=descriptions([OWN]))
    with pytest.raises(BundleError, match=r"not configured any more: orders_in_june\. Bring them back"):
        declarations(bundle, VOCABULARY)
    with pytest.raises(BundleError, match="computed in another way now: orders_in_june"):
        declarations(bundle, VOCABULARY, [replace(OWN, window=Days(31))])


def test_own_features_that_came_after_the_model_are_left_out() -> None:
    """Models in a registry are older than the configuration."""
    assert [feature.name for feature in declarations(trained(["spend_90d"]), VOCABULARY, [OWN])] == ["spend_90d"]
