"""All features that the sources at hand can give: one list, made from the records of the families.

What the catalogue needs to know of the data is a :class:`Vocabulary`: which streams there are, with which columns, and
which levels the columns have that make features of their own (one set per kind of engagement, per severity, per topic).
A level that too few customers share makes none: its name might name a person, and it would stay in every model.
A bundle keeps the vocabulary it was trained with, so that scoring asks for the same features on other data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial

from holdfast.features import (
    attribute,
    calendar,
    contact,
    engagement,
    feedback,
    frequency,
    monetary,
    recency,
    subscription,
    support,
)
from holdfast.features.feature import Feature
from holdfast.models.encoding import FEWEST_CUSTOMERS
from holdfast.models.feature_record import Role
from holdfast.sources import Engine

FAMILIES = (recency, frequency, monetary, engagement, support, subscription, feedback, contact, calendar)
PER_LEVEL: Mapping[tuple[str, str], Callable[[str, str], Iterable[Feature]]] = {
    ("engagement", "kind"): engagement.per_kind,
    ("tickets", "severity"): partial(support.per_level, "severity"),
    ("tickets", "topic"): partial(support.per_level, "topic"),
}
MOST_LEVELS = 8  # the commonest; a column with hundreds of levels would drown the catalogue
_OF_SNAPSHOTS = {"customer", "customer_id", "cutoff", "churned", "future_value", "treated", "days_to_event"}
_SIGNS = {f"signs_{when}_{period}" for when in ("past", "later") for period in range(1, 13)}
RESERVED = frozenset(_OF_SNAPSHOTS | _SIGNS | {"sample_weight", "base"})
"""Names that the snapshots table, or the table of contributions, has for other things."""
_NOT_ATTRIBUTES = {"moment", "consent"}


@dataclass(frozen=True)
class Vocabulary:
    """What the catalogue depends on.

    Attributes
    ----------
    columns : mapping of stream to the names of its columns
    levels : mapping of "stream.column" to the levels that get features of their own
    """

    columns: Mapping[str, tuple[str, ...]]
    levels: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, tables: Engine) -> Vocabulary:
        """Read it off the valid tables."""
        columns = {name: tuple(sorted(stream.columns)) for name, stream in sorted(tables.streams.items())}
        levels = {
            f"{stream}.{column}": tables.commonest(stream, column, MOST_LEVELS, customers=FEWEST_CUSTOMERS)
            for stream, column in PER_LEVEL
            if column in columns.get(stream, ())
        }
        return cls(columns, levels)

    def gives(self, feature: Feature) -> bool:
        """Whether the stream and the columns that a feature reads exist."""
        if feature.source is None:
            return True
        return feature.source in self.columns and feature.aggregate.columns() <= set(self.columns[feature.source])


def catalogue(vocabulary: Vocabulary) -> tuple[Feature, ...]:
    """Every feature whose stream and columns exist, family by family.

    Names are unique: a level or attribute of the data that would give a feature the name of another one, as the kind
    "usage" gives ``usage_30d``, gets its source before the name, ``engagement_usage_30d``.
    """
    features: dict[str, Feature] = {}
    for feature in _all(vocabulary):
        if vocabulary.gives(feature):
            name = feature.name
            while name in features or name in RESERVED:
                name = f"{feature.source}_{name}"
            features[name] = replace(feature, name=name)
    return tuple(features.values())


def _all(vocabulary: Vocabulary) -> Iterator[Feature]:
    for family in FAMILIES:
        yield from family.FEATURES
    taken = set()
    for (stream, column), declare in PER_LEVEL.items():
        for level in vocabulary.levels.get(f"{stream}.{column}", ()):
            word = re.sub(r"\W+", "_", level.lower()).strip("_")
            if word and (stream, column, word) not in taken:
                taken.add((stream, column, word))
                yield from declare(level, word)
    for name in vocabulary.columns.get("customers", ()):
        if name not in _NOT_ATTRIBUTES:
            yield attribute.per_attribute(name)


EVERYTHING = Vocabulary(
    columns={
        "orders": ("amount", "discount", "items", "margin"),
        "items": ("amount", "category"),
        "engagement": ("kind", "quantity"),
        "tickets": ("hours_to_resolve", "moment", "open_delta", "satisfaction", "severity", "topic"),
        "subscriptions": ("active_delta", "moment", "mrr", "mrr_delta", "plan", "term_end_day"),
        "surveys": ("score",),
        "contacts": ("action", "channel", "moment", "offer"),
        "customers": ("channel", "country", "moment"),
    },
    levels={
        "engagement.kind": ("app", "email_click", "email_open", "email_sent", "visit"),
        "tickets.severity": ("critical", "high", "low", "normal"),
        "tickets.topic": ("billing", "delivery", "product"),
    },
)
"""Every source with every column, and usual levels: what the catalogue can give at most."""


@cache
def name_of(role: Role) -> str:
    """What the feature is called that plays a role."""
    return next(feature.name for feature in catalogue(EVERYTHING) if feature.role == role)
