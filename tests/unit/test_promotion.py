"""A challenger takes over unless it is worse beyond chance."""

from __future__ import annotations

import pandas as pd
import pytest

from holdfast.learning.training import fit
from holdfast.models import Bundle
from holdfast.promotion import judge
from holdfast.sampling import WEIGHT
from holdfast.timeline import Days
from tests.unit.learning.samples import snapshots, training_spec

TABLE = snapshots(customers=600, cutoffs=4, seed=2)
LATEST = TABLE[TABLE["cutoff"] == TABLE["cutoff"].max()].reset_index(drop=True)
BEFORE = TABLE[TABLE["cutoff"] < TABLE["cutoff"].max()]


def trained(table: pd.DataFrame) -> Bundle:
    """A bundle of these snapshots."""
    return fit(table, training_spec(complete_after=Days(30)))


@pytest.fixture(scope="module")
def good() -> Bundle:
    """Learnt from what happened."""
    return trained(BEFORE)


@pytest.fixture(scope="module")
def poor() -> Bundle:
    """Learnt from outcomes that belong to others."""
    mixed = BEFORE[["churned", "future_value"]].sample(frac=1, random_state=0).to_numpy()
    return trained(BEFORE.assign(churned=mixed[:, 0], future_value=mixed[:, 1]))


def test_a_worse_challenger_is_refused_with_the_figures(good: Bundle, poor: Bundle) -> None:
    """Whoever trained it wants to know by how much, and on whom."""
    verdict = judge(good, poor, LATEST)
    assert not verdict.accepted
    assert verdict.reason.startswith("it is worse than the champion on 600 customers at 2024-03-31: log loss +")
    assert "AUC -" in verdict.reason
    assert verdict.figures["log_loss_low"] > 0
    assert verdict.figures["auc_high"] < 0


def test_a_better_challenger_is_accepted(good: Bundle, poor: Bundle) -> None:
    """What was worse a moment ago is now the champion."""
    verdict = judge(poor, good, LATEST)
    assert verdict.accepted
    assert "it is not worse than the champion on 600 customers" in verdict.reason
    assert verdict.figures["log_loss_high"] < 0


def test_an_equal_challenger_is_accepted(good: Bundle) -> None:
    """Fresher data at no loss is reason enough."""
    verdict = judge(good, good, LATEST)
    assert verdict.accepted
    assert {verdict.figures[name] for name in ("log_loss", "auc", "mae")} == {0.0}


def test_a_sample_is_weighted_back(good: Bundle, poor: Bundle) -> None:
    """Two models differ otherwise on churners than on others; how many there are of each must be right."""
    weight = LATEST["churned"].map({0.0: 3.0, 1.0: 1.0})
    copies = LATEST.loc[LATEST.index.repeat(weight.astype(int))]
    found = judge(good, poor, LATEST.assign(**{WEIGHT: weight})).figures
    for name in ("log_loss", "auc", "mae"):
        assert found[name] == pytest.approx(judge(good, poor, copies).figures[name], rel=1e-9)
    assert found["log_loss"] != pytest.approx(judge(good, poor, LATEST).figures["log_loss"], rel=1e-3)
