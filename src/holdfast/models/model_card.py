"""What one must know to use a model: what its answers mean, what it learnt from, and which code and data made it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from holdfast.errors import BundleError


@dataclass(frozen=True)
class ChurnDefinition:
    """When a customer counts as lost.

    Attributes
    ----------
    kind : str
        "no_order": places no order in the outcome window. "subscription_end": the last running subscription ends in
        it and is not renewed within ``grace_days``. "no_event": shows no engagement, or none of ``events``.
    signs_of_life : tuple of str or None
        "no_order": kinds of engagement by which one sees that a customer is still there; None for all but those whose
        name says that the business wrote.
    horizon_days, gap_days : float
        Length of the outcome window, and days between the cutoff and its beginning.
    """

    kind: str
    horizon_days: float
    gap_days: float = 0.0
    grace_days: float | None = None
    events: tuple[str, ...] | None = None
    signs_of_life: tuple[str, ...] | None = None


@dataclass(frozen=True)
class ValueDefinition:
    """What a customer is worth: "revenue", "margin" or "mrr", counted over so many days after cutoff and gap."""

    of: str
    horizon_days: float


@dataclass(frozen=True)
class PopulationDefinition:
    """Who counts as a customer at a cutoff: bought or active within so many days before it, or subscribed."""

    bought_within_days: float | None = None
    active_within_days: float | None = None
    subscribed: bool = False


@dataclass(frozen=True)
class TrainingRecord:
    """What a training learnt from and chose, for people to read.

    Attributes
    ----------
    cutoffs : tuple of str
        Training cutoffs, ISO 8601 in UTC.
    snapshots : int
    choice : mapping
        What the score is made of, the record of each candidate, and the calibration.
    sample : mapping or None
        How the snapshots were sampled, if they were.
    tuning : mapping or None
        The record of the search for better parameters, by score, if there was one.
    gives_up : str or None
        What a training of less than the full effort gave up.
    recipes : mapping of str to mapping
        Leaves and weight of the ridge that were chosen, by score.
    """

    cutoffs: tuple[str, ...]
    snapshots: int
    choice: Mapping[str, Any]
    sample: Mapping[str, Any] | None = None
    tuning: Mapping[str, Any] | None = None
    gives_up: str | None = None
    recipes: Mapping[str, Mapping[str, float]] | None = None


@dataclass(frozen=True)
class ModelCard:
    """Goes with every bundle.

    Attributes
    ----------
    name : str
        Of the registered model.
    churn, value, population :
        What ``p_churn`` and ``value`` speak of, and for whom.
    currency : str or None
        Of all amounts.
    columns, levels : mappings
        The columns of each source, and the levels that have features of their own, when the model was trained.
    own_features : mapping of str to str
        The features of the business itself, with a description of how each is computed.
    fingerprints : mapping of str to str
        SHA-256 of data, configuration and code.
    training : TrainingRecord or None
        Filled in by training.
    """

    name: str
    churn: ChurnDefinition
    value: ValueDefinition
    population: PopulationDefinition = PopulationDefinition()
    currency: str | None = None
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    own_features: Mapping[str, str] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    training: TrainingRecord | None = None

    def to_json(self) -> dict[str, Any]:
        """Every field by its name, as plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ModelCard:
        """Rebuild from :meth:`to_json`.

        Raises
        ------
        BundleError
            Fields are missing or unknown.
        """
        card = _record(cls, stored)
        training = card["training"]
        return cls(
            **{
                **card,
                "churn": ChurnDefinition(**_tupled(_record(ChurnDefinition, card["churn"]))),
                "value": ValueDefinition(**_record(ValueDefinition, card["value"])),
                "population": PopulationDefinition(**_record(PopulationDefinition, card["population"])),
                "columns": _tupled(card["columns"]),
                "levels": _tupled(card["levels"]),
                "training": None
                if training is None
                else TrainingRecord(**_record(TrainingRecord, {**training, "cutoffs": tuple(training["cutoffs"])})),
            }
        )


Record = TypeVar("Record")


def _record(of: type[Record], stored: Any) -> dict[str, Any]:
    wanted = {each.name for each in fields(of)}  # type: ignore[arg-type] # all of them are dataclasses
    if not isinstance(stored, Mapping) or set(stored) != wanted:
        raise BundleError(
            f"Wanted a {of.__name__} with {', '.join(sorted(wanted))}; found another. "
            "The bundle was changed by hand; copy it again, or train again."
        )
    return dict(stored)


def _tupled(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(each) if isinstance(each, list) else each for name, each in stored.items()}
