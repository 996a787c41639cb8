"""What a list of contacts holds."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.metrics import ContactLists, Metric, estimate, paired_difference, top_capture

ONE = np.zeros(300, dtype=np.int64)


def world(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Amounts, and scores that know something of them, some of them equal."""
    draw = np.random.default_rng(seed)
    amount = draw.lognormal(3, 1, n)
    return amount, np.round(amount * draw.lognormal(0, 0.5, n), -1)


def test_every_cutoff_has_a_list_of_its_own() -> None:
    """Two cutoffs, two places each: 50 + 30 at the first, 7 + 5 at the second, whatever the other one has."""
    cutoff = np.array([1, 1, 1, 2, 2, 2])
    amount, score = np.array([50.0, 20, 30, 1, 5, 7]), np.array([0.9, 0.1, 0.8, 0.2, 0.3, 0.4])
    lists = ContactLists(cutoff, places=2)
    assert lists.total(amount, score) == pytest.approx((80 + 12) / 2)
    assert lists.share_held(amount, score) == pytest.approx(92 / 113)
    assert ContactLists(cutoff, share=1 / 3).total(amount, score) == pytest.approx((50 + 7) / 2)


def test_a_list_with_more_places_than_customers_holds_everyone() -> None:
    """A small cutoff ends its list early, and nobody is contacted twice."""
    assert ContactLists(np.array([1, 1, 2]), places=9).total(np.ones(3), np.zeros(3)) == pytest.approx(1.5)
    assert ContactLists(np.array([1, 1, 2]), places=0).total(np.ones(3), np.zeros(3)) == 0


def test_a_tenth_of_the_places_is_the_known_capture() -> None:
    """One idea, one number: the top tenth is a list of a tenth of the customers."""
    amount, score = world(1)
    assert ContactLists(ONE, share=0.1).share_held(amount, score) == pytest.approx(top_capture(amount, score))


def test_equal_scores_share_the_last_places_in_proportion() -> None:
    """A model that knows nothing reaches its share, whatever the order of the file."""
    amount, _ = world(2)
    assert ContactLists(ONE, places=75).share_held(amount, np.zeros(300)) == pytest.approx(0.25)


def test_a_weight_is_a_repeated_row() -> None:
    """A row that stands for three takes three places and holds three times its amount."""
    amount, score = world(3)
    cutoff = np.arange(300) % 2
    times = np.random.default_rng(4).integers(0, 4, 300)
    rows = np.repeat(np.arange(300), times)
    weights = np.stack([times.astype(float), np.ones(300)])
    for how in ({"places": 40}, {"share": 0.2}):
        lists, repeated = ContactLists(cutoff, **how), ContactLists(cutoff[rows], **how)
        for found, again in ((lists.total, repeated.total), (lists.share_held, repeated.share_held)):
            drawn = found(amount, score, weights)
            assert drawn[0] == pytest.approx(again(amount[rows], score[rows]))
            assert drawn[1] == pytest.approx(found(amount, score))


def test_what_does_not_exist_is_nan() -> None:
    """No amount at all, or nobody: a gap in the report."""
    assert np.isnan(ContactLists(ONE[:4], places=2).share_held(np.zeros(4), np.arange(4.0)))
    assert np.isnan(ContactLists(ONE[:0], places=2).total(np.empty(0), np.empty(0)))


def test_chance_is_told_like_for_every_metric() -> None:
    """The total goes through the same bootstrap, alone and against another order."""
    amount, score = world(5)
    metric = Metric("total", ContactLists(ONE, places=50).total, "higher", "total")
    found = estimate({"it": metric}, amount, score, draws=100)["it"]
    assert found.low < found.estimate < found.high
    assert paired_difference(metric, amount, np.zeros(300), score, draws=200).high < 0
