"""Differences in sentences."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.metrics import (
    RISK_METRICS,
    VALUE_METRICS,
    Difference,
    Metric,
    excludes_zero,
    paired_difference,
    sentence,
    sentences,
    verdict,
)

AUC, LOSS, BIAS = RISK_METRICS["auc"], RISK_METRICS["log_loss"], VALUE_METRICS["bias"]
NAN = float("nan")


@pytest.mark.parametrize(
    ("difference", "metric", "told"),
    [
        (
            (-0.031, -0.038, -0.024),
            LOSS,
            "Against rfm the model's log loss is 0.031 lower, which is better (95 % interval 0.024 to 0.038 lower); "
            "the difference excludes zero.",
        ),
        (
            (-0.031, -0.038, -0.024),
            AUC,
            "Against rfm the model's AUC is 0.031 lower, which is worse (95 % interval 0.024 to 0.038 lower); "
            "the difference excludes zero.",
        ),
        (
            (0.002, -0.004, 0.008),
            AUC,
            "Against rfm the model's AUC is 0.002 higher, which is better (95 % interval from 0.004 lower to 0.008 "
            "higher); the difference cannot be told from zero.",
        ),
        (
            (-15.0, -18.25, -11.0),
            BIAS,
            "Against rfm the model's bias % is 15.0 nearer to 0, which is better (95 % interval 11.0 to 18.2 nearer "
            "to 0); the difference excludes zero.",
        ),
        (
            (0.0004, 0.0001, 0.0007),
            AUC,
            "Against rfm the model's AUC is 0.0004 higher, which is better (95 % interval 0.0001 to 0.0007 higher); "
            "the difference excludes zero.",
        ),
        (
            (0.01, 0.0, 0.02),
            AUC,
            "Against rfm the model's AUC is 0.010 higher, which is better (95 % interval 0.000 to 0.020 higher); "
            "the difference cannot be told from zero.",
        ),
        ((0.0, 0.0, 0.0), AUC, "Against rfm the model's AUC is the same on every draw."),
        (
            (0.0, -0.01, 0.01),
            AUC,
            "Against rfm the model's AUC is the same (95 % interval from 0.010 lower to 0.010 higher); "
            "the difference cannot be told from zero.",
        ),
        (
            (0.01, NAN, NAN),
            AUC,
            "Against rfm the model's AUC is 0.010 higher, which is better; without an interval, chance alone may "
            "explain it.",
        ),
        (
            (NAN, NAN, NAN),
            AUC,
            "Against rfm the model's AUC cannot be compared: it does not exist for both on these rows.",
        ),
    ],
    ids=["lower", "worse", "open", "bias", "tiny", "edge", "itself", "level", "no interval", "no figure"],
)
def test_a_difference_is_told_in_a_sentence(difference: tuple[float, ...], metric: Metric, told: str) -> None:
    """Signs and intervals are misread; a sentence says which way, how far, and whether chance explains it."""
    assert sentence(Difference(*difference, 0.5), metric, "rfm") == told


def test_the_names_and_the_coverage_are_the_callers() -> None:
    """A promotion compares a challenger with a champion, at a coverage of its own."""
    told = sentence(Difference(0.1, 0.05, 0.15, 1.0), AUC, "version 3", subject="the challenger", coverage=0.9)
    assert told.startswith("Against version 3 the challenger's AUC is 0.100 higher, which is better (90 % interval")


def test_sentences_follow_baselines_and_catalogue() -> None:
    """The reader finds a metric where the table has it."""
    same = Difference(0.0, 0.0, 0.0, 0.0)
    found = {"rfm": {"log_loss": same, "auc": same}, "recency": {"auc": same, "of_my_own": same}}
    told = sentences(found, RISK_METRICS)
    assert [line.split(" is ")[0] for line in told] == [
        "Against rfm the model's AUC",
        "Against rfm the model's log loss",
        "Against recency the model's AUC",
    ]
    assert len(sentences(found, RISK_METRICS, only={"log_loss"})) == 1


def test_a_verdict_sums_up_a_baseline() -> None:
    """One line says where the model is better, where it is worse and where nobody can tell."""
    found = {
        "auc": Difference(0.02, 0.01, 0.03, 1.0),
        "log_loss": Difference(-0.02, -0.03, -0.01, 1.0),
        "brier": Difference(0.02, 0.01, 0.03, 0.0),
        "calibration_error": Difference(0.02, -0.01, 0.03, 0.2),
    }
    assert verdict(found, RISK_METRICS, "rfm") == (
        "Against rfm the model is better beyond chance in AUC, log loss, worse beyond chance in Brier; "
        "in cal. error the two cannot be told apart."
    )
    assert verdict({"auc": found["auc"]}, RISK_METRICS, "rfm") == (
        "Against rfm the model is better beyond chance in AUC, worse beyond chance in nothing."
    )
    assert verdict({"bias": Difference(-3.0, -4.0, -1.0, 1.0)}, VALUE_METRICS, "rfm").startswith(
        "Against rfm the model is better beyond chance in bias %"
    )


@pytest.mark.parametrize(
    ("low", "high", "excludes"),
    [(0.1, 0.2, True), (-0.2, -0.1, True), (-0.1, 0.1, False), (0.0, 0.1, False), (NAN, NAN, False)],
)
def test_an_interval_excludes_zero_or_not(low: float, high: float, excludes: bool) -> None:
    """An end at zero and no interval at all exclude nothing."""
    assert excludes_zero(Difference(0.0, low, high, 0.5)) is excludes


def test_what_the_bootstrap_finds_can_be_told() -> None:
    """The two belong together."""
    draw = np.random.default_rng(0)
    p = draw.random(1_000)
    truth = (draw.random(1_000) < p).astype(float)
    told = sentence(paired_difference(AUC, truth, p, draw.random(1_000)), AUC, "chance")
    assert told.endswith("the difference excludes zero.")
    assert "higher, which is better" in told
