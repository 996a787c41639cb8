"""Every feature of the catalogue against its meaning in plain Python."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.features.build import build
from holdfast.features.catalogue import PER_LEVEL, Vocabulary, catalogue
from tests.oracle import by_hand
from tests.strategies import CATEGORIES, CUSTOMERS, DRAWN, ERAS, Business, businesses, cutoffs, in_order, streams_of

VOCABULARY = Vocabulary(
    columns={stream: tuple(sorted(columns)) for stream, columns in DRAWN.items()},
    levels={f"{stream}.{column}": CATEGORIES[stream][column] for stream, column in PER_LEVEL},
)
FEATURES = catalogue(VOCABULARY)


def same(found: Any, wanted: Any) -> bool:
    """Equal texts, equal numbers, or missing on both sides."""
    if wanted is None or (isinstance(wanted, float) and math.isnan(wanted)):
        return bool(pd.isna(found))
    return bool(found == wanted)


@settings(max_examples=60)
@given(drawn=st.sampled_from(ERAS).flatmap(lambda era: st.tuples(businesses(era), cutoffs(era))))
def test_a_feature_is_what_its_meaning_says(drawn: tuple[Business, list[int]]) -> None:
    """Windows, both clocks, conditions and declared empty values, for every feature that the catalogue can offer."""
    business, at_cutoffs = drawn
    customers = np.tile(np.arange(CUSTOMERS), len(at_cutoffs))
    at = np.repeat(np.array(at_cutoffs, dtype=np.int64), CUSTOMERS)
    columns = build(FEATURES, streams_of(business), customers, at)
    ordered = {name: in_order(listed) for name, listed in business.items()}
    for record in FEATURES:
        found = columns[record.name]
        for value, customer, cutoff in zip(found, customers.tolist(), at.tolist(), strict=True):
            wanted = by_hand.feature(record, ordered, customer, cutoff)
            if record.family == "season":  # two libraries of trigonometry
                assert abs(value - wanted) < 1e-9
            else:
                assert same(value, wanted), (record.name, customer, cutoff, value, wanted)


def test_the_comparison_covers_all_families() -> None:
    """A family that the drawn business cannot feed would pass unseen."""
    assert {record.source for record in FEATURES} == {*DRAWN, None}
    assert len(FEATURES) >= 70
