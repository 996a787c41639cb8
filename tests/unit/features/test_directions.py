"""Directions from the configuration join the records of the features that they name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from holdfast.errors import ConfigError
from holdfast.features.catalogue import EVERYTHING, catalogue
from holdfast.features.directions import directed, require_there
from holdfast.features.own import OwnFeatures

FEATURES = catalogue(EVERYTHING)


def test_a_feature_gets_its_direction_and_the_others_stay() -> None:
    """The catalogue itself takes no side: what holds for one business need not hold for another."""
    assert all(feature.risk is None for feature in FEATURES)
    found = directed(FEATURES, {"tickets_open": "rises", "orders_90d": "falls"})
    assert {feature.name: feature.risk for feature in found if feature.risk} == {
        "orders_90d": "falls",
        "tickets_open": "rises",
    }
    assert tuple(replace(feature, risk=None) for feature in found) == FEATURES


def test_a_name_that_is_no_feature_is_refused_in_training_only() -> None:
    """A score of an export without tickets of some severity has nothing to do with directions."""
    assert directed(FEATURES, {"tickets_opened": "rises"}) == FEATURES
    with pytest.raises(ConfigError, match=r"training\.risk_rises: .* 'tickets_opened'.*did you mean 'tickets_open'\?"):
        require_there(FEATURES, {"tickets_opened": "rises"})


def test_a_category_or_a_record_that_says_the_opposite_is_refused() -> None:
    """Each would be a promise that nobody can keep."""
    with pytest.raises(ConfigError, match=r"training\.risk_falls: .* 'country', a category"):
        directed(FEATURES, {"country": "falls"})
    mine = (replace(FEATURES[0], name="mine", risk="falls"),)
    assert directed(mine, {"mine": "falls"}) == mine
    with pytest.raises(ConfigError, match="'mine', whose record says that the risk falls with it"):
        directed(mine, {"mine": "rises"})


def test_the_direction_of_an_own_record_is_a_part_of_what_a_model_depends_on() -> None:
    """Else training would take the model without it for the present one."""
    own = OwnFeatures((replace(FEATURES[0], name="mine"),))
    directions = [OwnFeatures((replace(own.records[0], risk=risk),)) for risk in ("rises", "falls")]
    assert len({each.fingerprint("code") for each in (own, *directions)}) == 3
