"""What the configuration knows of the way that the risk goes with a feature, put into the features' records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from holdfast.errors import ConfigError
from holdfast.features.feature import Feature
from holdfast.models.feature_record import Direction
from holdfast.sources.kinds import nearest


def directed(features: Sequence[Feature], declared: Mapping[str, Direction]) -> tuple[Feature, ...]:
    """The features, those that are declared with their direction; names that no feature has are passed over.

    An export to score may lack a level that training had, and with it a feature; :func:`require_there` is for training.

    Raises
    ------
    ConfigError
        A category is declared, or the record of a feature says the opposite.
    """
    return tuple(
        _with(feature, declared[feature.name]) if feature.name in declared else feature for feature in features
    )


def _with(feature: Feature, risk: Direction) -> Feature:
    if feature.is_category:
        raise ConfigError(
            f"training.risk_{risk}: wanted features that are numbers, found '{feature.name}', a category, whose levels "
            "have no order. Leave it out."
        )
    if feature.risk not in (None, risk):
        raise ConfigError(
            f"training.risk_{risk}: found '{feature.name}', whose record says that the risk {feature.risk} with it. "
            "Wanted one direction; correct one of them."
        )
    return replace(feature, risk=risk)


def require_there(features: Sequence[Feature], declared: Mapping[str, Direction]) -> None:
    """Refuse a direction of something that is no feature: whoever declared it relies on it.

    Raises
    ------
    ConfigError
        Names it, and the feature of the nearest name.
    """
    names = [feature.name for feature in features]
    for name, risk in declared.items():
        if name not in names:
            raise ConfigError(
                f"training.risk_{risk}: wanted names of features, found {name!r}, which these sources do not give"
                f"{nearest(name, names)}. `holdfast features list` with this configuration shows them all."
            )
