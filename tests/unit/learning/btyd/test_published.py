"""The published maxima of likelihood on the tenth of CDNOW that the papers use, to the digits printed."""

from __future__ import annotations

from dataclasses import astuple
from time import process_time

import pytest

from holdfast.learning.btyd import fit_gamma_gamma, fit_purchases
from holdfast.models.btyd import BetaGeometric, GammaGamma, Histories, ModifiedBetaGeometric, ParetoNBD


@pytest.mark.parametrize(
    ("model", "digits", "published", "log_likelihood"),
    [
        (BetaGeometric, (3, 3, 3, 3), (0.243, 4.414, 0.793, 2.426), -9582.4),
        (ParetoNBD, (3, 2, 3, 2), (0.553, 10.58, 0.606, 11.67), -9595.0),
    ],
)
def test_purchases_of_cdnow(histories, model, digits, published, log_likelihood) -> None:
    """Fader, Hardie and Lee (2005), table 2: whoever knows the papers checks this first."""
    assert len(histories["repeats"]) == 2357
    data = Histories.of(histories["repeats"], histories["last"], histories["age"])
    found = fit_purchases(model, data)
    assert tuple(round(value, places) for value, places in zip(astuple(found), digits, strict=True)) == published
    assert round(found.slope(data)[0], 1) == log_likelihood
    assert abs(found.slope(data)[1]).max() < 1e-4  # the top, not near it


def test_worth_of_purchases_of_cdnow(histories) -> None:
    """Fader and Hardie (2013): p = 6.25, q = 3.74, gamma = 15.44, on the 946 customers who came back."""
    assert ((histories["repeats"] > 0) & (histories["mean"] > 0)).sum() == 946
    found = fit_gamma_gamma(histories["repeats"], histories["mean"])
    assert tuple(round(value, 2) for value in astuple(found)) == (6.25, 3.74, 15.44)


def test_all_of_cdnow_takes_less_than_two_seconds(all_histories) -> None:
    """A model that is fitted at every cutoff of a backtest must not be what the backtest waits for."""
    history = all_histories["repeats"], all_histories["last"], all_histories["age"]
    assert len(history[0]) == 23_570
    for fit in (
        lambda: fit_purchases(BetaGeometric, Histories.of(*history)),
        lambda: fit_purchases(ModifiedBetaGeometric, Histories.of(*history)),
        lambda: fit_purchases(ParetoNBD, Histories.of(*history)),
        lambda: fit_gamma_gamma(all_histories["repeats"], all_histories["mean"]),
    ):
        begun = process_time()
        fit()
        assert process_time() - begun < 2


def test_expected_purchases_and_worth_of_the_papers_examples() -> None:
    """A customer of x = 2, t = 30.43, T = 38.86 is expected to buy 1.23 times in 39 weeks (Fader and Hardie's note)."""
    model = BetaGeometric(0.243, 4.414, 0.793, 2.426)
    assert model.expected(2, 30.43, 38.86, 39) == pytest.approx(1.226, abs=5e-4)
    worth = GammaGamma(6.25, 3.74, 15.44)
    assert worth.expected_mean(0, 0) == pytest.approx(35.2, abs=0.05)
    assert worth.expected_mean(1, 22.35) == pytest.approx(6.25 * (15.44 + 22.35) / (6.25 + 2.74))
