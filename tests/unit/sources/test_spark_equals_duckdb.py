"""The same sources on DuckDB and on Spark: every row, account and digest is the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from holdfast.features.catalogue import Vocabulary, catalogue
from holdfast.labels import ChurnSettings, LabelSettings, ValueSettings
from holdfast.snapshots import PopulationSettings, build_snapshots
from holdfast.sources import DuckTables, SourceSettings, open_sources
from holdfast.sources.spark import SparkSettings, SparkTables, open_on_spark
from tests.raw_business import CUTOFF, DAY, SOURCES, opened, raw_business

NOW = CUTOFF + 2000 * DAY


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    """Seven tables with late rows, refunds, repeated ids, and rows that must be rejected."""
    frames = raw_business(11)
    orders = frames["orders"]
    broken = orders.sample(30, random_state=0).assign(amount=np.nan)
    nobody = orders.sample(10, random_state=1).assign(customer_id=None)
    frames["orders"] = pd.concat([orders, orders.sample(60, random_state=2), broken, nobody], ignore_index=True)
    return frames


@pytest.fixture(scope="module")
def duck(frames: dict[str, pd.DataFrame]) -> Iterator[DuckTables]:
    """The tables on one machine."""
    with opened(frames) as tables:
        yield tables


@pytest.fixture(scope="module")
def cluster(spark: Any, frames: dict[str, pd.DataFrame]) -> Iterator[SparkTables]:
    """The same tables on Spark, dealt to three parts."""
    with open_on_spark(SOURCES, SparkSettings(partitions=3), base=Path(), frames=frames, now=NOW) as tables:
        yield tables


def bits(table: pd.DataFrame) -> dict[str, Any]:
    """Every cell of a table; numbers by their bits, all missing ones alike."""
    cells = {}
    for name, column in table.items():
        numbers = column.to_numpy() if column.dtype == np.float64 else None
        whole = column.tolist() if numbers is None else np.where(np.isnan(numbers), np.nan, numbers).view("i8").tolist()
        cells[str(name)] = [None if value is np.nan or value is None else value for value in whole]
    return cells


def test_the_accounts_are_the_same(duck: DuckTables, cluster: SparkTables) -> None:
    """Whoever moves to a cluster must not wonder which rows it counts."""
    assert cluster.report == duck.report
    assert any(source.rejected.get("duplicate event id") for source in duck.report)
    assert cluster.changed_later == duck.changed_later
    assert cluster.unknown_time_attributes == duck.unknown_time_attributes


def test_the_fingerprint_is_the_same(duck: DuckTables, cluster: SparkTables) -> None:
    """It is a sum over every cell of every event, so equal digests mean equal streams."""
    assert cluster.fingerprint == duck.fingerprint


def test_what_later_rooms_ask_is_answered_the_same(duck: DuckTables, cluster: SparkTables) -> None:
    """Cutoffs, catalogue and samples follow from these answers."""
    assert cluster.streams == duck.streams
    assert cluster.customer_count == duck.customer_count
    assert (cluster.data_from, cluster.data_until) == (duck.data_from, duck.data_until)
    assert {name: cluster.until(name) for name in duck.streams} == {name: duck.until(name) for name in duck.streams}
    for customers in (1, 10, 30):
        asked = {"most": 3, "customers": customers}
        assert cluster.commonest("engagement", "kind", **asked) == duck.commonest("engagement", "kind", **asked)
    assert Vocabulary.of(cluster) == Vocabulary.of(duck)
    assert cluster.sample(7, 5) == duck.sample(7, 5) != duck.sample(7, 6)


def test_the_rejected_rows_are_the_same(duck: DuckTables, cluster: SparkTables, tmp_path: Path) -> None:
    """All but their number in the table, which a cluster does not keep."""
    counts = [tables.write_rejects(tmp_path / f"{i}.parquet") for i, tables in enumerate((duck, cluster))]
    one, other = (pd.read_parquet(tmp_path / f"{i}.parquet") for i in range(2))
    assert counts[0] == counts[1] == len(other) > 90
    assert list(one.columns) == list(other.columns)
    columns = ["source", "event_id", "reason", "values"]
    pd.testing.assert_frame_equal(
        one[columns].sort_values(columns, ignore_index=True), other[columns].sort_values(columns, ignore_index=True)
    )


def test_every_feature_and_label_is_equal_to_the_bit(duck: DuckTables, cluster: SparkTables) -> None:
    """The same kernel saw the same rows: no sum, no last value, no text differs, in whatever task the customer was."""
    features = catalogue(Vocabulary.of(duck))
    given: dict[str, Any] = {
        "population": PopulationSettings(bought_within_days=180),
        "cutoffs": [CUTOFF - 30 * DAY, CUTOFF, CUTOFF + 1],
        "labels": LabelSettings(
            churn=ChurnSettings(kind="subscription_end", horizon_days=30, gap_days=14, grace_days=7),
            value=ValueSettings(of="revenue", horizon_days=90),
        ),
    }
    one, other = (build_snapshots(tables, features, **given) for tables in (duck, cluster))
    assert len(one) > 50
    assert one.dtypes.to_dict() == other.dtypes.to_dict()
    assert bits(one) == bits(other)
    assert one.attrs == other.attrs


def test_some_customers_are_opened_as_on_one_machine(
    frames: dict[str, pd.DataFrame], duck: DuckTables, cluster: SparkTables
) -> None:
    """The audit rebuilds a sample from raw rows cut at the cutoff; duplicates shared with others decide there too."""
    customers = duck.sample(9, 0)
    for as_of in (CUTOFF, None):
        with (
            cluster.reopened(as_of=as_of, customers=customers) as few,
            opened(frames, as_of=as_of, customers=customers) as same,
        ):
            assert few.customer_count == same.customer_count > 5
            assert few.fingerprint == same.fingerprint


def test_a_raw_column_may_have_any_name(spark: Any, frames: dict[str, pd.DataFrame]) -> None:
    """Spark would read a dot as the way into a nested column; tables of exports are full of them."""
    names = {
        "customer_id": "customer.id",
        "event_time": "event time",
        "amount": "order.amount (net)",
        "event_id": "a`b",
    }
    orders = {"orders": frames["orders"].rename(columns=names).assign(**{"up.dated": frames["orders"]["event_time"]})}
    sources = {"orders": SourceSettings(frame="orders", columns=names)}
    with (
        open_sources(sources, base=Path(), frames=orders, now=NOW) as one,
        open_on_spark(sources, SparkSettings(partitions=2), base=Path(), frames=orders, now=NOW) as other,
    ):
        assert other.report == one.report
        assert other.fingerprint == one.fingerprint
        customers = one.sample(5, 0)
        with other.reopened(as_of=CUTOFF, customers=customers) as few:
            assert few.customer_count > 0
