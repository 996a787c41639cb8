"""The truth is only worth its name if what happened agrees with it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from holdfast.simulate import Kind, Simulated, retail, retail_truth, simulate
from holdfast.simulate.causes import CAUSES
from holdfast.simulate.clock import HORIZON, day_of
from holdfast.simulate.mood import GONE
from holdfast.simulate.retail_orders import draw_orders
from tests.unit.simulate.ranking import auc

BASE_RATES = {"retail": (0.30, 0.52), "subscription": (0.06, 0.12)}
APART = 3  # every third first of a month lies at least 90 days after the one before


def truth_of(business: Simulated) -> pd.DataFrame:
    """The whole truth."""
    return pd.read_parquet(business.truth)


@pytest.mark.parametrize("start", range(APART))
def test_as_many_churn_as_the_truth_expects_in_every_tenth(business: Simulated, start: int) -> None:
    """Windows that do not overlap are independent given the past, so the binomial error is the right yardstick."""
    truth = truth_of(business)
    rows = truth[truth.cutoff.isin(sorted(truth.cutoff.unique())[start::APART])]
    tenth = pd.qcut(rows.p_churn.rank(method="first"), 10, labels=False)
    by_tenth = rows.assign(variance=rows.p_churn * (1 - rows.p_churn)).groupby(tenth)
    z = (by_tenth.churned.sum() - by_tenth.p_churn.sum()) / np.sqrt(by_tenth.variance.sum())
    assert z.abs().max() < 4.0
    assert (z**2).sum() < 35.0, "the chance of this with 10 degrees of freedom is one in ten thousand"


@pytest.mark.parametrize("start", range(APART))
def test_the_revenue_that_came_is_what_the_truth_expects(business: Simulated, start: int) -> None:
    """Expected value carries the ranking of the list, so it must be unbiased among the small and the large."""
    truth = truth_of(business)
    rows = truth[truth.cutoff.isin(sorted(truth.cutoff.unique())[start::APART])]
    error = rows.future_value - rows.expected_value
    fifth = pd.qcut(rows.expected_value, 5, labels=False)
    z = error.groupby(fifth).sum() / np.sqrt((error**2).groupby(fifth).sum())
    assert z.abs().max() < 4.0


def total_is_expected(error: pd.Series) -> bool:
    """Whether errors of independent customers sum to nothing but chance."""
    return abs(float(error.sum())) < 4 * float(np.sqrt((error**2).sum()))


def test_what_a_service_may_expect_is_what_its_two_outcomes_bring(service: Simulated) -> None:
    """Those who stay and those who leave are all there are; nobody under contract has gone."""
    truth = truth_of(service)
    assert (truth.p_gone == 0).all()
    assert (truth.p_leaving == truth.p_churn).all()
    both = (1 - truth.p_churn) * truth.value_if_kept + truth.p_churn * truth.value_if_lost
    np.testing.assert_allclose(both, truth.expected_value, rtol=1e-9)
    assert (truth.value_if_lost < truth.value_if_kept).mean() > 0.95


@pytest.mark.parametrize("start", range(APART))
def test_who_stays_at_a_service_brings_what_they_were_expected_to_and_so_does_who_leaves(
    service: Simulated, start: int
) -> None:
    """Given how it came out, not only on average over both."""
    truth = truth_of(service)
    rows = truth[truth.cutoff.isin(sorted(truth.cutoff.unique())[start::APART])]
    stayed, left = (~rows.churned).astype(float), rows.churned.astype(float)
    assert total_is_expected(stayed * rows.future_value - (1 - rows.p_leaving) * rows.value_if_kept)
    assert total_is_expected(left * rows.future_value - rows.p_leaving * rows.value_if_lost)


def test_whoever_has_gone_from_a_shop_does_not_leave_it_again(shop: Simulated) -> None:
    """The drift says who has gone; the others leave with some chance, and what they leave behind is nothing."""
    truth = truth_of(shop)
    assert (truth.p_gone == (truth.drift == GONE)).all()
    gone = truth.p_gone == 1
    assert 0.02 < gone.mean() < 0.6
    assert (truth.p_leaving[gone] == 0).all()
    assert truth.p_leaving[~gone].between(0, 1, inclusive="neither").all()
    assert (truth.value_if_lost == 0).all()
    assert (truth.p_gone + truth.p_leaving <= 1).all()


def test_who_stays_at_a_shop_is_drawn_as_often_and_brings_as_much_as_the_truth_says() -> None:
    """From one first of a month to another 90 days later, where the hidden state tells who is still there."""
    life, trade, _ = np.random.SeedSequence([3, 0]).spawn(3)
    past = retail.live(6000, life)
    truth = retail_truth.retail_truth(past, draw_orders(past, np.random.default_rng(trade)))
    cutoff = day_of(date(2024, 2, 1))
    rows = truth.cutoff_day == cutoff
    now = past.moods[cutoff].drift[truth.customer[rows]] == GONE
    later = past.moods[cutoff + HORIZON].drift[truth.customer[rows]] == GONE
    p_gone, p_leaving, kept = (
        pd.Series(getattr(truth.states, name)[rows]) for name in ("p_gone", "p_leaving", "value_if_kept")
    )
    assert (p_gone == now).all()
    assert total_is_expected((later & ~now) - p_leaving)
    there = ~now
    drawn = there * np.where(later, 0.0, truth.future_value[rows])
    assert total_is_expected(drawn - there * (1 - p_leaving) * kept)


def test_the_truth_covers_nineteen_firsts_of_a_month_up_to_the_export(business: Simulated) -> None:
    """The last cutoff is the day of the export, where the outcome exists nowhere but here."""
    truth = truth_of(business)
    expected = pd.date_range("2023-07-01", "2025-01-01", freq="MS", tz="UTC")
    assert list(pd.DatetimeIndex(sorted(truth.cutoff.unique()))) == list(expected)
    assert not truth.duplicated(["customer_id", "cutoff"]).any()
    assert set(truth.cause) <= set(CAUSES)
    assert truth.p_churn.between(0, 1).all()


def test_the_problem_is_as_hard_as_in_real_life(business: Simulated) -> None:
    """A truth that ranked perfectly would make any model look good."""
    truth = truth_of(business)
    low, high = BASE_RATES[business.kind]
    assert low < truth.churned.mean() < high
    assert 0.80 < auc(truth.p_churn, truth.churned) < 0.88


@pytest.mark.parametrize("cause", ["unresolved_ticket", "poor_first_month", "price_rise", "disengaged"])
def test_each_trouble_is_the_main_cause_for_some_at_high_risk(business: Simulated, cause: str) -> None:
    """Reasons can only be checked against causes that occur."""
    truth = truth_of(business)
    at_risk = truth[truth.p_churn > truth.p_churn.quantile(0.8)]
    assert (at_risk.cause == cause).mean() > 0.02


def test_the_shop_knows_its_own_kind_of_churn_from_its_orders(shop: Simulated) -> None:
    """The definition that users configure, applied to the raw orders, must give the truth's population and outcome."""
    orders = pd.read_parquet(shop.tables["orders"]).drop_duplicates("line_no").dropna(subset="client")
    cutoff = pd.Timestamp("2024-04-01", tz="UTC")
    bought = orders[orders.net_amount > 0]
    horizon = (orders.booked_at >= cutoff) & (orders.booked_at < cutoff + pd.Timedelta(days=90))
    recent = bought[(bought.booked_at < cutoff) & (bought.booked_at >= cutoff - pd.Timedelta(days=180))]
    truth = truth_of(shop).query("cutoff == @cutoff").set_index("customer_id")
    population = set(recent.client)
    assert population <= set(truth.index), "dirt loses orders, it never invents any"
    assert len(population) > 0.99 * len(truth)
    later = set(orders[horizon & (orders.net_amount > 0)].client)
    same = [(customer not in later) == truth.churned[customer] for customer in population]
    assert np.mean(same) > 0.99
    value = orders[horizon].groupby("client").net_amount.sum().reindex(truth.index, fill_value=0.0)
    assert np.isclose(value, truth.future_value, atol=0.005).mean() > 0.97


