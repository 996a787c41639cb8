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
from holdfast.scoring import PREDICTIONS, declarations, score
from holdfast.timeline import Days


class LinearBundle:
    """A model small enough to check by hand: log-odds = -1 + 0.1 * silent + 0.5 if on plan basic."""

    features = (
        {"name": "silent", "dtype": "number", "unit": "days", "meaning": "silent for {value}", "family": "recency"},
        {"name": "plan", "dtype": "category", "unit": "category", "meaning": "is on {value}", "family": "plan"},
    )

    def __init__(self, shift: float = 0.0) -> None:
        self.shift = shift

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        plan = np.where(frame["plan"] == "basic", 0.5, 0.0)
        return pd.DataFrame({"silent": frame["silent"] * 0.1, "plan": plan, "base": -1.0}, index=frame.index)

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        log_odds = self.contributions(frame).sum(axis=1) + self.shift
        p_churn = 1 / (1 + np.exp(-log_odds))
        return pd.DataFrame(
            {"p_churn": p_churn, "value": 50.0, "value_low": 10.0, "value_high": 90.0, "expected_loss": p_churn * 50.0}
        )


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
    scored = score(LinearBundle(), snapshots(), "EUR")
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

    whole = score(LinearBundle(), snapshots(), "EUR")
    pd.testing.assert_frame_equal(score(LinearBundle(), snapshots(), "EUR", chunk=2, progress=counting), whole)
    assert done == [2, 2, 1]


def test_features_that_the_catalogue_no_longer_gives_are_named() -> None:
    """The champion of last year and the sources of today may disagree; the message says on what."""
    with pytest.raises(
        BundleError, match=r"other features than the catalogue gives now: 2 of its 2 .*: silent, plan\."
    ):
        score(LinearBundle(), snapshots().drop(columns=["silent", "plan"]), None)


def test_a_feature_of_another_type_is_named() -> None:
    """A plan that has become a number would be read as unknown for everybody, without a word."""
    with pytest.raises(BundleError, match=r"plan \(wanted a category, found float64\)"):
        score(LinearBundle(), snapshots().assign(plan=1.0), None)
    with pytest.raises(BundleError, match=r"silent \(wanted a number, found str\)"):
        score(LinearBundle(), snapshots().assign(silent=pd.array(["x"] * 5, dtype="str")), None)


def test_a_category_of_which_nothing_is_known_passes_whatever_its_type() -> None:
    """An attribute that no customer has yet comes as an empty column, which pandas may call a number."""
    assert len(score(LinearBundle(), snapshots().assign(plan=np.nan), None)) == 5


def test_reasons_that_do_not_add_up_to_the_risk_are_refused() -> None:
    """A bundle whose parts come from two trainings would explain a risk that nobody predicted."""
    with pytest.raises(BundleError, match="found a difference of"):
        score(LinearBundle(shift=0.01), snapshots(), None)


def test_nobody_to_score_is_said() -> None:
    """An empty table would end in an empty list that looks like good news."""
    with pytest.raises(DataError, match="found 0 rows"):
        score(LinearBundle(), snapshots()[:0], None)
    with pytest.raises(DataError, match="without cutoff"):
        score(LinearBundle(), snapshots().drop(columns="cutoff"), None)


VOCABULARY = Vocabulary({"orders": ("amount",)}, {})
OWN = Feature("orders_in_june", "orders", Count(), "count", "ordered {value} times", "own", Days(30))


def trained(features: list[str], **meta: Any) -> Any:
    """The part of a bundle that its declarations are found by."""
    return SimpleNamespace(feature_names=features, features=features, meta={"vocabulary": VOCABULARY.to_dict(), **meta})


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


def test_a_bundle_from_before_there_were_own_features_is_read() -> None:
    """Models in a registry are older than the package."""
    assert [feature.name for feature in declarations(trained(["spend_90d"]), VOCABULARY, [OWN])] == ["spend_90d"]
