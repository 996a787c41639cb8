"""What RelBench sees at a seed time, our features see, and not a row more."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from holdfast.features.catalogue import Vocabulary, catalogue
from holdfast.relbench.database import cutoffs_of, open_database, seed_of
from holdfast.relbench.declaration import Mapped
from holdfast.snapshots import build_given

base = pytest.importorskip("relbench.base", reason="the extra 'relbench' is not installed")

SEED = pd.Timestamp("2020-09-07")
PURCHASES = Mapped(
    reads={"purchase": ("customer", "bought", "price")},
    sources={
        "orders": "SELECT customer AS customer_id, bought AS event_time, price AS amount FROM purchase",
        "customers": "SELECT customer AS customer_id FROM purchase",
    },
)


def bought(times: pd.DatetimeIndex, seeds: pd.Series) -> list[float]:
    """How many purchases of a customer our features count at each seed time; NaN where they know of none."""
    frame = pd.DataFrame({"customer": 0, "bought": times, "price": 1.0})
    tables = open_database(base.Database({"purchase": base.Table(frame, {}, None, "bought")}), PURCHASES)
    [feature] = [each for each in catalogue(Vocabulary.of(tables)) if each.name == "orders_lifetime"]
    rows = pd.DataFrame({"customer_id": "0", "cutoff": cutoffs_of(seeds)})
    built = build_given(tables, [feature], rows)
    tables.close()
    return built["orders_lifetime"].to_list()


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_a_row_at_the_seed_time_counts_and_the_next_one_does_not(unit: str) -> None:
    """RelBench takes rows up to the seed time, we those before a cutoff; one row either way is a leak or a loss."""
    step = pd.Timedelta(1, unit=unit)
    times = pd.DatetimeIndex([SEED - step, SEED, SEED + step]).as_unit(unit)
    assert bought(times[:1], pd.Series([SEED])) == [1.0]
    assert bought(times[:2], pd.Series([SEED])) == [2.0]
    assert bought(times, pd.Series([SEED])) == [2.0]


def test_features_count_what_relbench_keeps_at_any_seed_time() -> None:
    """Over many rows close to many seed times, on the clock of nanoseconds."""
    draw = np.random.default_rng(0)
    seeds = pd.Series(SEED + pd.to_timedelta(np.arange(9), unit="us"))
    times = pd.DatetimeIndex(SEED + pd.to_timedelta(np.sort(draw.integers(-500, 9_500, 400)), unit="ns"))
    table = base.Table(pd.DataFrame({"at": times}), {}, None, "at")
    assert bought(times, seeds) == [float(len(table.upto(seed))) for seed in seeds]


def test_a_seed_time_between_two_microseconds_never_sees_what_is_behind_it() -> None:
    """No clock of ours is that fine; what cannot be told apart is left out, not let in."""
    seed = SEED + pd.Timedelta(1_500, unit="ns")
    late = pd.DatetimeIndex([seed + pd.Timedelta(1, unit="ns")]).as_unit("ns")
    early = pd.DatetimeIndex([SEED + pd.Timedelta(1_000, unit="ns")]).as_unit("ns")
    assert bought(early.append(late), pd.Series([seed])) == [1.0]


def test_a_cutoff_leads_back_to_its_seed_time() -> None:
    """The database is cut at the seed time that the cutoff came from."""
    assert seed_of(int(cutoffs_of(pd.Series([SEED]))[0])) == SEED
