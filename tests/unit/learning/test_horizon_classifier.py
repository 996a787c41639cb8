"""Time to churn: several horizons at once, each learnt from what is known of it."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone

from holdfast.learning import AtRiskClassifier, HorizonClassifier
from holdfast.metrics.calibration import calibration_error
from holdfast.models import HorizonModel
from holdfast.models.checks import InputError
from holdfast.timeline import MICROSECONDS_PER_DAY as DAY

HORIZONS = (30, 60, 90, 180)
CUTOFFS = 9
UNTIL = 300  # days after the first cutoff at which one stands
SMALL = AtRiskClassifier(n_estimators=40, n_jobs=1)


def world(customers: int = 700, seed: int = 0, until: float = UNTIL) -> dict[str, Any]:
    """Customers at monthly cutoffs whose event comes the sooner the larger their first column is."""
    draw = np.random.default_rng(seed)
    X = draw.normal(size=(customers * CUTOFFS, 3))
    rate = np.exp(0.8 * X[:, 0] - 0.3 * X[:, 1]) / 150
    month = np.repeat(np.arange(CUTOFFS), customers)
    return {
        "X": X,
        "y": draw.exponential(1 / rate),
        "rate": rate,
        "cutoff": month * 30 * DAY,
        "observed_days": until - 30.0 * month,
    }


def fitted(of: dict[str, Any], *, anchor: Any = None, sample_weight: Any = None, **how: Any) -> HorizonClassifier:
    """A small classifier that learnt this world."""
    model = HorizonClassifier(HORIZONS, **{"classifier": SMALL, **how})
    known = {name: of[name] for name in ("observed_days", "cutoff")}
    return model.fit(of["X"], of["y"], **known, anchor=anchor, sample_weight=sample_weight)


def stored(model: HorizonClassifier) -> str:
    """All bytes of a model."""
    return json.dumps(model.model_.to_parts(), sort_keys=True)


@pytest.fixture(scope="module")
def losses() -> HorizonClassifier:
    """Where the event is the loss."""
    return fitted(world())


@pytest.fixture(scope="module")
def returns() -> HorizonClassifier:
    """Where the event is a return."""
    return fitted(world(), event_is_churn=False)


@pytest.fixture(scope="module")
def unseen() -> dict[str, Any]:
    """Other customers of the same world."""
    return world(customers=900, seed=5)


def test_a_loss_gets_likelier_with_time_and_a_missing_return_rarer(
    losses: HorizonClassifier, returns: HorizonClassifier, unseen: dict[str, Any]
) -> None:
    """Who has left within 30 days has left within 60, and who has come back within 30 has come back within 60."""
    assert (np.diff(losses.predict_proba_by_horizon(unseen["X"]), axis=1) >= 0).all()
    assert (np.diff(returns.predict_proba_by_horizon(unseen["X"]), axis=1) <= 0).all()


@pytest.mark.parametrize("event_is_churn", [True, False])
def test_each_horizon_is_calibrated(
    event_is_churn: bool, losses: HorizonClassifier, returns: HorizonClassifier, unseen: dict[str, Any]
) -> None:
    """A probability chained from steps must mean what it says at every horizon, not at the anchor alone."""
    p = (losses if event_is_churn else returns).predict_proba_by_horizon(unseen["X"])
    for k, horizon in enumerate(HORIZONS):
        churned = ((unseen["y"] < horizon) == event_is_churn).astype(float)
        assert calibration_error(churned, p[:, k]) < 0.03
        truth = 1 - np.exp(-unseen["rate"] * horizon) if event_is_churn else np.exp(-unseen["rate"] * horizon)
        assert np.abs(p[:, k] - truth).mean() < 0.04


def test_both_directions_tell_the_same_story(
    losses: HorizonClassifier, returns: HorizonClassifier, unseen: dict[str, Any]
) -> None:
    """Of one event, the probability that it has come and that it has not add up to 1; trees differ by a hair."""
    total = losses.predict_proba_by_horizon(unseen["X"]) + returns.predict_proba_by_horizon(unseen["X"])
    assert np.abs(total - 1).max() < 0.01


@pytest.mark.parametrize("event_is_churn", [True, False])
def test_a_given_anchor_keeps_its_answers_to_the_bit(event_is_churn: bool, unseen: dict[str, Any]) -> None:
    """A customer must not have one risk on the list and another in the table of horizons."""
    of = world(customers=300)
    churned = (of["y"] < 90) == event_is_churn
    risk = AtRiskClassifier(n_estimators=10, n_jobs=1).fit(of["X"], churned, cutoff=of["cutoff"])
    model = fitted(of, anchor=risk.model_, anchor_days=90, event_is_churn=event_is_churn)
    p = model.predict_proba_by_horizon(unseen["X"])
    assert np.array_equal(p[:, HORIZONS.index(90)], risk.predict_proba(unseen["X"])[:, 1])


def test_what_is_not_known_yet_never_teaches() -> None:
    """An outcome that ends after the instant at which one stands changes no byte, at whichever horizon."""
    of = world(customers=300, until=200)
    honest = fitted(of)
    draw = np.random.default_rng(1)
    known = np.array([max((h for h in (0, *HORIZONS) if h <= seen), default=0) for seen in of["observed_days"]])
    open_end = of["y"] >= known
    assert 0.2 < open_end.mean() < 0.9
    other = np.where(open_end, known + draw.exponential(50, len(known)), of["y"])
    assert stored(fitted({**of, "y": other})) == stored(honest)
    assert stored(fitted({**of, "y": np.where(open_end, of["y"], 180 - of["y"])})) != stored(honest)


def test_short_horizons_learn_from_later_cutoffs() -> None:
    """Their outcomes are complete sooner, and the latest customers tell most about tomorrow's."""
    of = world(customers=300, until=200)
    found = fitted(of, anchor_days=30)
    complete = of["observed_days"] >= 30
    assert found.rows_[0] == complete.sum()
    assert found.rows_[1] == ((of["observed_days"] >= 60) & (of["y"] >= 30)).sum()
    assert found.rows_[3] == ((of["observed_days"] >= 180) & (of["y"] >= 90)).sum()


