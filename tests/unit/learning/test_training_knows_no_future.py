"""Every choice of a training at a cutoff, from columns to calibration, uses only outcomes that had ended by then."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from holdfast.backtest import backtest
from holdfast.labels import LATER, SIGNS
from holdfast.learning import Tuning
from holdfast.learning.training import fit, with_whole_population
from holdfast.models.feature_record import FeatureRecord
from holdfast.models.model_card import ChurnDefinition, ModelCard, PopulationDefinition
from holdfast.timeline import MICROSECONDS_PER_DAY as DAY
from holdfast.timeline import Days, instant, show
from tests.unit.learning.samples import CARD, FEATURES, MONTH, snapshots, training_spec

FIRST = instant("2024-01-01")
OF_ORDERS = (
    FeatureRecord("order_days_lifetime", unit="count", role="order_days", accumulates=True),
    FeatureRecord("days_since_first_order", unit="days", role="days_since_first_order", accumulates=True),
    FeatureRecord("season_sin", unit="ratio", role="season_sine"),
    FeatureRecord("season_cos", unit="ratio", role="season_cosine"),
)
EVERYTHING = (*FEATURES, *OF_ORDERS)
ORDERS = replace(CARD, churn=ChurnDefinition("no_order", 60), population=PopulationDefinition(bought_within_days=400))


SEEN = replace(ORDERS, columns={"orders": ("amount",), "engagement": ("kind",)})


def shop(cutoffs: int) -> pd.DataFrame:
    """Snapshots with the columns of a history of orders and of the season, and signs of life that end for some."""
    table = snapshots(customers=250, cutoffs=cutoffs)
    angle = 2 * np.pi * (table["cutoff"] / DAY) / 365.2425
    gone = (table["cutoff"] - FIRST) / DAY
    order = table["orders_365d"].to_numpy()
    draw = np.random.default_rng(2)
    over = np.cumsum(draw.random((len(table), len(SIGNS))) < 0.05, axis=1) > 0
    days = np.where(over, 0, draw.poisson(4, over.shape)).astype(float)
    return table.assign(
        **dict(zip(SIGNS, days.T, strict=True)),
        order_days_lifetime=order,
        days_since_order=np.minimum(table["days_since_order"], 399.0),
        days_since_first_order=np.where(order > 1, table["days_since_order"] + 30 * order + gone, 0)
        + np.minimum(table["days_since_order"], 399.0),
        season_sin=np.sin(angle),
        season_cos=np.cos(angle),
    )


def stored(bundle: Any, folder: Path) -> dict[str, bytes]:
    """The files of a bundle."""
    return {path.name: path.read_bytes() for path in sorted(bundle.save(folder).iterdir())}


@pytest.mark.parametrize(
    ("card", "tuning"),
    [(ORDERS, None), (SEEN, None), (CARD, None), (ORDERS, Tuning(trials=5))],
    ids=["orders", "seen", "any", "tuned"],
)
def test_outcomes_after_the_cutoff_change_no_byte(card: ModelCard, tuning: Tuning | None, tmp_path: Path) -> None:
    """Columns, ridge, trees, levels, calibration, scale, search: shuffle all later outcomes, the bundle is the same."""
    table = shop(cutoffs=9)
    at = FIRST + 7 * MONTH
    later = table["cutoff"].to_numpy() + Days(60).microseconds > at
    order = np.random.default_rng(0).permutation(np.flatnonzero(later))
    shuffled = table.copy()
    for name in ("churned", "future_value"):
        values = table[name].to_numpy().copy()
        values[np.flatnonzero(later)] = values[order]
        shuffled[name] = values
    period = Days(60 / 3).microseconds
    for k in range(1, LATER + 1):
        unknown = np.flatnonzero(table["cutoff"].to_numpy() + k * period > at)
        name = f"signs_later_{k}"
        values = table[name].to_numpy().copy()
        values[unknown] = np.random.default_rng(k).permutation(values[unknown])
        shuffled[name] = values
    assert not shuffled["churned"].equals(table["churned"])
    assert not shuffled["signs_later_6"].equals(table["signs_later_6"])
    spec = training_spec(EVERYTHING, card=card, tuning=tuning)
    files = []
    for name, rows in (("as it was", table), ("shuffled", shuffled)):
        found = backtest(rows, spec, [at], draws=2)
        files.append(stored(found.bundles[at], tmp_path / name))
        assert found.bundles[at].states.gone is not None
    assert files[0] == files[1]
    again = table[~later].assign(churned=lambda rows: 1 - rows["churned"])
    other = fit(again, spec)
    assert stored(other, tmp_path / "other") != files[0]  # earlier outcomes do


def test_cutoffs_that_the_data_hardly_reaches_are_left_out() -> None:
    """A population of half a year, seen after a month of data, holds new customers alone."""
    table = shop(cutoffs=6)
    reach = (table["cutoff"] - FIRST) / DAY + 30
    table = table.assign(days_since_first_order=np.minimum(table["days_since_first_order"], reach))
    kept = with_whole_population(table, EVERYTHING, 100)
    assert [show(at) for at in sorted(kept["cutoff"].unique())] == [show(FIRST + k * MONTH) for k in (3, 4, 5)]
    assert with_whole_population(table, EVERYTHING, 150) is table  # two cutoffs would be too few
    assert with_whole_population(table, EVERYTHING, None) is table
    assert with_whole_population(table, FEATURES, 100) is table
