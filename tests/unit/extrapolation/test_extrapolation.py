"""Horizons that no outcome reaches yet: what is learnt, what is told, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest

from holdfast import Project
from holdfast.errors import ConfigError, DataError
from holdfast.extrapolation import Extrapolation, columns
from holdfast.extrapolation.training_window import KINDS, MODELS
from holdfast.extrapolation.window_grid import WindowGrid
from holdfast.models.checks import InputError
from holdfast.timeline import MICROSECONDS_PER_DAY, instant
from tests.end_to_end.shop import in_memory, settings

pytestmark = pytest.mark.slow

AS_OF = "2023-10-05"
VISITS = {"customer_id": "who", "event_time": "at", "kind": "kind"}
YEAR = 270.0
"""From that day on; the nine months before it hold no outcome of nine months."""


def orders(customers: int = 1500, seed: int = 0) -> pd.DataFrame:
    """Orders of 18 months, the last nine of which nobody knows yet, as the Pareto/NBD says they come.

    Customers arrive in the first quarter, buy at rates of their own, and leave after times of their own.
    """
    draw = np.random.default_rng(seed)
    parts = []
    for customer in range(customers):
        pace, stay = 1 / draw.gamma(0.8, 1 / 30), draw.exponential(1 / draw.gamma(1.5, 1 / 400))
        arrived = draw.uniform(0, 90)
        days = arrived + np.concatenate([[0.0], np.cumsum(draw.exponential(pace, 400))])
        days = days[(days <= arrived + stay) & (days < 550)]
        amounts = draw.gamma(6, draw.gamma(4, 2), len(days)).round(2)
        parts.append(pd.DataFrame({"who": f"K{customer:05d}", "day": days, "paid": amounts}))
    table = pd.concat(parts, ignore_index=True)
    moments = pd.Timestamp("2023-01-01", tz="UTC") + pd.to_timedelta(table.pop("day"), unit="D")
    return table.assign(at=moments.dt.floor("s"), currency="EUR", number=np.arange(len(table)))


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    """The orders."""
    return orders()


@pytest.fixture(scope="module")
def project(raw: pd.DataFrame) -> Iterator[Project]:
    """On all of them."""
    with in_memory(raw) as found:
        yield found


@pytest.fixture(scope="module")
def grid(project: Project) -> WindowGrid:
    """What was known by then."""
    return WindowGrid.of(project.dataset, instant(AS_OF), YEAR)


@pytest.fixture(scope="module")
def found(project: Project) -> Extrapolation:
    """What the project says."""
    return project.extrapolate(AS_OF, horizon_days=YEAR)


def _until(raw: pd.DataFrame, day: str) -> pd.DataFrame:
    return raw[raw["at"] < pd.Timestamp(day, tz="UTC")]


def test_everyone_is_told_churn_orders_and_value(found: Extrapolation, project: Project) -> None:
    """The same customers as any score of that instant, with numbers that can be."""
    table = found.customers
    assert {name: str(kind) for name, kind in table.dtypes.items()} == columns()
    assert table["customer_id"].tolist() == project.snapshots(AS_OF)["customer_id"].tolist()
    assert table["p_churn"].between(0, 1, inclusive="neither").all()
    assert (table[["orders", "value"]] > 0).all(axis=None)
    assert found.choice.name == "pareto_nbd", "these customers are what it assumes, and no correction helps it"
    assert set(found.choice.log_loss) == set(MODELS)
    assert found.learnt_days == pytest.approx(YEAR / 3, abs=7)


def test_it_comes_as_told(raw: pd.DataFrame, found: Extrapolation) -> None:
    """Totals within three standard errors of what came, and it tells those who stay away from those who do not."""
    told = found.customers.set_index("customer_id")
    since, until = (pd.Timestamp(AS_OF, tz="UTC") + pd.Timedelta(days=days) for days in (0, YEAR))
    window = raw[(raw["at"] >= since) & (raw["at"] < until)]
    came = window.assign(day=window["at"].dt.date).groupby("who").agg(orders=("day", "nunique"), value=("paid", "sum"))
    came = came.reindex(told.index).fillna(0.0)
    for name in ("orders", "value"):
        error = (told[name] - came[name]).std() * len(told) ** 0.5
        assert error < 0.12 * came[name].sum()
        assert told[name].sum() == pytest.approx(came[name].sum(), abs=3 * error)
    stayed_away = came["orders"] == 0
    assert told["p_churn"].mean() == pytest.approx(stayed_away.mean(), abs=0.05)
    assert told.loc[stayed_away, "p_churn"].mean() > told.loc[~stayed_away, "p_churn"].mean() + 0.3


def test_nothing_after_the_instant_is_known(raw: pd.DataFrame, found: Extrapolation) -> None:
    """Who knows the rest of the orders, and who does not, say the same to the bit."""
    with in_memory(_until(raw, AS_OF)) as then:
        before = then.extrapolate(AS_OF, horizon_days=YEAR)
    pd.testing.assert_frame_equal(found.customers, before.customers, check_exact=True)
    assert found.choice == before.choice


def test_a_window_is_what_the_orders_say(raw: pd.DataFrame, grid: WindowGrid) -> None:
    """The difference of two totals is a count of days and a sum of money, customer by customer."""
    past = grid.panel
    step = pd.Timedelta(days=past.step_days)
    for back, steps in ((17, 7), (9, 9), (7, 3)):
        since = pd.Timestamp(AS_OF, tz="UTC") - back * step
        window = raw[(raw["at"] >= since) & (raw["at"] < since + steps * step)]
        by_day = window.assign(day=window["at"].dt.date).groupby("who")
        wanted = pd.DataFrame({"orders": by_day["day"].nunique(), "spend": by_day["paid"].sum()})
        wanted = wanted.reindex(past.customers[back]).fillna(0.0)
        found = past.did(back, steps)
        assert found[0].tolist() == wanted["orders"].tolist()
        assert found[1] == pytest.approx(wanted["spend"].to_numpy(), abs=1e-6)


def test_no_window_knows_what_came_after_it(grid: WindowGrid) -> None:
    """Every learnt window had ended when the told one began, and a told one that counts has ended by now."""
    for window in (*grid.trials(), grid.final()):
        assert window.cutoffs
        assert min(window.cutoffs) - window.near == window.ago
        assert window.far_days >= 2 * window.near_days
    assert [window.ago * grid.panel.step_days for window in grid.trials()] == [
        window.far_days for window in grid.trials()
    ]
    assert grid.final().ago == 0


def test_a_correction_is_right_in_total_where_it_was_learnt(grid: WindowGrid) -> None:
    """Each corrected model meets the learnt outcomes at the near horizon; the base alone need not."""
    window = grid.final()
    X, at, came, _ = window.learnt
    latest = at == at.max()
    for kind in KINDS:
        risk = window.answers((f"corrected {kind}",))[f"corrected {kind}"].risk
        told = risk.probability(X[latest], window.near_days).mean()
        assert told == pytest.approx((came[latest] == 0).mean(), abs=0.08)


def test_a_large_business_is_learnt_from_some_of_its_customers(raw: pd.DataFrame) -> None:
    """The same ones at every instant; everyone is told."""
    table = settings(training={"most_snapshots": 9_000})
    table["sources"]["orders"] = {"frame": "orders", "columns": table["sources"]["orders"]["columns"]}
    with Project.open(table, frames={"orders": raw}) as project:
        past = WindowGrid.of(project.dataset, instant(AS_OF), YEAR).panel
        sizes = [len(past.customers[back]) for back in sorted(past.customers)]
        assert 600 < max(sizes) < 1_100
        who = set(past.totals[0].index)
        assert all(set(customers) <= who for customers in past.customers.values())
        told = project.extrapolate(AS_OF, horizon_days=YEAR).customers
        assert told["customer_id"].tolist() == project.snapshots(AS_OF)["customer_id"].tolist()


def test_the_horizon_is_that_of_churn_where_none_is_named(project: Project) -> None:
    """The configuration says sixty days, and a third of that is learnt."""
    assert project.extrapolate(AS_OF).learnt_days == 20


@pytest.mark.parametrize("horizon", [21, 32, 41, 48, 62, 83, 105, 200, 270])
def test_a_third_is_a_third(project: Project, horizon: float) -> None:
    """Also where steps are whole days and thirds are not; and windows that are told are longer than those learnt."""
    grid = WindowGrid.of(project.dataset, instant(AS_OF), horizon)
    assert grid.final().near_days == pytest.approx(horizon / 3, rel=0.5 / 7)
    for window in grid.trials():
        assert 2 <= window.far_days / window.near_days <= 3
        assert len(window.cutoffs) >= 5


def test_longer_is_less_churn_and_more_orders(found: Extrapolation, project: Project) -> None:
    """A longer window brings more to everyone, here one longer than the history."""
    near, far = found.customers, project.extrapolate(AS_OF, horizon_days=1.5 * YEAR).customers
    assert (far["p_churn"] < near["p_churn"]).all()
    assert (far["orders"] > near["orders"]).all()


@pytest.mark.parametrize(
    ("horizon", "message"),
    [
        (0, "above 0"),
        (float("nan"), "above 0"),
        ("90", "list of numbers"),
        (5000, "three years"),
        (20, "at least 21 days"),
    ],
)
def test_impossible_horizons_are_refused(project: Project, horizon: Any, message: str) -> None:
    """In words, before anything is read."""
    with pytest.raises(InputError, match=message):
        project.extrapolate(AS_OF, horizon_days=horizon)


def test_an_order_later_on_the_day_of_the_instant_is_an_order(raw: pd.DataFrame) -> None:
    """Where windows begin at noon, a day that had an order before noon may have one after it."""
    noon = pd.Timestamp(AS_OF, tz="UTC") - pd.Timedelta(days=100) + pd.Timedelta(hours=12)
    who = raw.loc[raw["at"] < noon, "who"].unique()[:200]
    twice = [pd.DataFrame({"who": who, "paid": 9.0, "at": noon + pd.Timedelta(hours=h)}) for h in (-4, 4)]
    again = pd.concat(twice).assign(currency="EUR")
    mixed = pd.concat([raw, again.assign(number=10**6 + np.arange(len(again)))])
    with in_memory(mixed) as project:
        past = WindowGrid.of(project.dataset, instant(f"{AS_OF}T12:00:00+00:00"), 210.0).panel
        back = 10
        orders, spend = past.did(back, 3)
    assert past.step_days == 10
    assert (orders[np.isin(past.customers[back], who)] >= 1).all()
    assert ((orders > 0) == (spend > 0)).all()


def test_a_quiet_week_before_the_instant_is_judged_by_what_was_known(raw: pd.DataFrame) -> None:
    """Orders that come later do not tell whether the week was quiet or not loaded."""
    quiet = raw[(raw["at"] < pd.Timestamp("2023-10-01", tz="UTC")) | (raw["at"] > pd.Timestamp(AS_OF, tz="UTC"))]
    with in_memory(quiet) as later, in_memory(_until(quiet, AS_OF)) as then:
        whole, before = (p.extrapolate(AS_OF, horizon_days=YEAR).customers for p in (later, then))
    pd.testing.assert_frame_equal(whole, before, check_exact=True)


def test_history_begins_with_the_first_order_whatever_else_is_known(raw: pd.DataFrame) -> None:
    """Visits of a year are no orders."""
    late = raw[raw["at"] >= pd.Timestamp("2023-07-15", tz="UTC")]
    table = settings()
    table["sources"]["orders"] = {"frame": "orders", "columns": table["sources"]["orders"]["columns"]}
    table["sources"]["engagement"] = {"frame": "visits", "columns": VISITS}
    with Project.open(table, frames={"orders": late, "visits": raw[["who", "at"]].assign(kind="visit")}) as project:
        with_visits = project.extrapolate(AS_OF, horizon_days=YEAR)
    with in_memory(late) as project:
        without = project.extrapolate(AS_OF, horizon_days=YEAR)
    assert with_visits.learnt_days == without.learnt_days == 27


def test_those_who_never_bought_are_not_told_of(raw: pd.DataFrame) -> None:
    """Of visitors the history of orders says nothing."""
    table = settings(population={"active_within_days": 180})
    table["sources"]["orders"] = {"frame": "orders", "columns": table["sources"]["orders"]["columns"]}
    table["sources"]["engagement"] = {"frame": "visits", "columns": VISITS}
    frames = {"orders": raw, "visits": raw[["who", "at"]].assign(kind="visit")}
    with (
        Project.open(table, frames=frames) as project,
        pytest.raises(ConfigError, match=r"population .* found .*another"),
    ):
        project.extrapolate(AS_OF, horizon_days=YEAR)


def test_a_history_of_weeks_is_too_short(project: Project) -> None:
    """Nothing is carried from what was never seen."""
    with pytest.raises(DataError, match="Wanted at least 63 days of orders to learn from, found 31 before 2023-02-01"):
        project.extrapolate("2023-02-01", horizon_days=YEAR)


def test_a_handful_of_customers_is_ranked_by_hand() -> None:
    """Nothing that four of them do is a rule."""
    with (
        in_memory(orders(customers=12)) as project,
        pytest.raises(DataError, match=r"at least 50 customers .* found \d\."),
    ):
        project.extrapolate(AS_OF, horizon_days=YEAR)


def test_a_time_without_orders_tells_nothing_and_is_passed_over(raw: pd.DataFrame) -> None:
    """Months that were lost are no months without customers: windows in them choose no model."""
    lost = (raw["at"] > pd.Timestamp("2023-02-20", tz="UTC")) & (raw["at"] < pd.Timestamp("2023-07-01", tz="UTC"))
    with in_memory(raw[~lost]) as project:
        grid = WindowGrid.of(project.dataset, instant(AS_OF), YEAR)
        assert 0 < len(grid.trials()) < 3
        assert grid.final().teaches


def test_customers_who_never_come_back_teach_nothing(raw: pd.DataFrame) -> None:
    """One order each, all in the first months."""
    once = raw.drop_duplicates("who")
    late = once.head(1).assign(at=pd.Timestamp("2023-10-04", tz="UTC"), who="late", number=10**6)
    with in_memory(pd.concat([once, late])) as project, pytest.raises(DataError, match=r"0 of \d+ who did"):
        project.extrapolate(AS_OF, horizon_days=YEAR)


@pytest.mark.parametrize("value", ["margin", "mrr"])
def test_a_value_that_orders_do_not_tell_is_refused(raw: pd.DataFrame, value: str) -> None:
    """Margin is not in the history; monthly revenue has a contract."""
    table = settings(value={"of": value, "horizon_days": 60})
    columns = {**table["sources"]["orders"]["columns"], "margin": "paid"}
    table["sources"]["orders"] = {"frame": "orders", "columns": columns}
    with (
        Project.open(table, frames={"orders": raw}) as project,
        pytest.raises(ConfigError, match=f"found no_order, {value}"),
    ):
        project.extrapolate(AS_OF, horizon_days=YEAR)


def test_steps_are_whole_days(grid: WindowGrid) -> None:
    """So windows begin at the same time of the day as the instant that is asked about."""
    assert grid.panel.step_days == YEAR // 21
    assert (grid.panel.step_days * MICROSECONDS_PER_DAY) % MICROSECONDS_PER_DAY == 0
    assert np.isfinite(grid.final().learnt[2]).all()
