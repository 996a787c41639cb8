"""Every feature of the catalogue passes the public battery, against its meaning in plain Python."""

from __future__ import annotations

import pytest

from holdfast.features.catalogue import PER_LEVEL, Vocabulary, catalogue
from holdfast.testing import check_features
from tests.oracle import by_hand
from tests.strategies import CATEGORIES, DRAWN

VOCABULARY = Vocabulary(
    columns={stream: tuple(sorted(columns)) for stream, columns in DRAWN.items()},
    levels={f"{stream}.{column}": CATEGORIES[stream][column] for stream, column in PER_LEVEL},
)
FEATURES = catalogue(VOCABULARY)


@pytest.mark.parametrize("source", [*DRAWN, None], ids=str)
def test_a_feature_is_what_its_meaning_says(source: str | None) -> None:
    """Windows, both clocks, conditions and declared empty values, for every feature that the catalogue can offer."""
    records = [record for record in FEATURES if record.source == source]
    circle = 1e-9 if source is None else 0.0  # two libraries of trigonometry
    check_features(records, by_hand.of_feature, relative=circle)


def test_the_comparison_covers_all_families() -> None:
    """A family that the drawn business cannot feed would pass unseen."""
    assert {record.source for record in FEATURES} == {*DRAWN, None}
    assert len(FEATURES) >= 70
