"""The backtest: nothing from after a test cutoff enters the model that is tested there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from holdfast.backtest import Backtest, Baseline, backtest, default_baselines
from holdfast.errors import DataError
from holdfast.learning.training import fit
from holdfast.learning.training_spec import TrainingSpec
from holdfast.metrics import RISK_METRICS, VALUE_METRICS
from holdfast.models import Bundle
from holdfast.models.feature_record import FeatureRecord, Role
from holdfast.sampling import WEIGHT, sampled
from holdfast.timeline import instant, show
from tests.unit.learning.samples import MONTH, snapshots, training_spec

FIRST = instant("2024-01-01")
TESTS = [FIRST + 5 * MONTH, FIRST + 8 * MONTH]


def run(table: pd.DataFrame, tests: Sequence[int] = TESTS, **changes: Any) -> Backtest:
    """A backtest with a horizon of two months."""
    return backtest(table, training_spec(), tests, **{"draws": 40} | changes)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Nine cutoffs of 300 customers."""
    return snapshots(cutoffs=9)


@pytest.fixture(scope="module")
def result(table: pd.DataFrame) -> Backtest:
    """Two test cutoffs."""
    return run(table)


def test_the_model_beats_baselines_that_know_less() -> None:
    """The business has a channel and a satisfaction that recency, frequency and value do not see."""
    result = run(snapshots(customers=800, cutoffs=9))
    for baseline in ("rfm", "recency"):
        assert result.differences[baseline]["auc"].low > 0
    assert result.figures()["auc"] > 0.75
    assert abs(result.figures()["bias"]) < 25


def test_training_ends_where_outcomes_were_not_known(table: pd.DataFrame) -> None:
    """A snapshot teaches only if its outcome window had ended at the test cutoff."""
    seen = []

    def learner(known: pd.DataFrame, spec: TrainingSpec, **more: Any) -> Bundle:
        seen.append(known["cutoff"].max())
        return fit(known, spec, **more)

    run(table, learner=learner)
    assert [show(at) for at in seen] == [show(at - 2 * MONTH) for at in TESTS]


def test_what_comes_later_changes_nothing(table: pd.DataFrame, result: Backtest) -> None:
    """Outcomes that were not known at the test cutoff may be anything: the predictions stay the same to the bit."""
    late = table["cutoff"] > TESTS[0] - 2 * MONTH
    other = table.assign(churned=np.where(late, 1 - table["churned"], table["churned"]))
    again = run(other, tests=TESTS[:1])
    first = result.predictions[result.predictions["cutoff"] == TESTS[0]]
    assert (again.predictions["model_p_churn"].to_numpy() == first["model_p_churn"].to_numpy()).all()


def test_every_metric_has_an_interval_around_it(result: Backtest) -> None:
    """A number without its chance invites decisions on noise."""
    for at in (*TESTS, "pooled"):
        assert set(result.metrics[at]) == {"model", "rfm", "recency"}
        found = result.metrics[at]["model"]
        assert set(found) == {*RISK_METRICS, *VALUE_METRICS}
        for name in ("auc", "log_loss", "mae", "gini"):
            assert found[name].low <= found[name].estimate <= found[name].high


def test_the_result_is_plain_json(result: Backtest) -> None:
    """Programs read the last line of the command."""
    told = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert [entry["cutoff"] for entry in told["cutoffs"]] == [show(at) for at in TESTS]
    assert told["cutoffs"][0]["customers"] == 300
    assert told["cutoffs"][0]["card"]["training"]["cutoffs"][-1] == show(TESTS[0] - 2 * MONTH)
    assert told["pooled"]["model"]["auc"]["estimate"] == result.figures()["auc"]
    assert "mae" not in told["pooled"]["recency"]
    assert 0 <= told["differences"]["rfm"]["auc"]["share_better"] <= 1


def test_people_get_a_table(result: Backtest) -> None:
    """Each test cutoff and all together, the model above its baselines."""
    text = result.table()
    assert "pooled" in text
    assert "Against rfm the model's AUC is " in text
    lost = [at for at in TESTS if result.figures(at)["log_loss"] > result.metrics[at]["rfm"]["log_loss"].estimate]
    assert f"The model has the lower log loss than rfm at {2 - len(lost)}, than recency at " in text
    assert result.frame().loc[("pooled", "model"), "auc"] == result.figures()["auc"]
    assert "rfm: risk from days_since_order, orders_365d, spend_365d alone, value as spend_365d times one rate." in (
        " ".join(text.split())
    )
    assert max(len(line) for line in text.splitlines()) <= 100


def test_predictions_keep_keys_and_truth(result: Backtest) -> None:
    """Whoever doubts a metric can compute it."""
    columns = {"customer_id", "cutoff", "churned", "future_value", "treated", "value_low", "value_high"}
    models = {"model_p_churn", "model_value", "model_expected_loss", "rfm_p_churn", "rfm_value", "recency_p_churn"}
    assert set(result.predictions.columns) == columns | models
    assert len(result.predictions) == 600
    assert not result.predictions.isna().any().any()


