"""Is the risk true in every part of the business: by attribute, by expected value, and in sentences."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from holdfast.backtest.segment_calibration import segment_calibration, told
from holdfast.models.feature_record import FeatureRecord

COUNTRY = [FeatureRecord("country", "category", family="attribute"), FeatureRecord("orders_90d", family="frequency")]


def world(shift: float = 0.15, n: int = 2_000) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Snapshots, and predictions that are right in total, too low for DE and too high for FR by ``shift``."""
    draw = np.random.default_rng(0)
    p, german = draw.uniform(0.3, 0.6, n), draw.random(n) < 0.5
    cutoff = np.repeat([1, 2], n // 2)
    snapshots = pd.DataFrame({"cutoff": cutoff, "country": np.where(german, "DE", "FR"), "orders_90d": 1.0})
    predictions = pd.DataFrame(
        {
            "customer_id": np.arange(n).astype(str),
            "cutoff": cutoff,
            "churned": (draw.random(n) < p + np.where(german, shift, -shift)).astype(int),
            "model_p_churn": p,
            "model_value": draw.lognormal(3, 1, n),
        }
    )
    return snapshots, predictions


def test_every_attribute_and_the_value_divide_the_customers() -> None:
    """Everyone once, then each division; a number that is no attribute divides nobody."""
    snapshots, predictions = world()
    table = segment_calibration(predictions, snapshots, COUNTRY, draws=50, seed=0)
    assert table["by"].tolist() == ["(all)", "country", "country", *["expected value"] * 4]
    assert table["segment"].tolist()[:3] == ["(all)", "DE", "FR"]
    for by in ("country", "expected value"):
        assert table.loc[table["by"] == by, "rows"].sum() == len(predictions)
    german = (snapshots["country"] == "DE").to_numpy()
    assert table["observed"][1] == predictions["churned"][german].mean()
    assert table["predicted"][1] == predictions["model_p_churn"][german].mean()


def test_attributes_are_found_at_the_cutoff_of_the_prediction() -> None:
    """Snapshots of cutoffs that nobody tested lie between, and belong to no prediction."""
    snapshots, predictions = world()
    between = snapshots.head(100).assign(cutoff=7, country="XX")
    first, second = (snapshots[snapshots["cutoff"] == at] for at in (1, 2))
    mixed = pd.concat([second, between, first], ignore_index=True)
    pd.testing.assert_frame_equal(
        segment_calibration(predictions, mixed, COUNTRY, draws=20, seed=0),
        segment_calibration(predictions, snapshots, COUNTRY, draws=20, seed=0),
    )


def test_a_country_whose_risk_is_wrong_is_named_with_its_direction() -> None:
    """Right in total and wrong in each part: the sentence says which way, and leaves what is chance alone."""
    lines = told(segment_calibration(*world()[::-1], COUNTRY, draws=200, seed=0))
    assert lines[0].startswith("Of all customers 45.")
    [german] = [line for line in lines if line.startswith("country DE (")]
    [french] = [line for line in lines if line.startswith("country FR (")]
    assert german.endswith("the risk is too low there beyond chance.")
    assert french.endswith("the risk is too high there beyond chance.")
    assert lines[-1] == "In 4 of 6 segments (country, expected value) risk and outcome differ by chance alone."


def test_where_risks_are_true_nothing_stands_out() -> None:
    """A line for everyone, one for all segments."""
    lines = told(segment_calibration(*world(shift=0.0)[::-1], COUNTRY, draws=200, seed=0))
    assert len(lines) == 2
    assert lines[1] == "In 6 of 6 segments (country, expected value) risk and outcome differ by chance alone."


def test_a_band_of_value_is_called_by_its_amounts() -> None:
    """The number that puts the bands in order is nothing to read aloud."""
    snapshots, predictions = world(shift=0.0)
    rich = predictions["model_value"] > predictions["model_value"].quantile(0.75)
    lines = told(segment_calibration(predictions.assign(churned=rich.astype(int)), snapshots, [], draws=50, seed=0))
    [line] = [line for line in lines if "% left" in line and line.startswith("Expected value") and "too low" in line]
    assert re.match(r"Expected value [\d.,]+ to [\d.,]+ \(500 customers\): 4\d\.\d% were expected to leave, ", line)