def test_rows_without_weight_are_as_good_as_absent() -> None:
    """A sample is weighted back to the whole; a weight of 0 stands for nobody."""
    of = world(customers=200)
    weight = (np.random.default_rng(2).random(len(of["y"])) < 0.7).astype(float)
    there = weight > 0
    fewer = {name: values[there] for name, values in of.items()}
    assert stored(fitted(of, sample_weight=weight)) == stored(fitted(fewer, sample_weight=weight[there]))


def test_weights_move_every_horizon(unseen: dict[str, Any]) -> None:
    """Where those with an early event stand for three, every horizon must say more of it."""
    of = world(customers=300)
    often = np.where(of["y"] < 30, 3.0, 1.0)
    plain, heavy = (
        fitted(of, sample_weight=weight).predict_proba_by_horizon(unseen["X"]).mean(axis=0)
        for weight in (None, often / often.mean())
    )
    assert (heavy > plain + 0.03).all()


def test_a_model_survives_being_stored(losses: HorizonClassifier, unseen: dict[str, Any]) -> None:
    """JSON and texts of trees, each under a name of its own, hold all of it; so does a pickle."""
    about, texts = json.loads(json.dumps(losses.model_.to_parts()))
    p = losses.predict_proba_by_horizon(unseen["X"])
    assert np.array_equal(HorizonModel.from_parts(about, texts).probabilities(unseen["X"]), p)
    assert np.array_equal(pickle.loads(pickle.dumps(losses)).predict_proba_by_horizon(unseen["X"]), p)
    assert set(texts) <= {f"churn_{horizon}d_trees.txt" for horizon in HORIZONS}
    assert not hasattr(clone(losses), "model_")


def test_each_step_says_why(losses: HorizonClassifier, unseen: dict[str, Any]) -> None:
    """Contributions add up to the log-odds of the step, and the column that drives the event drives it most."""
    for horizon, model in zip(HORIZONS, losses.model_.models, strict=True):
        parts = losses.contributions(unseen["X"], horizon)
        assert np.abs(parts.sum(axis=1) - model.log_odds(unseen["X"])).max() < 1e-9
        assert np.abs(parts[:, :-1]).mean(axis=0).argmax() == 0
    with pytest.raises(InputError, match="one of the horizons 30, 60, 90, 180 of the model; found 45 days"):
        losses.contributions(unseen["X"], 45)


def test_a_step_that_few_have_taken_is_the_same_for_everyone() -> None:
    """Contracts that end on one day of the month leave steps without any event; they must not stop the training."""
    of = world(customers=300)
    of["y"] = np.where((of["y"] >= 60) & (of["y"] < 90), 95.0, of["y"])
    found = fitted(of, anchor_days=60)
    p = found.predict_proba_by_horizon(of["X"])
    step = (p[:, 2] - p[:, 1]) / (1 - p[:, 1])
    assert np.ptp(step) < 1e-9
    assert 0 < step[0] < 0.001
    assert (p[:, 3] - p[:, 2]).mean() > 0.05


@pytest.mark.parametrize("horizons", [(60, 30), (30, 30, 60), (), (0, 30), (30, np.inf)])
def test_horizons_increase(horizons: tuple[float, ...]) -> None:
    """A table whose columns are not in order of time would be read wrongly."""
    with pytest.raises(InputError, match="horizons in days above 0, each longer than the one before"):
        HorizonClassifier(horizons).fit(np.zeros((4, 1)), np.arange(4))


def test_a_horizon_beyond_the_history_is_refused_with_what_there_is() -> None:
    """Nobody can know half a year from five months."""
    of = world(customers=50, until=150)
    with pytest.raises(InputError, match="known for 180 days; the longest known is 150 days"):
        fitted(of)


@pytest.mark.parametrize(
    ("change", "how", "message"),
    [
        ({}, {"anchor_days": 45}, "an anchor among the horizons 30, 60, 90, 180; found 45 days"),
        ({"y": -1.0}, {}, "found 900 rows below 0"),
        ({"y": 500.0}, {}, "no customer churned in .* with one class only"),
        ({"y": np.inf}, {}, "infinity"),
        ({"observed_days": np.nan}, {}, "observed days of each of 900 rows"),
    ],
)
def test_what_cannot_be_learnt_is_said(change: dict[str, float], how: dict[str, Any], message: str) -> None:
    """Each names what was wanted and found."""
    of = world(customers=100)
    changed = {name: np.full(len(of["y"]), value) for name, value in change.items()}
    with pytest.raises(ValueError, match=message):
        fitted({**of, **changed}, **how)
