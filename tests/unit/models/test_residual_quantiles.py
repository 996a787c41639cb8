"""The distribution around a predicted amount."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.models import residual_quantiles
from holdfast.models.residual_quantiles import KNOTS, ResidualQuantiles


def test_the_mean_factor_is_that_of_the_distribution() -> None:
    """For normal residuals the mean of their exponential is known: exp(sd² / 2)."""
    draw = np.random.default_rng(3)
    residual = draw.normal(0, 0.5, 20_000)
    found = ResidualQuantiles.of(np.zeros(20_000), residual)
    assert residual_quantiles.mean_factor(found.rows(np.zeros(1)))[0] == pytest.approx(np.exp(0.125), rel=0.02)


def test_spread_follows_the_predicted_level() -> None:
    """Small customers scatter more than large ones; one number for both would be wrong for both."""
    draw = np.random.default_rng(4)
    level = draw.uniform(0, 10, 5_000)
    found = ResidualQuantiles.of(level, draw.normal(0, 1.0 - 0.08 * level))
    width = residual_quantiles.quantile(found.rows(np.array([1.0, 9.0])), np.array([0.9, 0.9]))
    assert width[0] > 2 * width[1]


def test_few_residuals_give_a_normal_curve() -> None:
    """Nineteen quantiles of ten numbers are noise."""
    found = ResidualQuantiles.of(np.zeros(10), np.linspace(-1, 1, 10))
    assert found.levels.shape == (1,)
    assert residual_quantiles.quantile(found.rows(np.zeros(1)), np.array([0.5]))[0] == pytest.approx(0.0)
    assert ResidualQuantiles.of(np.empty(0), np.empty(0)).table.shape == (1, len(KNOTS))


def test_one_huge_residual_does_not_decide_the_mean() -> None:
    """An order of 77,000 among thousands of ordinary ones lies beyond the last knot."""
    residual = np.random.default_rng(5).normal(0, 0.5, 2_000)
    factors = []
    for largest in (residual[7], 12.0):
        residual[7] = largest
        factors.append(
            residual_quantiles.mean_factor(ResidualQuantiles.of(np.zeros(2_000), residual).rows(np.zeros(1)))[0]
        )
    assert factors[1] == pytest.approx(factors[0], rel=0.02)


def test_probability_and_quantile_are_inverse() -> None:
    """P(above the q-quantile) = 1 - q, between the outermost knots."""
    found = ResidualQuantiles.of(np.arange(3_000.0), np.random.default_rng(6).standard_t(4, 3_000))
    rows = found.rows(np.array([10.0, 1_500.0, 2_990.0]))
    for q in (0.05, 0.33, 0.5, 0.9):
        above = residual_quantiles.probability_above(rows, residual_quantiles.quantile(rows, np.full(3, q)))
        assert above == pytest.approx(1 - q, abs=1e-9)
    assert residual_quantiles.probability_above(rows, np.full(3, -1e9)).tolist() == [1.0, 1.0, 1.0]
    assert residual_quantiles.probability_above(rows, np.full(3, 1e9)).tolist() == [0.0, 0.0, 0.0]
