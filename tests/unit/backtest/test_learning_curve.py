"""Learning curves: what more history and more customers bring, where we know it because we planted it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from holdfast.backtest import CurvePoint, Execution, LearningCurve, LearningCurves, backtest, learning_curves
from holdfast.backtest.learning_curve import _counts
from holdfast.errors import DataError
from holdfast.metrics import Difference, Interval
from holdfast.models.feature_record import FeatureRecord
from holdfast.timeline import Days
from tests.unit.backtest.business import FIRST, HOW, MONTH, SPEC, TESTS, snapshots, training_spec

pytestmark = pytest.mark.slow

MONTHLY: dict[str, Any] = {"draws": 100}


def hard(customers: int, cutoffs: int, seed: int = 5) -> pd.DataFrame:
    """Churn follows forty signs that are equally strong, so that many snapshots are needed to tell how strong."""
    draw = np.random.default_rng(seed)
    effect = draw.choice([-0.45, 0.45], 40)
    parts = []
    for k in range(cutoffs):
        X = draw.normal(size=(customers, 40))
        churned = (draw.random(customers) < 1 / (1 + np.exp(-X @ effect))).astype(float)
        known = {f"sign_{j}": X[:, j] for j in range(40)}
        keys = {"customer_id": [f"c{i:05d}" for i in range(customers)], "cutoff": np.int64(FIRST + k * MONTH)}
        value = np.where(churned == 1, 0.0, np.exp(X[:, 0] + draw.normal(size=customers)))
        parts.append(pd.DataFrame({**keys, **known, "churned": churned, "future_value": value}))
    return pd.concat(parts, ignore_index=True)


SIGNS = training_spec([FeatureRecord(f"sign_{j}") for j in range(40)], complete_after=Days(30))


@pytest.fixture(scope="module")
def planted() -> LearningCurves:
    """Every cutoff follows the same rule, so more of them can only help; one test cutoff after four."""
    return learning_curves(hard(2_000, 5), SIGNS, [FIRST + 4 * MONTH], **MONTHLY)


def test_more_data_helps_where_only_more_data_can(planted: LearningCurves) -> None:
    """Each doubling lowers the loss; from the least to the most, far beyond chance."""
    for curve in planted.curves:
        losses = [point.metrics["log_loss"].estimate for point in curve.points if point.size != 3]  # no doubling
        assert losses == sorted(losses, reverse=True)
        first = curve.points[0].to_most
        assert first["log_loss"].low > 0
        assert first["auc"].high < 0
        assert curve.points[-1].to_most["log_loss"].estimate == 0
    assert [point.size for point in planted.by_cutoffs.points] == [1, 2, 3, 4]
    assert [point.size for point in planted.by_customers.points] == [0.125, 0.25, 0.5, 1]
    assert planted.by_cutoffs.points[-1].metrics == planted.by_customers.points[-1].metrics


def test_a_point_says_what_it_learnt_from(planted: LearningCurves) -> None:
    """A share of the customers has all their snapshots; a number of cutoffs has everyone there."""
    assert [point.snapshots for point in planted.by_cutoffs.points] == [2_000, 4_000, 6_000, 8_000]
    assert {point.customers for point in planted.by_cutoffs.points} == {2_000}
    for point in planted.by_customers.points:
        assert point.snapshots == 4 * point.customers
        assert point.customers == pytest.approx(2_000 * point.size, rel=0.15)


def test_old_history_of_another_rule_is_seen_to_cost() -> None:
    """Three months ago the business was another one: the latest cutoffs teach more than all of them."""
    table = hard(800, 7)
    old = table["cutoff"] < FIRST + 3 * MONTH
    turned = table.assign(churned=np.where(old, 1 - table["churned"], table["churned"]))
    curve = learning_curves(turned, SIGNS, [FIRST + 6 * MONTH], **MONTHLY).by_cutoffs
    by_size = {point.size: point.to_most["log_loss"] for point in curve.points}
    assert by_size[3].high < 0
    text = " ".join(curve.words())
    assert " cost 0." in text
    assert "log loss" in text.split("; the interval excludes zero")[0]


def test_fits_are_shared_with_the_backtest_and_taken_up(tmp_path: Path) -> None:
    """The models that learnt from everything are those of the backtest; a second run fits nothing."""
    table = snapshots(cutoffs=9)
    execution = Execution(keep=tmp_path)
    tested = backtest(table, SPEC, TESTS[:2], **HOW, execution=execution)
    first = learning_curves(table, SPEC, TESTS[:2], **HOW, execution=execution)
    again = learning_curves(table, SPEC, TESTS[:2], **HOW, execution=Execution(jobs=2, keep=tmp_path))
    assert first.new == first.fits - 2
    assert first.by_customers.points[-1].metrics["log_loss"] == tested.metrics["pooled"]["model"]["log_loss"]
    assert (again.new, again.fits) == (0, first.fits)
    assert again.to_dict() == first.to_dict()
    assert f"{again.fits} of {again.fits} fits were there already" in again.table()


def test_in_workers_the_curves_are_the_same() -> None:
    """As the backtest itself."""
    table, spec = snapshots(cutoffs=6), training_spec(seed=3)
    one, two = (learning_curves(table, spec, TESTS[:1], **HOW, execution=Execution(jobs)) for jobs in (1, 2))
    assert json.dumps(one.to_dict(), sort_keys=True) == json.dumps(two.to_dict(), sort_keys=True)


def test_sizes_too_small_to_learn_from_are_left_out_and_named() -> None:
    """An eighth of 300 customers is no size to fit on."""
    found = learning_curves(snapshots(cutoffs=6), SPEC, TESTS[:1], **HOW)
    assert found.by_customers.left_out == (0.125, 0.25, 0.5)
    assert "Left out, because it is too little to learn from: 1/8, 1/4, 1/2." in found.table()
    assert found.by_customers.words() == ["There is too little data to tell what more customers would bring."]
    with pytest.raises(DataError, match="at least 200 customers to learn from, found 150"):
        learning_curves(snapshots(customers=150, cutoffs=6), SPEC, TESTS[:1], **HOW)


@pytest.mark.parametrize(
    ("most", "counts"),
    [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (6, [1, 2, 3, 6]), (7, [1, 2, 3, 7]), (24, [1, 2, 3, 6, 12, 24])],
)
def test_sizes_double(most: int, counts: list[int]) -> None:
    """1, 2, 3, 6, 12, … up to all; six of seven would say what seven say."""
    assert _counts(most) == counts


def curve(by: Any, sizes: list[float], estimate: float, low: float, high: float) -> LearningCurve:
    """A curve whose every point but the last differs by so much from it in log loss."""
    level = {"log_loss": Interval(0.5, 0.4, 0.6), "auc": Interval(0.7, 0.6, 0.8), "mae": Interval(9.0, 8.0, 10.0)}
    gap = {
        "log_loss": Difference(estimate, low, high, 0.0),
        "auc": Difference(-0.02, -0.03, 0.01, 0.1),
        "mae": Difference(0.0, 0.0, 0.0, 0.0),
    }
    return LearningCurve(by, tuple(CurvePoint(size, 1_000 * size, 1_000 * size, level, gap) for size in sizes))


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            curve("customers", [0.25, 0.5, 1], 0.004, 0.002, 0.006),
            "Twice the customers (all instead of 1/2) brought 0.0040 of log loss (0.0020 to 0.0060); the interval "
            "excludes zero.",
        ),
        (
            curve("cutoffs", [3, 6, 7], 0.004, -0.001, 0.006),
            "7 cutoffs instead of 3 brought 0.0040 of log loss (-0.0010 to 0.0060); the interval includes zero, so it "
            "may be chance.",
        ),
        (
            curve("cutoffs", [6, 12], -0.004, -0.006, -0.002),
            "Twice the cutoffs (12 instead of 6) cost 0.0040 of log loss (0.0020 to 0.0060); the interval excludes "
            "zero.",
        ),
    ],
    ids=["gain", "chance", "loss"],
)
def test_words_say_what_the_last_doubling_brought(found: LearningCurve, sentence: str) -> None:
    """A gain is positive whatever way the measure turns, and the nearest step to a doubling is told."""
    assert found.words()[0] == sentence
    assert " brought 0.0200 of AUC (-0.0100 to 0.0300); the interval includes zero" in found.words()[1]


def test_people_get_a_table_and_programs_json(planted: LearningCurves) -> None:
    """Narrow enough for a terminal; every number with its interval in the JSON."""
    text = planted.table()
    rows = [line for line in text.splitlines() if line.strip().startswith(("1/8", "all", "4 "))]
    assert len(rows) == 3
    assert max(len(line) for line in text.splitlines() if "instead of" not in line) <= 100
    told = json.loads(json.dumps(planted.to_dict(), allow_nan=False))
    assert told["tested_at"] == ["2024-04-30"]
    point = told["by_customers"]["points"][0]
    assert point["size"] == 0.125
    assert point["to_most"]["log_loss"]["low"] > 0
    assert told["by_cutoffs"]["words"] == planted.by_cutoffs.words()
    frame = planted.by_cutoffs.frame()
    assert frame.loc[4, "log_loss_to_most"] == 0
    assert frame.loc[1, "log_loss"] == planted.by_cutoffs.points[0].metrics["log_loss"].estimate
