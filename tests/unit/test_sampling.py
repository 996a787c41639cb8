"""A sample of snapshots depends on nothing but snapshots and seed, and its weights restore what was left out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from holdfast.errors import DataError
from holdfast.sampling import (
    WEIGHT,
    Counts,
    Sample,
    Sampler,
    SampleSettings,
    draws,
    quotas,
    sampled,
    told,
    weights,
)
from holdfast.snapshots import feature_columns
from tests.unit.learning.samples import snapshots


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """16,000 snapshots, of which a third churned, in the order of a snapshots table."""
    return snapshots(customers=2_000, cutoffs=8).sort_values(["cutoff", "customer_id"], ignore_index=True)


def frames(table: pd.DataFrame, rows: int, seed: int) -> Iterator[pd.DataFrame]:
    """The table in parts of so many rows, in another order."""
    mixed = table.sample(frac=1, random_state=seed)
    yield from (mixed.iloc[start : start + rows] for start in range(0, len(mixed), rows))


def streamed(table: pd.DataFrame, most: int | None, rows: int, seed: int = 0) -> pd.DataFrame:
    """What a sampler keeps of the parts."""
    sampler = Sampler(most, seed=5)
    for frame in frames(table, rows, seed):
        sampler.add(frame)
    return sampler.table()


def test_draws_are_spread_evenly_and_know_nothing_of_each_other(table: pd.DataFrame) -> None:
    """Neighbouring names, cutoffs and seeds are the rule and must not draw alike."""
    one, other = (draws(table["customer_id"], table["cutoff"], seed) for seed in (0, 1))
    expected = len(table) / 10
    assert np.abs(np.histogram(one, bins=10, range=(0, 1))[0] - expected).max() < 4.5 * np.sqrt(expected)
    by_customer = one.reshape(8, -1)
    related = [np.corrcoef(one, other), np.corrcoef(one[1:], one[:-1]), np.corrcoef(by_customer[0], by_customer[1])]
    assert max(abs(found[0, 1]) for found in related) < 4.5 / np.sqrt(by_customer.shape[1])


@pytest.mark.parametrize(
    ("counts", "most", "kept"),
    [
        (Counts(900, 100), 400, Counts(300, 100)),
        (Counts(700, 300), 400, Counts(200, 200)),
        (Counts(100, 900), 401, Counts(100, 301)),
        (Counts(500, 500), 401, Counts(200, 201)),
        (Counts(500, 500), 1_000, Counts(500, 500)),
        (Counts(1_000, 0), 400, Counts(400, 0)),
    ],
)
def test_the_rarer_outcome_is_kept_in_the_larger_share(counts: Counts, most: int, kept: Counts) -> None:
    """It carries more of what a model learns; what it does not fill goes to the other."""
    assert quotas(counts, most) == kept


def test_the_sample_does_not_depend_on_order_or_parts(table: pd.DataFrame) -> None:
    """Chunks of customers arrive as the engine likes; the sample is one and the same, to the bit."""
    whole = sampled(table, 3_000, seed=5)
    assert len(whole) == 3_000
    for rows, seed in ((16_000, 1), (700, 2), (61, 3)):
        pd.testing.assert_frame_equal(streamed(table, 3_000, rows, seed), whole, check_exact=True)


def test_the_sample_does_not_depend_on_what_is_not_sampled(table: pd.DataFrame) -> None:
    """A further feature, or a value of another currency, chooses no other snapshots."""
    other = table.assign(more=1.0, future_value=table["future_value"] * 7)
    one, two = (sampled(frame, 3_000, seed=5) for frame in (table, other))
    assert one["customer_id"].tolist() == two["customer_id"].tolist()


def test_memory_holds_little_more_than_the_sample(table: pd.DataFrame) -> None:
    """However many snapshots there are, the sampler keeps a quarter more than it will give, and the frame at hand."""
    sampler, held = Sampler(1_000, seed=5), []
    for frame in frames(table, 200, seed=0):
        sampler.add(frame)
        held.append(sampler.held)
    assert max(held) <= 1_250
    assert len(sampler.table()) == 1_000


def test_an_outcome_that_comes_late_finds_room(table: pd.DataFrame) -> None:
    """All who stayed first, all who churned last, or the other way round: nothing must have been given away."""
    for outcomes in ((0.0, 1.0), (1.0, 0.0)):
        sampler = Sampler(3_000, seed=5)
        for outcome in outcomes:
            for frame in frames(table[table["churned"] == outcome], 500, seed=1):
                sampler.add(frame)
        pd.testing.assert_frame_equal(sampler.table(), sampled(table, 3_000, seed=5), check_exact=True)


def test_counting_first_gives_the_same_sample_and_leaves_out_most_rows(table: pd.DataFrame) -> None:
    """Executors count, then send only what has a chance; the driver never sees the rest."""
    churned = int(table["churned"].sum())
    sampler, sent = Sampler(3_000, seed=5, counts=Counts(len(table) - churned, churned)), 0
    for frame in frames(table, 500, seed=0):
        kept = frame[sampler.keeps(frame)]
        sent += len(kept)
        sampler.add(kept)
    pd.testing.assert_frame_equal(sampler.table(), sampled(table, 3_000, seed=5), check_exact=True)
    assert sent < 4_000


@pytest.mark.parametrize("counts", [Counts(100_000, 5_000), Counts(20_000, 900), Counts(1_000, 900), Counts(400, 0)])
def test_snapshots_that_changed_since_they_were_counted_are_refused(table: pd.DataFrame, counts: Counts) -> None:
    """Weights from counts of other data would restore a prior that never was."""
    sampler = Sampler(3_000, seed=5, counts=counts)
    few = table[table["churned"] == 0].head(500)
    sampler.add(few[sampler.keeps(few)])
    with pytest.raises(DataError, match="changed between counting and reading; build them again"):
        sampler.table()


def test_another_seed_draws_other_snapshots(table: pd.DataFrame) -> None:
    """And the same seed the same; else nobody could repeat a training, or doubt it with a second sample."""
    first, again, other = (
        set(sampled(table, 3_000, seed).set_index(["customer_id", "cutoff"]).index) for seed in (1, 1, 2)
    )
    assert first == again
    churned = table["churned"].sum()
    by_chance = 1_500**2 / churned + 1_500**2 / (len(table) - churned)
    assert len(first & other) == pytest.approx(by_chance, rel=0.15)


def test_weighted_outcomes_are_those_of_the_whole(table: pd.DataFrame) -> None:
    """The share that churned is the prior of every prediction: it is restored, not estimated."""
    sample = sampled(table, 3_000, seed=5)
    weight = weights(sample)
    assert weight is not None
    assert weight.sum() == pytest.approx(len(table), rel=1e-12)
    assert np.average(sample["churned"], weights=weight) == pytest.approx(table["churned"].mean(), rel=1e-12)
    assert sample["churned"].mean() == 0.5


def test_weighted_totals_are_right_on_average(table: pd.DataFrame) -> None:
    """Each seed errs by chance, forty of them by a sixth of that; a weight of the wrong size would show."""
    truth = table["future_value"].sum()
    errors = []
    for seed in range(40):
        sample = sampled(table, 3_000, seed)
        errors.append((sample["future_value"] * sample[WEIGHT]).sum() / truth - 1)
    stayed = table.loc[table["churned"] == 0, "future_value"]
    one_seed = stayed.std() / stayed.mean() / np.sqrt(1_500)
    assert np.std(errors) < 1.5 * one_seed
    assert abs(np.mean(errors)) < 3 * one_seed / np.sqrt(40)


def test_every_cutoff_is_sampled_alike(table: pd.DataFrame) -> None:
    """A cutoff that lost more would teach its season less."""
    share = (
        sampled(table, 6_000, seed=5).groupby(["cutoff", "churned"]).size()
        / table.groupby(["cutoff", "churned"]).size()
    )
    for outcome in (0.0, 1.0):
        assert share.xs(outcome, level="churned").to_numpy() == pytest.approx(
            share.xs(outcome, level="churned").mean(), rel=0.15
        )


def test_a_table_that_fits_stays_as_it_is(table: pd.DataFrame) -> None:
    """Without need there is no weight, no other order, no copy: every number stays what it was."""
    assert sampled(table, len(table), seed=5) is table
    assert sampled(table, None, seed=5) is table
    for most in (None, len(table)):
        pd.testing.assert_frame_equal(streamed(table, most, rows=900), table, check_exact=True)


def test_what_the_table_says_of_itself_stays(table: pd.DataFrame) -> None:
    """How many had left in the gap is asked later."""
    told_of_itself = table.copy()
    told_of_itself.attrs["left_in_gap"] = 7
    assert sampled(told_of_itself, 3_000, seed=5).attrs == {"left_in_gap": 7}


def test_the_weight_is_no_feature(table: pd.DataFrame) -> None:
    """It is made of the outcome: a model that saw it would know the future."""
    assert feature_columns(sampled(table, 3_000, seed=5)) == feature_columns(table)


def test_a_sample_says_what_it_kept(table: pd.DataFrame) -> None:
    """In numbers for programs and in words for people; a whole table says nothing."""
    assert Sample.of_table(table) is None
    churned = int(table["churned"].sum())
    found = Sample.of_table(sampled(table, 3_000, seed=5))
    assert found == Sample(Counts(1_500, 1_500), Counts(len(table) - churned, churned))
    assert found.to_dict()["share_of_churned"] == pytest.approx(1_500 / churned)
    said = told({"kept": 3_000, "of": 16_000, "share_of_churned": 0.25, "share_of_stayed": 0.15})
    assert said == (
        "a sample of 3,000 of 16,000 snapshots (25.0% of those who churned, 15.0% of those who stayed), weighted back"
    )


def test_a_snapshot_without_outcome_is_refused(table: pd.DataFrame) -> None:
    """It belongs to neither outcome, and would be weighted as one of them."""
    with pytest.raises(DataError, match="found 16000 without"):
        Sampler(1_000, seed=5).add(table.assign(churned=np.nan))


def test_a_sample_too_small_to_learn_from_cannot_be_asked_for() -> None:
    """Below a thousand rows the models have nothing to choose their trees by."""
    with pytest.raises(ValidationError, match="greater than or equal to 1000"):
        SampleSettings(most_snapshots=999)
