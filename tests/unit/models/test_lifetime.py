"""The value over horizons that no outcome reaches, from a bundle alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from holdfast.errors import BundleError
from holdfast.learning import ValueRegressor
from holdfast.models import Bundle
from holdfast.models.additive import Additive, Linear
from holdfast.models.btyd.discounting import YEAR_DAYS, present_value
from holdfast.models.calibration import IDENTITY
from holdfast.models.checks import InputError
from holdfast.models.feature_record import FeatureRecord
from holdfast.models.lifetime import Lifetime
from holdfast.models.model_card import ChurnDefinition, ModelCard, ValueDefinition
from holdfast.models.risk import RiskModel
from holdfast.models.serving import ServedBundle
from holdfast.models.value import Refunds
from tests.unit.learning.samples import shop

NAMES = ("order_days_lifetime", "days_since_order", "days_since_first_order", "spend_lifetime")
HORIZONS = (30, 90, 365, 1095)
CARD = ModelCard("shop", ChurnDefinition("no_order", 90), ValueDefinition("revenue", 90))


@pytest.fixture(scope="module")
def buyers() -> pd.DataFrame:
    """Some rows of the shop; the last customers are unknown, new, and known by the spend alone."""
    odd = [[np.nan] * 4, [1.0, 0.0, 0.0, 0.0], [np.nan, np.nan, np.nan, 300.0]]
    return pd.DataFrame(np.vstack([shop()[0][::9], odd]), columns=NAMES)


@pytest.fixture(scope="module")
def kept() -> Bundle:
    """A value model with a customer base, learnt from outcomes of 90 days."""
    X, y, cutoff = shop()
    few = {"n_estimators": 20, "min_child_samples": 20, "purge_days": 90, "horizon_days": 90}
    value = ValueRegressor(**few, history_columns=(0, 1, 2), spend_column=3).fit(X, y, cutoff=cutoff)
    risk = RiskModel(Additive(4, Linear.constant(0.0), None), IDENTITY)
    return Bundle(risk, value, tuple(FeatureRecord(name) for name in NAMES), CARD)


def test_at_its_own_horizon_the_model_says_what_it_says(kept: Bundle, buyers: pd.DataFrame) -> None:
    """To the bit: the list and the table of horizons speak of the same value."""
    said = kept.value_over(buyers, (45, 90, 91))
    assert (said["value_90d"] == kept.predict(buyers)["value"]).all()
    assert said.index.equals(buyers.index)
    assert (said["value_45d"] < said["value_90d"]).all()


def test_what_was_asked_beside_it_changes_no_horizon(kept: Bundle, buyers: pd.DataFrame) -> None:
    """One column of the table is the same number alone."""
    together = kept.value_over(buyers, HORIZONS, 0.08)
    for horizon in HORIZONS:
        alone = kept.value_over(buyers, (horizon,), 0.08)[f"value_{horizon}d"]
        np.testing.assert_allclose(alone, together[f"value_{horizon}d"], rtol=1e-12)


def test_a_longer_horizon_brings_what_the_customer_base_expects(kept: Bundle, buyers: pd.DataFrame) -> None:
    """The ratio of its purchases, so that three years are worth less than twelve times a quarter."""
    said, own = kept.value_over(buyers, HORIZONS), kept.predict(buyers)["value"]
    assert (np.diff(said, axis=1) > 0).all()
    assert (said["value_1095d"] <= own * 1095 / 90).all()
    assert kept.value.past is not None
    X, base = buyers.to_numpy()[:-3], kept.value.past.history
    for horizon in HORIZONS:
        ratio = base.mean(X, horizon) / base.mean(X, 90)
        np.testing.assert_allclose(said[f"value_{horizon}d"][:-3], own[:-3] * ratio, rtol=1e-9)


def test_every_horizon_has_a_name_of_its_own(kept: Bundle, buyers: pd.DataFrame) -> None:
    """Also two that a rounded name would take for one."""
    said = kept.value_over(buyers, (90, 365.0001, 365.0002))
    assert list(said) == ["value_90d", "value_365.0001d", "value_365.0002d"]
    served = ServedBundle(kept).predict(buyers, {"horizons": [90.0, 365.0001, 365.0002]})
    pd.testing.assert_frame_equal(served[list(said)], said, check_exact=True)


def test_money_to_come_late_is_worth_less(kept: Bundle, buyers: pd.DataFrame) -> None:
    """Less than without a discount, the less the higher it is, and more than if all came at the end."""
    plain, tenth, fifth = (kept.value_over(buyers, HORIZONS, d) for d in (0.0, 0.1, 0.2))
    assert (fifth < tenth).all(axis=None)
    assert (tenth < plain).all(axis=None)
    assert (tenth["value_1095d"] > plain["value_1095d"] / 1.1 ** (1095 / YEAR_DAYS)).all()
    np.testing.assert_allclose(tenth["value_30d"], plain["value_30d"] / 1.1 ** (15 / YEAR_DAYS), rtol=1e-12)
    assert kept.value_over(buyers, HORIZONS, 1e-300).equals(plain)


def test_whoever_is_unknown_gains_as_a_new_customer_does(kept: Bundle, buyers: pd.DataFrame) -> None:
    """Missing numbers are no reason for missing answers."""
    growth = Lifetime.of(kept.value, kept.card).growth(buyers.to_numpy(), HORIZONS)
    assert np.isfinite(kept.value_over(buyers, HORIZONS, 0.1)).all(axis=None)
    assert (growth[[-1, -3]] == growth[-2]).all()
    assert (growth[-1] > [0, 0, 3, 8]).all()


def test_a_customer_given_up_gains_as_one_who_is_there(kept: Bundle) -> None:
    """B(h) and B(h0) both fall to 0 with the probability of being there; their ratio does not, and must not be 0/0."""
    gone = np.array([[400.0, 5_000.0, 5_400.0, 9_000.0]])
    lifetime = Lifetime.of(kept.value, kept.card)
    assert lifetime.history.mean(gone, 365)[0] == 0
    assert 3.5 < lifetime.growth(gone, (365,))[0, 0] <= 365 / 90


def test_a_negative_value_stays_what_it_is(kept: Bundle, buyers: pd.DataFrame) -> None:
    """The refund of what was bought already comes once; multiplied by twelve it would sink with the horizon."""
    heavy = replace(kept, value=replace(kept.value, refunds=Refunds(0.9, np.full(19, -200.0))))
    own, said = heavy.predict(buyers)["value"], heavy.value_over(buyers, HORIZONS, 0.1)
    below = own < 0
    assert 0 < below.sum() < len(buyers)
    assert (said[below].sub(own[below], axis=0) == 0).all(axis=None)
    assert (np.diff(said[~below], axis=1) > 0).all()


def test_horizons_begin_where_the_outcome_window_does(kept: Bundle, buyers: pd.DataFrame) -> None:
    """With a gap, what the customer base expects before it counts for nothing."""
    late = Lifetime.of(kept.value, replace(CARD, churn=ChurnDefinition("no_order", 90, gap_days=30)))
    X, base = buyers.to_numpy()[:-3], late.history
    wanted = (base.mean(X, 395) - base.mean(X, 30)) / (base.mean(X, 120) - base.mean(X, 30))
    np.testing.assert_allclose(late.growth(X, (90, 365)), np.column_stack([np.ones(len(X)), wanted]), rtol=1e-9)


def test_a_stored_model_and_a_served_one_say_the_same(kept: Bundle, buyers: pd.DataFrame, tmp_path: Path) -> None:
    """Whoever takes the model from the registry has all of it."""
    said = kept.value_over(buyers, HORIZONS, 0.1)
    again = Bundle.load(kept.save(tmp_path / "bundle"))
    pd.testing.assert_frame_equal(again.value_over(buyers, HORIZONS, 0.1), said, check_exact=True)
    served = ServedBundle(again).predict(buyers, {"horizons": [30.0, 90.0, 365.0, 1095.0], "yearly_discount": 0.1})
    pd.testing.assert_frame_equal(served[said.columns.tolist()], said, check_exact=True)
    assert ServedBundle(again).predict(buyers, {"horizons": []}).columns.equals(kept.predict(buyers).columns)


REFUSED: dict[str, tuple[Callable[[Bundle, pd.DataFrame], Any], type[Exception], str]] = {
    "too long": (
        lambda b, t: b.value_over(t, (365, 1096)),
        InputError,
        r"at most 1095\.75 days, which is three years; found 1096\. Nobody has seen .* Shorten it",
    ),
    "falling": (lambda b, t: b.value_over(t, (365, 90)), InputError, "each longer than the one before.*found 365, 90"),
    "none": (lambda b, t: b.value_over(t, ()), InputError, "found none"),
    "negative": (lambda b, t: b.value_over(t, (-5, 90)), InputError, "above 0.*found -5, 90"),
    "discount": (lambda b, t: b.value_over(t, (90,), -0.1), InputError, r"0 or more, such as 0\.1; found -0\.1"),
    "a text": (
        lambda b, t: b.value_over(t, "369"),  # type: ignore[arg-type]
        InputError,
        "Wanted horizons as a list of numbers of days.*found '369'",
    ),
    "one number": (lambda b, t: b.value_over(t, 365), InputError, "found 365. Give a list"),  # type: ignore[arg-type]
    "texts": (lambda b, t: b.value_over(t, ("a",)), InputError, "a list of numbers.*'a'"),  # type: ignore[arg-type]
    "missing": (lambda b, t: b.value_over(t, (None,)), InputError, "a list of numbers.*None"),  # type: ignore[arg-type]
    "a discount in words": (
        lambda b, t: b.value_over(t, (90,), "0.1"),  # type: ignore[arg-type]
        InputError,
        r"0 or more, such as 0\.1; found '0\.1'",
    ),
    "endless": (lambda b, t: b.value_over(t, (90,), np.inf), InputError, "found inf"),
    "unknown": (lambda b, t: b.value_over(t, (90,), np.nan), InputError, "found nan"),
    "mrr": (
        lambda b, t: replace(b, card=replace(CARD, value=ValueDefinition("mrr", 90))).value_over(t, (90,)),
        BundleError,
        r"wants a model of the customer base.*found a value of mrr\. What this model can tell .* 90 days, as 'value'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_told_is_refused(case: str, kept: Bundle, buyers: pd.DataFrame) -> None:
    """In one sentence each: what was wanted, what was found, what to do."""
    ask, kind, words = REFUSED[case]
    with pytest.raises(kind, match=words):
        ask(kept, buyers)


def test_a_bundle_without_a_customer_base_is_refused(bundle: Bundle, table: pd.DataFrame) -> None:
    """As of a service under contract; what it can tell is named."""
    plain = replace(bundle, card=CARD)
    with pytest.raises(
        BundleError, match=r"found a value of revenue without one\. What this model can tell .* 90 days"
    ):
        plain.value_over(table, (365,))


def test_the_months_add_up_by_hand() -> None:
    """One a day for 70 days at a tenth a year: two months and ten days, each from its middle."""
    found = present_value(lambda days: np.array([days, 2 * days]), (30, 70), 0.1)
    by_hand = 30 * 1.1 ** (-15 / 365.25), 30 * 1.1 ** (-45 / 365.25), 10 * 1.1 ** (-65 / 365.25)
    np.testing.assert_allclose(found, np.outer([1, 2], [by_hand[0], sum(by_hand)]), rtol=1e-14)
    assert (present_value(lambda days: np.array([np.sqrt(days)]), (30, 70), 0.0) == np.sqrt([30, 70])).all()
