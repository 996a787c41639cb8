"""What may be seen at a seed time: what lies strictly before it; or, on request, what RelBench's own cut keeps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.relbench.database import cutoffs_of, last_seen, open_database, seeds_of
from benchmarks.relbench.declaration import Mapped
from benchmarks.relbench.given import build_given
from holdfast.features.catalogue import Vocabulary, catalogue

base = pytest.importorskip("relbench.base", reason="the package relbench is not installed")

SEED = pd.Timestamp("2020-09-07")
PURCHASES = Mapped(
    reads={"purchase": ("customer", "bought", "price")},
    sources={
        "orders": "SELECT customer AS customer_id, bought AS event_time, price AS amount FROM purchase",
        "customers": "SELECT customer AS customer_id FROM purchase",
    },
)


def bought(times: pd.DatetimeIndex, seeds: pd.Series, *, rows_at_seed: bool) -> list[float]:
    """How many purchases of a customer our features count at each seed time; NaN where they know of none."""
    frame = pd.DataFrame({"customer": 0, "bought": times, "price": 1.0})
    tables = open_database(base.Database({"purchase": base.Table(frame, {}, None, "bought")}), PURCHASES)
    [feature] = [each for each in catalogue(Vocabulary.of(tables)) if each.name == "orders_lifetime"]
    rows = pd.DataFrame({"customer_id": "0", "cutoff": cutoffs_of(seeds_of(seeds), rows_at_seed=rows_at_seed)})
    built = build_given(tables, [feature], rows)
    tables.close()
    return built["orders_lifetime"].to_list()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_row_at_the_seed_time_does_not_count(unit: str) -> None:
    """The public leaderboard allows what lies strictly before the seed time; one row more is a leak there."""
    step = pd.Timedelta(1, unit=unit)
    times = pd.DatetimeIndex([SEED - pd.Timedelta(days=1), SEED - step, SEED, SEED + step]).as_unit(unit)
    before = 1.0 if unit == "ns" else 2.0  # a nanosecond cannot be told from the seed time
    assert [bought(times[:k], pd.Series([SEED]), rows_at_seed=False) for k in (2, 3, 4)] == [[before]] * 3


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_on_request_a_row_at_the_seed_time_counts_and_the_next_one_does_not(unit: str) -> None:
    """RelBench's own cut keeps rows up to the seed time; one row either way is a leak or a loss."""
    step = pd.Timedelta(1, unit=unit)
    times = pd.DatetimeIndex([SEED - step, SEED, SEED + step]).as_unit(unit)
    assert bought(times[:1], pd.Series([SEED]), rows_at_seed=True) == [1.0]
    assert bought(times[:2], pd.Series([SEED]), rows_at_seed=True) == [2.0]
    assert bought(times, pd.Series([SEED]), rows_at_seed=True) == [2.0]


@pytest.mark.parametrize("rows_at_seed", [False, True])
def test_features_count_what_may_be_seen_at_any_seed_time(rows_at_seed: bool) -> None:
    """Over many rows close to many seed times, on the clock of nanoseconds."""
    draw = np.random.default_rng(0)
    seeds = pd.Series(SEED + pd.to_timedelta(np.arange(9), unit="us"))
    times = pd.DatetimeIndex(SEED + pd.to_timedelta(np.sort(draw.integers(-3_500, 9_500, 400)), unit="ns"))
    table = base.Table(pd.DataFrame({"at": times}), {}, None, "at")
    latest = seeds if rows_at_seed else seeds - pd.Timedelta(microseconds=1)
    assert bought(times, seeds, rows_at_seed=rows_at_seed) == [float(len(table.upto(at))) for at in latest]


def test_a_seed_time_between_two_microseconds_never_sees_what_is_behind_it() -> None:
    """No clock of ours is that fine; what cannot be told apart is left out, not let in."""
    seed = SEED + pd.Timedelta(1_500, unit="ns")
    late = pd.DatetimeIndex([seed + pd.Timedelta(1, unit="ns")]).as_unit("ns")
    early = pd.DatetimeIndex([SEED, SEED + pd.Timedelta(1_000, unit="ns")]).as_unit("ns")
    assert bought(early.append(late), pd.Series([seed]), rows_at_seed=True) == [2.0]
    assert bought(early.append(late), pd.Series([seed]), rows_at_seed=False) == [1.0]


def test_the_database_is_cut_before_the_first_cutoff() -> None:
    """RelBench's cut takes the latest time that stays: the seed time on request, else the microsecond before it."""
    [strict], [lenient] = (cutoffs_of(seeds_of(pd.Series([SEED])), rows_at_seed=at) for at in (False, True))
    assert last_seen(int(strict)) == SEED - pd.Timedelta(microseconds=1)
    assert last_seen(int(lenient)) == SEED
