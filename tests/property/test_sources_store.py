"""What is kept from night to night must not show: the tables are those of an opening that reads everything."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.sources import DuckTables, SourceSettings, open_sources
from tests.raw_business import CUTOFF, DAY, SOURCES, raw_business

NIGHTS = [CUTOFF - 300 * DAY, CUTOFF - 30 * DAY, CUTOFF - 30 * DAY + 1, CUTOFF, CUTOFF + 45 * DAY, CUTOFF + 900 * DAY]
KINDS = ("orders", "engagement", "subscriptions", "surveys", "contacts", "customers", "tickets")
TIME = {"tickets": "opened_time"}


def settings_of(kind: str, where: str | None = None) -> SourceSettings:
    """The source as a Parquet file."""
    return SOURCES[kind].model_copy(update={"frame": None, "path": f"{kind}.parquet", "where": where})


def table(kind: str, seed: int) -> pd.DataFrame:
    """Rows of one source, some of which must be rejected."""
    rows = raw_business(seed)[kind]
    if kind == "orders":
        strange = rows.sample(12, random_state=seed)
        rows = pd.concat(
            [
                rows,
                strange.head(4).assign(amount=math.inf),
                strange.iloc[4:8].assign(customer_id=None),
                strange.tail(4).assign(event_time=pd.NaT),
            ],
            ignore_index=True,
        )
    return rows


def export(rows: pd.DataFrame, kind: str, night: int) -> pd.DataFrame:
    """What a system would have exported that night: the rows that it knew, and always those without a time."""
    if kind == "customers":
        return rows
    happened = rows[TIME.get(kind, "event_time")]
    known = rows["known_time"].where(rows["known_time"] > happened, happened)
    return rows[(known < pd.Timestamp(night, unit="us", tz="UTC")) | known.isna()]


def spoiled(rows: pd.DataFrame, kind: str, seed: int) -> pd.DataFrame:
    """What happens to exports: rows erased, anonymised, restamped, without a time, or late by some hours."""
    draw = np.random.default_rng(seed)
    rows, time = rows.reset_index(drop=True).copy(), TIME.get(kind, "event_time")
    one, other, third = draw.integers(0, len(rows), 3)
    match seed % 6:
        case 1:
            return rows.drop(index=[one, other]).reset_index(drop=True)
        case 2:
            rows.loc[one, "customer_id"] = "anonymous"
        case 3 if "known_time" in rows:
            rows.loc[[one, other], "known_time"] = [pd.NaT, rows["known_time"].max()]
        case 4 if time in rows:
            rows = pd.concat([rows, rows.iloc[[third]].assign(**{time: rows[time].max() - pd.Timedelta(hours=3)})])
        case 5 if time in rows:
            rows.loc[one, time] = pd.NaT
    return rows.reset_index(drop=True)


def contents(tables: DuckTables) -> dict[str, Any]:
    """All that later rooms can see."""
    return {
        "report": tables.report,
        "fingerprint": tables.fingerprint,
        "customers": tables.customer_count,
        "span": tables.span,
        "streams": tables.streams,
    }


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**16),
    nights=st.lists(st.tuples(st.sampled_from(NIGHTS), st.integers(0, 2**10)), min_size=2, max_size=5).map(sorted),
    filtered=st.booleans(),
)
def test_night_after_night_the_tables_are_those_of_a_whole_reading(
    kind: str, seed: int, nights: list[tuple[int, int]], filtered: bool
) -> None:
    """Late rows, repeated ids, refunds, rejected rows, and whatever happens to an export between two nights."""
    rows = table(kind, seed)
    where = "customer_id IS NULL OR customer_id <> 'c03'" if filtered else None
    sources = {kind: settings_of(kind, where)}
    with tempfile.TemporaryDirectory() as folder:
        for night, accident in nights:
            tonight = export(rows, kind, night)
            if len(tonight) < 2:
                continue
            tonight = spoiled(tonight, kind, accident)
            if tonight[TIME.get(kind, "signup_time" if kind == "customers" else "event_time")].isna().all():
                continue
            tonight.to_parquet(Path(folder) / f"{kind}.parquet", row_group_size=20)
            whole, kept = (
                open_sources(sources, base=Path(folder), now=night + DAY, keep=keep)
                for keep in (None, Path(folder) / "kept")
            )
            with whole, kept:
                assert contents(kept) == contents(whole)
