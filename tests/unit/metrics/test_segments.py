"""Calibration in every part of the business."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from holdfast.errors import ConfigError
from holdfast.metrics import bands, calibration_by_segment, calibration_error


def world(seed: int, n: int = 3_000) -> pd.DataFrame:
    """Risks that are right in total, too low in the north and too high in the south."""
    draw = np.random.default_rng(seed)
    north = draw.random(n) < 0.5
    p = draw.uniform(0.2, 0.6, n)
    return pd.DataFrame(
        {
            "p": p,
            "truth": (draw.random(n) < p + np.where(north, 0.1, -0.1)).astype(float),
            "where": np.where(north, "north", "south"),
            "who": np.arange(n) // 3,
        }
    )


def test_errors_that_cancel_in_total_show_by_segment() -> None:
    """The reason to look at segments at all."""
    rows = world(1)
    table = calibration_by_segment(rows["truth"], rows["p"], rows["where"]).set_index("segment")
    assert list(table.index) == ["(all)", "north", "south"]
    assert table.loc["(all)", "low"] < 0 < table.loc["(all)", "high"]
    assert table.loc["north", "high"] < 0 < table.loc["south", "low"]
    assert table["rows"].tolist()[0] == table["rows"].iloc[1:].sum() == 3_000


def test_a_segment_is_the_metric_on_its_rows() -> None:
    """Nothing new is computed: means, and the calibration error as everywhere."""
    rows = world(2)
    table = calibration_by_segment(rows["truth"], rows["p"], rows["where"], customers=rows["who"], draws=0)
    south = rows[rows["where"] == "south"]
    found = table.set_index("segment").loc["south"]
    assert found["customers"] == south["who"].nunique()
    assert found["predicted"] == pytest.approx(south["p"].mean())
    assert found["observed"] == pytest.approx(south["truth"].mean())
    assert found["difference"] == pytest.approx(south["p"].mean() - south["truth"].mean())
    error = calibration_error(south["truth"].to_numpy(), south["p"].to_numpy())
    assert found["calibration_error"] == pytest.approx(float(error))
    assert np.isnan(found["low"])


def test_the_interval_is_that_of_drawn_customers() -> None:
    """Three equal rows of a customer are one customer's evidence, so the interval is √3 as wide as if three."""
    rows = world(3, n=1_500).iloc[np.repeat(np.arange(0, 1_500, 3), 3)]
    honest = calibration_by_segment(rows["truth"], rows["p"], rows["where"], customers=rows["who"])
    fooled = calibration_by_segment(rows["truth"], rows["p"], rows["where"])
    wider = (honest["high"] - honest["low"]) / (fooled["high"] - fooled["low"])
    assert wider.to_numpy() == pytest.approx(np.sqrt(3), rel=0.15)
    expected = 2 * 1.96 * np.std((rows["p"] - rows["truth"])[::3]) / np.sqrt(500)
    assert honest["high"].iloc[0] - honest["low"].iloc[0] == pytest.approx(expected, rel=0.1)


def test_small_segments_are_pooled_and_counted() -> None:
    """Forty countries of ten customers each say nothing one by one, and must not vanish."""
    rows = world(4, n=1_000)
    country = np.where(np.arange(1_000) < 600, "home", np.char.add("abroad ", (np.arange(1_000) % 40).astype(str)))
    table = calibration_by_segment(rows["truth"], rows["p"], country, draws=20)
    assert table["segment"].tolist() == ["(all)", "home", "(40 small segments)"]
    assert table["rows"].tolist() == [1_000, 600, 400]
    assert not table["small"].any()


def test_a_single_small_segment_stays_and_is_marked() -> None:
    """It has a name that somebody looks for."""
    rows = world(5, n=400)
    where = np.where(np.arange(400) < 350, "home", "abroad")
    table = calibration_by_segment(rows["truth"], rows["p"], where, draws=20).set_index("segment")
    assert table.loc["abroad", ["rows", "small"]].tolist() == [50, True]
    assert not table.loc["home", "small"]


def test_missing_labels_are_a_segment() -> None:
    """Customers of unknown country count too."""
    rows = world(6, n=600)
    where = rows["where"].astype(object)
    where[:200] = None
    where[200:250] = np.nan
    table = calibration_by_segment(rows["truth"], rows["p"], where, draws=0).set_index("segment")
    assert table.loc["(missing)", "rows"] == 250
    assert table["rows"].iloc[1:].sum() == 600


def test_a_weight_is_a_repeated_row() -> None:
    """The figures of a sample are those of everyone."""
    rows = world(7, n=600)
    weight = np.random.default_rng(8).integers(1, 4, 600)
    again = rows.loc[np.repeat(np.arange(600), weight)]
    columns = ["predicted", "observed", "difference", "low", "high"]
    one = calibration_by_segment(rows["truth"], rows["p"], rows["where"], weights=weight, customers=rows["who"])
    other = calibration_by_segment(again["truth"], again["p"], again["where"], customers=again["who"])
    assert one[columns].to_numpy() == pytest.approx(other[columns].to_numpy(), rel=1e-9)


def test_the_order_of_rows_does_not_matter() -> None:
    """Neither for the figures nor, since customers are drawn by name, for the intervals."""
    rows = world(9, n=600)
    other = rows.sample(frac=1, random_state=0)
    tables = [calibration_by_segment(x["truth"], x["p"], x["where"], customers=x["who"]) for x in (rows, other)]
    pd.testing.assert_frame_equal(*tables)


def test_nobody_gives_a_table_without_segments() -> None:
    """An empty slice has a line for everyone, and nothing in it."""
    table = calibration_by_segment([], [], [], draws=5)
    assert table["segment"].tolist() == ["(all)"]
    assert table["rows"].tolist() == [0]
    assert np.isnan(table["predicted"].iloc[0])


def test_numbers_become_bands_of_about_equal_size() -> None:
    """Value has no segments of its own; its bands sort as the amounts do."""
    amount = np.r_[np.random.default_rng(10).lognormal(3, 1, 1_000), np.nan]
    found = bands(amount)
    counts = pd.Series(found).value_counts(dropna=False)
    assert counts.tolist() == [250, 250, 250, 250, 1]
    assert found[-1] is None
    middles = pd.Series(amount[:-1]).groupby(found[:-1]).median()
    assert middles.is_monotonic_increasing


def test_bands_say_their_edges() -> None:
    """A reader sees where a band begins and ends, and equal amounts are in one band."""
    found = bands([0, 0, 0, 0, 10, 20, 30, 40], count=4)
    assert found.tolist() == ["1: 0 to under 10"] * 4 + ["2: 10 to under 30"] * 2 + ["3: 30 to 40"] * 2
    assert bands([7, 7, 7]).tolist() == ["1: 7 to 7"] * 3
    assert bands([np.nan]).tolist() == [None]
    assert bands([0.11, 0.12, 0.13, 0.14], count=2)[0] == "1: 0.11 to under 0.13"
    with pytest.raises(ConfigError, match="at least one band, found 0"):
        bands([1.0], count=0)
