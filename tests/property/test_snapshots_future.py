"""The future never changes a feature, nor does the order of rows."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from holdfast.features.build import build
from holdfast.features.catalogue import Vocabulary, catalogue
from holdfast.snapshots import PopulationSettings, build_snapshots
from holdfast.sources import Engine
from tests.oracle.test_features_catalogue import FEATURES
from tests.raw_business import CUTOFF, DAY, ROWS, Frames, framed, opened, raw_business
from tests.strategies import CUSTOMERS, ERAS, Business, businesses, streams_of

BOUGHT = PopulationSettings(bought_within_days=700)


def columns_at(business: Business, cutoff: int) -> pd.DataFrame:
    """All features of all customers at one cutoff."""
    at = np.full(CUSTOMERS, cutoff)
    return pd.DataFrame(build(FEATURES, streams_of(business), np.arange(CUSTOMERS), at))


def beyond(business: Business, cutoff: int) -> Business:
    """The same events, moved out of sight: those that lay before the cutoff become known at it or later."""
    return {
        name: [{**event, "known": max(event["known"], event["time"], cutoff)} for event in listed]
        for name, listed in business.items()
    }


@settings(max_examples=25)
@given(
    drawn=st.sampled_from(ERAS).flatmap(lambda era: st.tuples(businesses(era), businesses(era), st.sampled_from(era)))
)
def test_events_that_are_not_known_yet_change_nothing(drawn: tuple[Business, Business, int]) -> None:
    """A feature that moves when tomorrow's rows arrive has learnt the answer from the question."""
    business, other, cutoff = drawn
    more = beyond(other, cutoff)
    both = {name: listed + more[name] for name, listed in business.items()}
    pd.testing.assert_frame_equal(columns_at(both, cutoff), columns_at(business, cutoff), check_exact=True)


@settings(max_examples=30)
@given(drawn=st.sampled_from(ERAS).flatmap(lambda era: st.tuples(businesses(era), st.sampled_from(era))))
def test_what_is_known_is_what_a_business_without_its_future_has(drawn: tuple[Business, int]) -> None:
    """Looking past the rows that are hidden must equal not having them at all."""
    business, cutoff = drawn
    known = {name: [event for event in listed if event["known"] < cutoff] for name, listed in business.items()}
    pd.testing.assert_frame_equal(columns_at(business, cutoff), columns_at(known, cutoff), check_exact=True)


def snapshots(tables: Engine, vocabulary: Vocabulary | None = None) -> pd.DataFrame:
    """The scoring table at the cutoff and a day before it."""
    features = catalogue(Vocabulary.of(tables) if vocabulary is None else vocabulary)
    return build_snapshots(tables, features, population=BOUGHT, cutoffs=[CUTOFF])


def later_rows(seed: int) -> Frames:
    """Rows of the same business that happen, or become known, at the cutoff or later."""
    draw = random.Random(seed)
    frames = {}
    for name, (row, count) in ROWS.items():
        if name == "customers":
            continue
        rows = []
        for drawn in (row(draw) for _ in range(count)):
            first = "opened_time" if name == "tickets" else "event_time"
            if draw.random() < 0.5:
                shift = max(0, CUTOFF - drawn[first])
                drawn |= {key: drawn[key] + shift for key in drawn if key.endswith("_time") and drawn[key] is not None}
            drawn["known_time"] = max(drawn["known_time"], CUTOFF)
            rows.append(drawn)
        frames[name] = framed(rows)
    return frames


@settings(max_examples=4, phases=[Phase.generate])  # a smaller seed is no simpler business
@given(seed=st.integers(0, 2**32))
def test_rows_that_arrive_later_change_nothing(seed: int) -> None:
    """From raw tables to features: later rows with the same ids, orders and contracts leave the past as it was."""
    before = raw_business(seed)
    later = later_rows(seed + 1)
    after = {name: pd.concat([rows, *([later[name]] if name in later else [])]) for name, rows in before.items()}
    with opened(before) as tables:
        vocabulary = Vocabulary.of(tables)
        wanted = snapshots(tables, vocabulary)
    with opened(after) as tables:
        found = snapshots(tables, vocabulary)
    pd.testing.assert_frame_equal(found, wanted, check_exact=True)


@settings(max_examples=4, phases=[Phase.generate])  # a smaller seed is no simpler business
@given(seed=st.integers(0, 2**32))
def test_data_cut_at_the_cutoff_gives_the_same_features(seed: int) -> None:
    """What the full history shows at a cutoff is what an export of that day would have shown."""
    frames = raw_business(seed)
    with opened(frames) as tables:
        vocabulary = Vocabulary.of(tables)
        wanted = snapshots(tables, vocabulary)
    with opened(frames, as_of=CUTOFF) as tables:
        found = snapshots(tables, vocabulary)
    pd.testing.assert_frame_equal(found, wanted, check_exact=True)


@settings(max_examples=4, phases=[Phase.generate])  # a smaller seed is no simpler business
@given(seed=st.integers(0, 2**32))
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    """Two exports of the same rows must give the same bits, or no run can be repeated."""
    frames = raw_business(seed)
    shuffled = {name: rows.sample(frac=1, random_state=seed % 1000) for name, rows in frames.items()}
    with opened(frames) as tables:
        wanted = snapshots(tables)
    with opened(shuffled) as tables:
        found = snapshots(tables)
    pd.testing.assert_frame_equal(found, wanted, check_exact=True)


@settings(max_examples=4, phases=[Phase.generate])  # a smaller seed is no simpler business
@given(seed=st.integers(0, 2**32))
def test_features_do_not_depend_on_one_another(seed: int) -> None:
    """Ties are broken alike whatever else is read, so a model with a few features scores what it was trained on."""
    draw = random.Random(seed)
    with opened(raw_business(seed)) as tables:
        features = catalogue(Vocabulary.of(tables))
        some = draw.sample(features, 12)
        at = [CUTOFF - DAY, CUTOFF]
        alone = build_snapshots(tables, some, population=BOUGHT, cutoffs=at, events_per_chunk=97)
        together = build_snapshots(tables, features, population=BOUGHT, cutoffs=at)
    pd.testing.assert_frame_equal(alone, together[alone.columns], check_exact=True)
