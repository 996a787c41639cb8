"""What a stored model knows of each of its features, whatever computed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from holdfast.errors import BundleError

Dtype = Literal["number", "category"]
Direction = Literal["rises", "falls"]
InLearning = Literal[
    "order_days", "days_since_order", "days_since_first_order", "spend", "season_sine", "season_cosine"
]
Amount = Literal["orders", "orders_of_a_year", "spend_of_a_year", "mrr", "engagement", "active_days", "tickets_open"]
Age = Literal["days_since_signup", "days_since_first_engagement", "subscription_tenure"]
Silence = Literal["days_since_engagement", "days_since_renewal", "days_since_contact"]
Overdue = Literal["order_overdue", "engagement_overdue"]
Role = Literal[InLearning, Amount, Age, Silence, Overdue]
"""The part of its own that a feature plays, beside being one among many; others ask for it by this and not by name.

``order_days``, ``days_since_order`` and ``days_since_first_order`` are a customer's history of purchases, ``spend``
what they brought so far, net of refunds; ``season_sine`` and ``season_cosine`` tell the time of the year. The rest
serve baselines, contact rules and stages.
"""


@dataclass(frozen=True)
class FeatureRecord:
    """One column of the matrix.

    Attributes
    ----------
    name : str
    dtype : "number" or "category"
    unit : str
        Such as "days", "currency", "share".
    meaning : str
        A sentence without subject, with ``{value}`` where the value belongs.
    family : str
        Features of one family make one reason; what follows a colon is a part of it.
    window_days : float or None
        How far back it looks; None for a whole life.
    when_empty : float or None
        The value where there is nothing to compute from; None says "unknown".
    when_missing : str
        What to say of a missing value.
    actionable : bool
        Whether somebody could do something about it.
    risk : "rises", "falls" or None
        The risk never falls, or never rises, with it.
    role : Role or None
    accumulates : bool
        Whether it grows with the history at hand: a count or sum of orders without a window, or the time since the
        first one.
    categories : tuple of str
        Of a category: those that training has seen; their places are the numbers that the models read.
    """

    name: str
    dtype: Dtype = "number"
    unit: str = "score"
    meaning: str = "{value}"
    family: str = "other"
    window_days: float | None = None
    when_empty: float | None = None
    when_missing: str = ""
    actionable: bool = False
    risk: Direction | None = None
    role: Role | None = None
    accumulates: bool = False
    categories: tuple[str, ...] = ()

    @property
    def is_category(self) -> bool:
        """Whether its values are texts."""
        return self.dtype == "category"

    def to_json(self) -> dict[str, Any]:
        """Every field by its name, as plain JSON."""
        return asdict(self) | {"categories": list(self.categories)}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> FeatureRecord:
        """Rebuild from :meth:`to_json`.

        Raises
        ------
        BundleError
            Fields are missing, unknown or of another type.
        """
        wanted = {field.name for field in fields(cls)}
        if not isinstance(stored, Mapping) or set(stored) != wanted or not _sound(stored):
            raise BundleError(
                f"Wanted a feature record with {', '.join(sorted(wanted))}, each of its type; found another. "
                "The bundle was changed by hand; copy it again, or train again."
            )
        return cls(**{**stored, "categories": tuple(stored["categories"])})


def _sound(stored: Mapping[str, Any]) -> bool:
    texts = all(isinstance(stored[name], str) for name in ("name", "unit", "meaning", "family", "when_missing"))
    numbers = all(
        stored[name] is None or (isinstance(stored[name], int | float) and not isinstance(stored[name], bool))
        for name in ("window_days", "when_empty")
    )
    flags = all(isinstance(stored[name], bool) for name in ("actionable", "accumulates"))
    words = (
        stored["dtype"] in get_args(Dtype)
        and stored["risk"] in (None, *get_args(Direction))
        and stored["role"] in (None, *get_args(Role))
    )
    categories = isinstance(stored["categories"], list) and all(isinstance(each, str) for each in stored["categories"])
    return texts and numbers and flags and words and categories


def place_of(role: Role, features: Sequence[FeatureRecord]) -> int | None:
    """The column of the feature that plays a role; None if none does."""
    return next((i for i, feature in enumerate(features) if feature.role == role), None)


def places_of(roles: Sequence[Role], features: Sequence[FeatureRecord]) -> tuple[int, ...]:
    """The columns of the features that play these roles; none unless every role is played."""
    found = [place_of(role, features) for role in roles]
    return tuple(place for place in found if place is not None) if None not in found else ()
