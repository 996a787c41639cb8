"""Calibration is used where it has helped before, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.learning.calibration_choice import CalibrationTrial, choose_calibration, fit_platt, fit_shift
from holdfast.models.calibration import IDENTITY, Affine, mean_log_loss, sigmoid


def trials(*shifts: float, slope: float = 1.0, n: int = 2_000) -> list[CalibrationTrial]:
    """One trial a month; the truth is ``slope * z + shift`` where the model says ``z``; outcomes take a month."""
    draw = np.random.default_rng(7)
    found = []
    for month, shift in enumerate(shifts):
        z = draw.normal(0, 1.5, n)
        churned = (draw.random(n) < sigmoid(slope * z + shift)).astype(float)
        found.append(CalibrationTrial(month, month + 1, z, churned))
    return found


def test_a_lasting_shift_is_corrected() -> None:
    """A model that is too hopeful at every cutoff will be so again."""
    chosen, record = choose_calibration(trials(1.0, 1.0, 1.0, 1.0))
    assert record["chosen"] == "shift"
    assert chosen.slope == 1.0
    assert chosen.intercept == pytest.approx(1.0, abs=0.1)


def test_a_lasting_overconfidence_is_corrected() -> None:
    """Log-odds that are twice too far from 0 are drawn in."""
    chosen, record = choose_calibration(trials(0.0, 0.0, 0.0, 0.0, slope=0.5))
    assert record["chosen"] == "platt"
    assert chosen.slope == pytest.approx(0.5, abs=0.1)


def test_a_season_that_turns_is_not_carried_forward() -> None:
    """Up, down, up: the last cutoff's level would be the wrong one for the next."""
    chosen, record = choose_calibration(trials(0.8, -0.8, 0.8, -0.8))
    assert record["chosen"] == "identity"
    assert chosen == IDENTITY


def test_a_model_that_is_always_too_timid_is_bent_whatever_the_season() -> None:
    """Levels that turn hide it from every map that moves them; the slope around the mean moves none."""
    chosen, record = choose_calibration(trials(0.8, -0.8, 0.8, -0.8, slope=1.3))
    assert record["chosen"] == "slope"
    assert 1.1 < chosen.slope < 1.35
    z = np.concatenate([trial.log_odds for trial in trials(0.8, -0.8, 0.8, -0.8, slope=1.3)])
    assert chosen.apply(z).mean() == pytest.approx(z.mean(), abs=1e-9)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_little_history_means_no_calibration(count: int) -> None:
    """One success may be chance: a map must have been tried on two cutoffs that it had not seen."""
    assert choose_calibration(trials(*[2.0] * count))[0] == IDENTITY


def test_a_map_is_never_judged_with_outcomes_that_were_not_known_yet() -> None:
    """Outcomes of the month before are complete only after it: with a year to wait, no trial is ever usable."""
    slow = [CalibrationTrial(t.cutoff, t.cutoff + 12, t.log_odds, t.churned) for t in trials(1.0, 1.0, 1.0, 1.0)]
    chosen, record = choose_calibration(slow)
    assert record["log_loss"]["identity"] == []
    assert chosen == IDENTITY


def test_a_falling_map_is_refused() -> None:
    """A negative slope would turn the ranking round."""
    assert fit_platt(trials(0.0, slope=-1.0)) == IDENTITY


def test_perfect_separation_stays_finite() -> None:
    """A small cutoff may separate by luck; the slope must not run to infinity."""
    z = np.linspace(-3, 3, 40)
    for fit in (fit_platt, fit_shift):
        found = fit([CalibrationTrial(0, 1, z, (z > 0).astype(float))])
        assert np.isfinite([found.slope, found.intercept]).all()


def test_the_map_survives_storage() -> None:
    """Two numbers, by name."""
    assert Affine.from_json(Affine(1.25, -0.5).to_json()) == Affine(1.25, -0.5)


def test_log_loss_of_certain_log_odds_is_finite() -> None:
    """The loss is computed from log-odds, so that a certainty that fails costs much and not everything."""
    assert mean_log_loss(np.array([800.0, -800.0]), np.array([0.0, 0.0])) == pytest.approx(400.0)
    assert sigmoid(np.array([-800.0, 0.0, 800.0])).tolist() == [0.0, 0.5, 1.0]