def test_the_same_seed_gives_the_same_result(table: pd.DataFrame, result: Backtest) -> None:
    """Twice the same report, or nobody believes either."""
    again = run(table)
    pd.testing.assert_frame_equal(again.predictions, result.predictions, check_exact=True)
    assert again.to_dict() == result.to_dict()


def test_baselines_take_what_the_catalogue_gives() -> None:
    """A subscription business has no orders; a business with nothing known has its churn rate."""
    roles: list[Role] = ["mrr", "days_since_renewal", "active_days"]
    rfm, recency = default_baselines([FeatureRecord(f"our_{role}", role=role) for role in roles])
    assert rfm == Baseline("rfm", ("our_days_since_renewal", "our_active_days", "our_mrr"), "our_mrr")
    assert recency.risk == ("our_days_since_renewal",), "by its role, whatever it is called"
    assert default_baselines([FeatureRecord("nps_last")]) == (Baseline("rfm", ()), Baseline("recency", ()))


def test_a_baseline_without_columns_says_the_churn_rate(table: pd.DataFrame) -> None:
    """The least that anyone knows."""
    found = run(table, tests=TESTS[:1], baselines=[Baseline("rate", ())])
    known = table[table["cutoff"] <= TESTS[0] - 2 * MONTH]
    assert found.predictions["rate_p_churn"].to_numpy() == pytest.approx(known["churned"].mean())


@pytest.mark.parametrize(
    ("change", "tests", "message"),
    [
        (lambda t: t, [FIRST + MONTH], "At the test cutoff 2024-01-31 no training snapshot .* Test from 2024-03-01 on"),
        (lambda t: t, [FIRST + 90 * MONTH], "No snapshot stands at the test cutoff"),
        (lambda t: t.assign(churned=0.0), TESTS, "all 300 customers had one outcome; found one class only"),
        (lambda t: t[t["customer_id"] < "c00150"], TESTS, "at least 200 customers to learn from, found 150"),
    ],
    ids=["too early", "not there", "one class", "few customers"],
)
def test_what_cannot_be_tested_is_said(table: pd.DataFrame, change: Any, tests: list[int], message: str) -> None:
    """Each with what was wanted, what was found and what to do."""
    with pytest.raises(DataError, match=message):
        run(change(table), tests)


@pytest.fixture(scope="module")
def large() -> pd.DataFrame:
    """Nine cutoffs of 3,000 customers; few churned."""
    table = snapshots(customers=3_000, cutoffs=9, seed=6)
    return table[(table["churned"] == 0) | (np.random.default_rng(6).random(len(table)) < 0.4)].reset_index(drop=True)


def test_a_sample_is_judged_as_everyone_would_be(large: pd.DataFrame) -> None:
    """Half of the sample churned; figures that did not know would tell of another business."""
    everyone, sample = run(large, tests=TESTS[:1]), run(sampled(large, 9_000, seed=0), tests=TESTS[:1])
    for name, tolerance in (("log_loss", 0.03), ("brier", 0.015), ("lift_at_10", 0.5), ("auc", 0.03), ("bias", 15)):
        assert sample.figures()[name] == pytest.approx(everyone.figures()[name], abs=tolerance), name
    unweighted = RISK_METRICS["log_loss"].function(
        sample.predictions["churned"].to_numpy(), sample.predictions["model_p_churn"].to_numpy(), None
    )
    assert float(unweighted) > everyone.figures()["log_loss"] + 0.1
    for baseline in ("rfm", "recency"):
        predicted = sample.predictions[f"{baseline}_p_churn"]
        assert predicted.mean() < sample.predictions["churned"].mean() - 0.1
        assert np.average(predicted, weights=sample.predictions[WEIGHT]) == pytest.approx(
            everyone.predictions[f"{baseline}_p_churn"].mean(), abs=0.02
        )
    assert sample.differences["recency"]["log_loss"].estimate == pytest.approx(
        everyone.differences["recency"]["log_loss"].estimate, abs=0.03
    )


def test_a_backtest_on_a_sample_says_so(large: pd.DataFrame, result: Backtest) -> None:
    """People in the table, programs in the JSON; the share that churned is that of the business."""
    sample = run(sampled(large, 9_000, seed=0), tests=TESTS[:1])
    at = large[large["cutoff"] == TESTS[0]]
    assert "tested on a sample of " in sample.table()
    found = sample.to_dict()
    assert found["sample"]["kept"] == len(sample.predictions) == found["cutoffs"][0]["customers"]
    assert found["sample"]["of"] == pytest.approx(len(at), rel=0.05)
    assert found["cutoffs"][0]["churned"] == pytest.approx(at["churned"].mean(), abs=0.03)
    assert "sample" not in result.to_dict()
    assert "sample" not in result.table()
