"""From snapshots to a bundle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from holdfast.errors import ConfigError, DataError
from holdfast.learning.training import FEWEST_CUSTOMERS, fit, known_by, require_directions, require_learnable
from holdfast.metrics import RISK_METRICS, VALUE_METRICS
from holdfast.models import Bundle
from holdfast.models.feature_record import Direction, FeatureRecord
from holdfast.sampling import WEIGHT, sampled
from holdfast.timeline import Days, instant, show
from tests.unit.learning.samples import FEATURES, MONTH, snapshots, training_spec

FIRST = instant("2024-01-01")


def test_a_bundle_knows_how_it_was_trained() -> None:
    """Whoever finds it later must be able to say from what it learnt."""
    table = snapshots(customers=250, cutoffs=4)
    bundle = fit(table, training_spec(seed=3))
    assert list(bundle.feature_names) == [feature.name for feature in FEATURES]
    assert bundle.card.name == "shop"
    assert bundle.card.training.cutoffs == tuple(show(FIRST + k * MONTH) for k in range(4))
    assert bundle.card.training.snapshots == len(table)
    risk = bundle.predict(table)["p_churn"].to_numpy()
    assert risk[table["churned"] == 1].mean() > risk[table["churned"] == 0].mean() + 0.1


def test_the_same_snapshots_and_seed_give_the_same_bundle() -> None:
    """A training that cannot be repeated cannot be questioned."""
    table = snapshots(customers=250, cutoffs=3)
    one, other = (fit(table, training_spec(seed=1)).predict(table).to_numpy() for _ in range(2))
    assert (one == other).all()


def with_risk(**directions: Direction) -> list[FeatureRecord]:
    """The features, some of them with a direction."""
    of_orders = (
        FeatureRecord("season_sin", role="season_sine"),
        FeatureRecord("season_cos", role="season_cosine"),
        FeatureRecord("order_days_lifetime", role="order_days"),
        FeatureRecord("days_since_first_order", role="days_since_first_order"),
    )
    return [replace(feature, risk=directions.get(feature.name)) for feature in (*FEATURES, *of_orders)]


def test_the_risk_keeps_to_the_direction_of_a_record() -> None:
    """Churn of this business falls with satisfaction; a record that says the opposite leaves no say to it."""
    table = snapshots(customers=250, cutoffs=4)
    features = with_risk(satisfaction_last="rises", days_since_order="rises")[: len(FEATURES)]
    kept, free = (fit(table, training_spec(specs, seed=3)) for specs in (features, FEATURES))
    more = table.assign(satisfaction_last=table["satisfaction_last"] + 2)
    asked = table["satisfaction_last"].notna()
    assert (kept.predict(more)["p_churn"] >= kept.predict(table)["p_churn"] - 1e-12)[asked].all()
    assert (free.predict(more)["p_churn"] < free.predict(table)["p_churn"])[asked].mean() > 0.7
    assert [feature.risk for feature in kept.features] == ["rises", None, None, "rises", None]
    values = ["value", "value_low", "value_high"]
    pd.testing.assert_frame_equal(kept.predict(table)[values], free.predict(table)[values], check_exact=True)


@pytest.mark.parametrize(
    ("name", "churn", "reader"),
    [
        ("days_since_order", "no_order", "the model of the customer base"),
        ("days_since_first_order", "no_order", "the model of the customer base"),
        ("season_sin", "subscription_end", "the forecast of the level"),
    ],
)
def test_a_direction_that_cannot_be_kept_to_is_refused(name: str, churn: str, reader: str) -> None:
    """Through the customer base, or the level, the risk would go its own way."""
    with pytest.raises(ConfigError, match=f"found '{name}' with risk rises: it is read by {reader}"):
        require_directions(with_risk(**{name: "rises"}), churn)
    require_directions(with_risk(days_since_order="rises"), "no_event")
    require_directions(with_risk(orders_365d="falls"), "no_order")
    require_directions(
        [FeatureRecord("x", risk="rises", role="days_since_order")], "no_order"
    )  # no history, no customer base


def test_too_few_customers_are_refused() -> None:
    """Many snapshots of few people are still few people."""
    with pytest.raises(DataError, match=f"at least {FEWEST_CUSTOMERS} customers to learn from, found 199"):
        require_learnable(snapshots(customers=199, cutoffs=9))
    require_learnable(snapshots(customers=200, cutoffs=2))


@pytest.mark.parametrize(("outcome", "word"), [(0.0, "no"), (1.0, "every")])
def test_one_class_is_refused(outcome: float, word: str) -> None:
    """LightGBM would fit it and say nothing."""
    with pytest.raises(DataError, match=f"one class only: {word} customer churned, at 2 cutoffs"):
        require_learnable(snapshots(cutoffs=2).assign(churned=outcome))


def test_only_complete_outcomes_are_known() -> None:
    """An outcome that ends at the test cutoff is known there; one that ends a microsecond later is not."""
    table = snapshots(cutoffs=4)
    known = known_by(table, FIRST + 3 * MONTH, Days(60))
    assert sorted(known["cutoff"].unique()) == [FIRST, FIRST + MONTH]
    earlier = known_by(table, FIRST + 3 * MONTH - 1, Days(60))
    assert np.unique(earlier["cutoff"]).tolist() == [FIRST]


def test_a_history_shorter_than_the_horizon_names_the_first_possible_cutoff() -> None:
    """So that the configuration can be mended without counting days."""
    table: pd.DataFrame = snapshots(cutoffs=4)
    with pytest.raises(DataError, match=f"Test from {show(FIRST + 4 * MONTH)} on"):
        known_by(table, FIRST + 3 * MONTH, Days(120))


@pytest.fixture(scope="module")
def rare() -> pd.DataFrame:
    """37,000 snapshots of which one in nine churned."""
    table = snapshots(customers=6_000, cutoffs=8, seed=4)
    stayed, drawn = table["churned"] == 0, np.random.default_rng(4).random(len(table)) < 0.3
    return table[stayed | drawn].reset_index(drop=True)


@pytest.fixture(scope="module")
def whole(rare: pd.DataFrame) -> Bundle:
    """Learnt from all of them."""
    return fit(rare, training_spec())


@pytest.fixture(scope="module")
def part(rare: pd.DataFrame) -> Bundle:
    """Learnt from 8,000 of them."""
    return fit(sampled(rare, 8_000, seed=0), training_spec())


def test_a_sample_teaches_the_same_mean_risk(rare: pd.DataFrame, whole: Bundle, part: Bundle) -> None:
    """Half of the sample churned, one in nine of the business did: without weights, risks would be far too high."""
    churned = rare["churned"].to_numpy()
    all_risk, risk = (bundle.predict(rare)["p_churn"].to_numpy() for bundle in (whole, part))
    assert risk.mean() == pytest.approx(all_risk.mean(), rel=0.05)
    assert risk.mean() == pytest.approx(churned.mean(), rel=0.05)
    unweighted = fit(sampled(rare, 8_000, seed=0).drop(columns=WEIGHT), training_spec())
    assert unweighted.predict(rare)["p_churn"].mean() > 2 * churned.mean()


def test_a_sample_teaches_nearly_as_well(whole: Bundle, part: Bundle) -> None:
    """On customers that neither has seen: order, calibration and total value."""
    unseen = snapshots(customers=30_000, cutoffs=1, seed=5)
    unseen = unseen[(unseen["churned"] == 0) | (np.random.default_rng(5).random(len(unseen)) < 0.3)]
    churned, came = unseen["churned"].to_numpy(), unseen["future_value"].to_numpy()
    found = []
    for bundle in (whole, part):
        scores = bundle.predict(unseen)
        p, value = scores["p_churn"].to_numpy(), scores["value"].to_numpy()
        risk = {name: float(RISK_METRICS[name].function(churned, p, None)) for name in ("auc", "calibration_error")}
        found.append(risk | {"bias": float(VALUE_METRICS["bias"].function(came, value, None))})
    full, sample = found
    assert sample["auc"] > full["auc"] - 0.01
    assert sample["calibration_error"] < full["calibration_error"] + 0.01
    assert abs(sample["bias"]) < abs(full["bias"]) + 4


def test_a_bundle_says_what_sample_it_learnt_from(rare: pd.DataFrame, whole: Bundle, part: Bundle) -> None:
    """And one that learnt from everything says nothing."""
    assert whole.card.training.sample is None
    assert part.card.training.snapshots == part.card.training.sample["kept"] == 8_000
    assert part.card.training.sample["of"] == len(rare)
    assert part.card.training.sample["share_of_churned"] > 4 * part.card.training.sample["share_of_stayed"]


def test_a_recipe_that_was_chosen_before_is_not_chosen_again() -> None:
    """What was tested is what is trained on everything."""
    table = snapshots(customers=250, cutoffs=5)
    recipes = {
        "risk": {"num_leaves": 7, "linear_penalty": 20.0},
        "any_value": {"num_leaves": 6, "linear_penalty": 30.0},
        "amount": {"num_leaves": 5, "linear_penalty": 40.0},
    }
    learnt = fit(table, training_spec(recipes=recipes)).card.training
    assert learnt is not None
    assert learnt.recipes == recipes
    anew = fit(table, training_spec()).card.training
    assert anew is not None
    assert anew.recipes is not None
    assert {one["num_leaves"] for one in anew.recipes.values()} <= {15, 31}, "without, the defaults are compared"
