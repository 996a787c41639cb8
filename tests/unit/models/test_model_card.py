"""What a stored model says of itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from holdfast.errors import BundleError
from holdfast.features.catalogue import EVERYTHING, Vocabulary, catalogue
from holdfast.models.feature_record import FeatureRecord
from holdfast.models.model_card import (
    ChurnDefinition,
    ModelCard,
    PopulationDefinition,
    TrainingRecord,
    ValueDefinition,
)

CARD = ModelCard(
    "shop",
    ChurnDefinition("no_event", 60, gap_days=3, events=("visit", "purchase")),
    ValueDefinition("margin", 90),
    PopulationDefinition(active_within_days=120),
    "EUR",
    EVERYTHING.columns,
    EVERYTHING.levels,
    {"visits_in_june": "count"},
    {"data": "0" * 64},
    TrainingRecord(("2024-01-01",), 12, {"chosen": "ridge"}),
)


def test_a_card_survives_its_storage() -> None:
    """Scoring must ask for the very same features of the very same business."""
    stored = ModelCard.from_json(json.loads(json.dumps(CARD.to_json())))
    assert stored == CARD
    assert catalogue(Vocabulary(stored.columns, stored.levels)) == catalogue(EVERYTHING)
    untrained = replace(CARD, training=None)
    assert ModelCard.from_json(json.loads(json.dumps(untrained.to_json()))) == untrained


@pytest.mark.parametrize("change", [{"churn": {}}, {"value": None}, {"training": {"cutoffs": []}}, {"more": 1}])
def test_a_card_that_was_changed_by_hand_is_refused(change: dict[str, Any]) -> None:
    """In one sentence, instead of an error of the language somewhere later."""
    with pytest.raises(BundleError, match=r"Wanted a .* with .*; found another"):
        ModelCard.from_json(json.loads(json.dumps(CARD.to_json())) | change)


@pytest.mark.parametrize(
    "change",
    [{"dtype": "text"}, {"name": 3}, {"categories": "abc"}, {"role": "hero"}, {"when_empty": True}, {"more": 1}],
    ids=str,
)
def test_a_feature_record_that_was_changed_by_hand_is_refused(change: dict[str, Any]) -> None:
    """As the card."""
    stored = json.loads(json.dumps(FeatureRecord("plan", "category", categories=("a", "b")).to_json()))
    assert FeatureRecord.from_json(stored) == FeatureRecord("plan", "category", categories=("a", "b"))
    with pytest.raises(BundleError, match=r"Wanted a feature record with .*; found another"):
        FeatureRecord.from_json(stored | change)
