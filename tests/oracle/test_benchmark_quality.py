"""The quality benchmark judges everyone by the same rows, and its own arithmetic is checked here."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from json import loads
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("lifetimes", reason="the peer is in the extra 'bench'")

from benchmarks.contest import peers
from benchmarks.contest.judging import over_worlds, plain
from benchmarks.contest.world import World, world
from benchmarks.contest.worlds import hidden
from holdfast.metrics import RISK_METRICS, Difference
from holdfast.models.btyd.bg_nbd import BetaGeometric

ROOT = Path(__file__).parents[2]
FEW = 600


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, World]:
    """A small world of each kind."""
    folder = tmp_path_factory.mktemp("worlds")
    return {kind: world(kind, FEW, 3, folder) for kind in ("retail", "subscription")}


@pytest.mark.parametrize("kind", ["retail", "subscription"])
def test_what_is_predicted_is_never_learnt_from(places: dict[str, World], kind: str) -> None:
    """A contender that saw an outcome which was not known on the day would win by that alone."""
    task = places[kind].task
    day = int(task.test["cutoff"].iloc[0])
    assert (task.test["cutoff"] == day).all()
    assert (task.known["cutoff"] + task.spec.complete_after.microseconds).max() <= day
    assert {"churned", "future_value"} <= set(task.known)
    assert list(places[kind].truth["customer_id"]) == [str(name) for name in task.test["customer_id"]]
    assert np.array_equal(places[kind].truth["churned"].to_numpy(dtype=float), task.churned)


def test_few_customers_are_the_same_business_with_fewer_to_learn_from(places: dict[str, World]) -> None:
    """The test stays everyone, or few customers would make a noisy judge as well."""
    few = places["retail"].of_few(150, seed=1).task
    whole = places["retail"].task
    learnt = set(few.known["customer_id"]) | set(few.purchases["customer_id"])
    assert 100 < len(learnt) <= 150
    assert len(few.test) == len(whole.test)
    rows = whole.known[whole.known["customer_id"].isin(set(few.known["customer_id"]))].reset_index(drop=True)
    pd.testing.assert_frame_equal(few.known, rows)


def test_a_world_taken_from_its_folder_is_the_world_that_was_built(places: dict[str, World], tmp_path: Path) -> None:
    """A second run must measure the same."""
    first, second = (world("subscription", 200, 5, tmp_path) for _ in range(2))
    pd.testing.assert_frame_equal(first.task.known, second.task.known)
    pd.testing.assert_frame_equal(first.truth, second.truth)
    assert [path.suffix for path in tmp_path.iterdir()].count(".pickle") == 1


def test_the_peer_lifetimes_answers_by_its_papers_formula(places: dict[str, World]) -> None:
    """The library has no P(no purchase in the horizon); ours, with its parameters, says the same as the peer does."""
    task = places["retail"].task
    said = peers.lifetimes(task, 0)
    everyone = peers._repeats(task.purchases)
    fitted = peers._fitted(everyone)
    model = BetaGeometric(*(float(fitted.params_[name]) for name in ("r", "alpha", "a", "b")))
    there = peers._repeats(task.test)
    wanted = model.probability_none(there["x"], there["t_x"], there["t"], task.horizon / peers.SCALE_DAYS)
    np.testing.assert_allclose(said.p, wanted, rtol=1e-7)
    assert said.value is not None
    assert 0.5 < said.value.sum() / task.came.sum() < 2.0


def test_nobody_buys_under_contract(places: dict[str, World]) -> None:
    """A model of purchases has nothing to say of subscriptions, and must not be compared there."""
    assert places["subscription"].task.purchases is None
    assert "lifetimes" not in peers.contest(places["subscription"].task, 0, ("lifetimes", "recency"))


@pytest.mark.parametrize("kind", ["retail", "subscription"])
def test_peers_answer_for_every_row_in_its_order(places: dict[str, World], kind: str) -> None:
    """A shuffled peer is a beaten peer: on rows in another order each says the same of the same customer."""
    task = places[kind].task
    turned = replace(task, test=task.test.iloc[::-1].reset_index(drop=True))
    names = tuple(name for name in peers.CONTENDERS if name != peers.OURS)
    one, other = (peers.contest(each, 0, names) for each in (task, turned))
    for name, said in one.items():
        np.testing.assert_allclose(said.p, other[name].p[::-1], rtol=1e-9, err_msg=name)
        assert ((said.p > 0) & (said.p < 1)).all(), name


def test_hidden_traits_explain_what_was_taken_from_the_truth(places: dict[str, World]) -> None:
    """A prediction that is the truth less what one trait adds must point to this trait and to no other."""
    place = places["subscription"]
    z = np.log(place.p / (1 - place.p)) - 0.8 * (place.truth["touch"] > 1).to_numpy()
    found = hidden(place, 1 / (1 + np.exp(-z)))
    assert found["touch"]["alone"] == pytest.approx(1.0, abs=0.01)
    assert found["touch"]["beside_the_others"] > 0.9
    assert found["drift"]["beside_the_others"] == pytest.approx(0.0, abs=0.01)


def test_the_interval_over_worlds_is_students() -> None:
    """Worlds are the sample: four differences, worked out by hand."""
    found = over_worlds([0.01, 0.02, 0.03, 0.02], RISK_METRICS["auc"])
    reach = 3.182446 * 0.00816497 / 2
    assert (found.estimate, found.low, found.high) == pytest.approx((0.02, 0.02 - reach, 0.02 + reach), rel=1e-5)
    assert found.share_better == 1.0
    assert np.isnan(over_worlds([0.01], RISK_METRICS["auc"]).low)


def test_what_does_not_exist_is_null() -> None:
    """NaN is no JSON."""
    assert plain({"a": float("nan"), 2: Difference(0.1, np.nan, np.float64(0.123456789), 1.0)}) == {
        "a": None,
        "2": {"estimate": 0.1, "low": None, "high": 0.12346, "share_better": 1.0},
    }


@pytest.mark.slow
def test_the_last_line_is_one_json_object(tmp_path: Path) -> None:
    """Programs read the last line."""
    command = [sys.executable, "-m", "benchmarks.quality", "--only", "small", "--kinds", "retail", "--sizes", "300"]
    command += ["--small-seeds", "1", "--cache", str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found = loads(done.stdout.splitlines()[-1])
    assert set(found["small"]["retail"]["sizes"]["300"]["mean"]) >= {"holdfast", "logistic", "lifetimes", "lightgbm"}
