"""The forecast of a level: last year's season where it is known, the mean where nothing is, and never the future."""

from __future__ import annotations

import json

import numpy as np
import pytest

from holdfast.learning.cutoff_intercepts import CutoffIntercepts
from holdfast.models.season_level import SeasonLevel, phase
from holdfast.timeline import MICROSECONDS_PER_DAY as DAY

MONTH = 30.44
PURGE = 90.0


def season(days: np.ndarray) -> np.ndarray:
    """A level that rises and falls by .5 within a year."""
    return 0.5 * np.cos(2 * np.pi * days / 365.2425)


def monthly(months: int, level: np.ndarray, error: float = 0.05) -> CutoffIntercepts:
    """Levels of so many months."""
    days = np.arange(months) * MONTH
    return CutoffIntercepts((days * DAY).astype(np.int64), level, np.full(months, error), "binary")


def ahead(levels: CutoffIntercepts, days: np.ndarray) -> np.ndarray:
    """The forecast so many days after the beginning."""
    return levels.forecast(days * DAY, PURGE)


def test_two_years_tell_the_season() -> None:
    """Half a year ahead the forecast knows summer from winter, where the mean would be off by half."""
    days = np.arange(24) * MONTH
    noise = np.random.default_rng(0).normal(0, 0.05, 24)
    later = days[-1] + PURGE + np.arange(0, 300, 30)
    found = ahead(monthly(24, season(days) + noise), later)
    assert np.abs(found - season(later)).max() < 0.2
    assert np.abs(season(later)).max() > 0.45


def test_half_a_year_tells_no_season_and_the_last_level_fades() -> None:
    """After six months of rise the forecast lies between the mean and the last level, and ends near the mean."""
    level = np.linspace(-0.6, 0.6, 7)
    levels = monthly(7, level)
    soon, late = ahead(levels, np.array([6 * MONTH + PURGE, 6 * MONTH + 500]))
    assert 0.0 < soon < 0.6
    assert abs(late) < soon + 0.1


def test_without_a_season_the_mean_stays() -> None:
    """Noise alone must not be carried on."""
    noise = np.random.default_rng(1).normal(0, 0.05, 24)
    found = ahead(monthly(24, 0.8 + noise), 23 * MONTH + PURGE + np.arange(0, 360, 30))
    assert np.abs(found - 0.8).max() < 0.08


def test_levels_bring_each_cutoff_to_its_own_share() -> None:
    """The mean probability with the level is the share that churned there."""
    draw = np.random.default_rng(2)
    cutoff = np.repeat(np.arange(4) * 30 * DAY, 500)
    score = draw.normal(size=2000)
    y = (draw.random(2000) < 1 / (1 + np.exp(-(score + np.repeat([-1.0, 0.0, 0.5, 2.0], 500))))).astype(float)
    levels = CutoffIntercepts.of(score, y, cutoff, objective="binary")
    p = 1 / (1 + np.exp(-(score + levels.rows(cutoff))))
    for at in np.unique(cutoff):
        assert p[cutoff == at].mean() == pytest.approx(y[cutoff == at].mean(), abs=1e-4)
    amounts = CutoffIntercepts.of(score, score + np.repeat([1.0, 2.0, 3.0, 4.0], 500), cutoff, objective="regression")
    assert np.allclose(amounts.level, [1, 2, 3, 4])


def test_weights_count_as_rows() -> None:
    """A row of weight 3 is three rows."""
    score, y, cutoff = np.array([0.3, -0.2, 0.1]), np.array([1.0, 0.0, 1.0]), np.zeros(3, dtype=np.int64)
    weight = np.array([3.0, 2.0, 1.0])
    heavy = CutoffIntercepts.of(score, y, cutoff, objective="binary", weight=weight)
    often = np.repeat(np.arange(3), [3, 2, 1])
    repeated = CutoffIntercepts.of(score[often], y[often], cutoff[often], objective="binary")
    assert heavy.level == pytest.approx(repeated.level, abs=1e-9)


def test_the_table_of_a_year_says_what_the_forecast_says() -> None:
    """A consumer knows the time of the year alone; the year after training is unfolded for it."""
    days = np.arange(24) * MONTH
    levels = monthly(24, season(days))
    angle = 2 * np.pi * (levels.cutoff / DAY) / 365.2425
    X = np.column_stack([np.sin(angle), np.cos(angle)])
    level = levels.year_ahead(PURGE, (0, 1), X, levels.cutoff)
    at = days[-1] + PURGE + np.array([0.0, 40.0, 200.0, 340.0])
    later = 2 * np.pi * at / 365.2425
    found = level.of(np.column_stack([np.sin(later), np.cos(later)]))
    assert np.abs(found - ahead(levels, at)).max() < 0.02
    again = SeasonLevel.from_json(json.loads(json.dumps(level.to_json())))
    assert np.array_equal(again.of(X), level.of(X))


def test_where_the_time_is_missing_the_year_s_mean_stands() -> None:
    """A consumer that leaves the season out gets no NaN."""
    level = SeasonLevel((0, 1), np.array([1.0, 2.0, 3.0, 6.0]))
    found = level.of(np.array([[0.0, 1.0], [1.0, 0.0], [np.nan, np.nan]]))
    assert found.tolist() == [1.0, 2.0, 3.0]
    assert phase(np.array([-1e-18]), np.array([1.0]))[0] < 1.0 or level.of(np.array([[-1e-18, 1.0]]))[0] == 1.0


def test_one_level_is_carried_on() -> None:
    """With a single cutoff there is nothing else to say."""
    assert ahead(monthly(1, np.array([0.7])), np.array([90.0, 400.0])) == pytest.approx([0.7, 0.7], abs=1e-9)