def test_the_service_knows_its_own_kind_of_churn_from_its_log(service: Simulated) -> None:
    """An end that a restart within 14 days undoes is no churn, in the log as in the truth."""
    log = pd.read_parquet(service.tables["subscription_events"]).drop_duplicates("log_no").dropna(subset="account")
    cutoff, grace = pd.Timestamp("2024-04-01", tz="UTC"), pd.Timedelta(days=14)
    before = log[log.effective_at < cutoff].sort_values("effective_at").groupby("account").change.last()
    running = set(before[before != "end"].index)
    truth = truth_of(service).query("cutoff == @cutoff").set_index("customer_id")
    assert len(running & set(truth.index)) > 0.99 * len(running | set(truth.index))
    ends = log[(log.change == "end") & (log.effective_at >= cutoff)]
    ends = ends[ends.effective_at < cutoff + pd.Timedelta(days=90)]
    starts = log[(log.change == "start")][["account", "effective_at"]]
    undone = ends.merge(starts, on="account", suffixes=("", "_start"))
    undone = undone[undone.effective_at_start.between(undone.effective_at, undone.effective_at + grace)]
    final = set(ends[~ends.log_no.isin(undone.log_no)].account)
    both = sorted(running & set(truth.index))
    assert np.mean([(account in final) == truth.churned[account] for account in both]) > 0.99
    assert len(undone) > 0


@pytest.mark.parametrize(
    ("kind", "crest", "trough"), [("retail", "2024-05-01", "2023-11-01"), ("subscription", "2023-10-01", "2024-04-01")]
)
def test_a_planted_season_moves_what_comes_and_the_truth_with_it(
    tmp_path: Path, kind: Kind, crest: str, trough: str
) -> None:
    """Whoever tests a model against seasons needs one that the truth knows of; fewer orders are more churn."""
    truth = truth_of(simulate(kind, tmp_path / kind, customers=2000, seed=5, season=0.4))
    plain = truth_of(simulate(kind, tmp_path / "plain", customers=2000, seed=5))

    def at(table: pd.DataFrame, day: str) -> pd.DataFrame:
        return table[table.cutoff == pd.Timestamp(day, tz="UTC")]

    for day in (crest, trough):
        rows = at(truth, day)
        z = (rows.churned.sum() - rows.p_churn.sum()) / np.sqrt((rows.p_churn * (1 - rows.p_churn)).sum())
        assert abs(z) < 4
    assert at(truth, crest).p_churn.mean() > 1.1 * at(plain, crest).p_churn.mean()
    assert at(truth, trough).p_churn.mean() < 0.9 * at(plain, trough).p_churn.mean()


def test_the_truth_tells_the_hidden_state_that_its_probabilities_follow(business: Simulated) -> None:
    """What a model cannot see is what keeps it from the truth, and one must be able to say which part of it."""
    truth = truth_of(business)
    hidden = ["drift", "ticket", "sore", "hazard", "touch", *(["rate", "seasonal"] * (business.kind == "retail"))]
    assert truth[hidden].notna().all(axis=None)
    risk = truth.groupby("drift").p_churn.mean()
    assert list(risk.index) == list(range(len(risk)))
    assert risk.is_monotonic_increasing
    assert truth.query("ticket == 2").p_churn.mean() > truth.query("ticket == 0").p_churn.mean()
