"""What to build of each customer: population, cutoffs, features and labels, as one declaration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from holdfast.errors import ConfigError
from holdfast.features import build as features_room
from holdfast.features.catalogue import RESERVED
from holdfast.features.feature import Feature
from holdfast.history.arrays import Indices, Numbers
from holdfast.history.chunk import Chunk
from holdfast.history.stream import Window, past
from holdfast.labels import EVENT, LABELS, SIGNS, LabelSettings, label, label_names, reads_signs
from holdfast.labels import needed as needed_by_labels
from holdfast.sampling import WEIGHT, Sampler
from holdfast.snapshots.population import PopulationSettings
from holdfast.sources import Engine
from holdfast.timeline import Instants

CELLS_PER_CHUNK = 6_000_000


@dataclass(frozen=True)
class Snapshots:
    """What to build of each customer, wherever the customers are: a declaration that travels to the data.

    Attributes
    ----------
    features : tuple of Feature
    population : PopulationSettings
    cutoffs : tuple of int
        Instants in microseconds, earliest first.
    labels : LabelSettings or None
        None for scoring, where the outcome is not known yet.
    sampler : Sampler or None
        Of labelled snapshots, those only are built that it may keep; who had left when the outcome window began is not
        among them.
    observed_until : int or None
        The last instant up to which the sources tell what happened; a value that is not complete by then is missing.
    """

    features: tuple[Feature, ...]
    population: PopulationSettings
    cutoffs: tuple[int, ...]
    labels: LabelSettings | None = None
    sampler: Sampler | None = None
    observed_until: int | None = None

    @classmethod
    def of(
        cls,
        features: Iterable[Feature],
        population: PopulationSettings,
        cutoffs: Iterable[int],
        labels: LabelSettings | None = None,
    ) -> Snapshots:
        """With the cutoffs in order, each once.

        Raises
        ------
        ConfigError
            Two features have one name.
        """
        listed = tuple(features)
        _require_own_names(listed)
        return cls(listed, population, tuple(sorted({int(cutoff) for cutoff in cutoffs})), labels)

    def wanted(self, tables: Engine) -> dict[str, set[str]]:
        """The columns to read per stream.

        Raises
        ------
        ConfigError
            A source or column that the population, the features or the labels need is not mapped.
        """
        return _wanted(tables, self.features, self.population, self.labels)

    def __call__(self, chunk: Chunk) -> pd.DataFrame:
        """The snapshots of a chunk's customers, in order of customer and cutoff.

        Returns
        -------
        DataFrame
            ``customer_id`` (text), ``cutoff`` (int64 microseconds), one column per feature, and with labels
            ``churned``, ``future_value``, ``treated``, the signs of life where no contract tells, and
            ``days_to_event`` if the labels look ahead.
        """
        at = np.array(self.cutoffs, dtype=np.int64)
        customers, cutoffs = np.repeat(np.arange(chunk.customers), at.size), np.tile(at, chunk.customers)
        stream, rule, window = self.population.rule()
        view = past(chunk.streams[stream], customers, cutoffs)
        members = np.flatnonzero(rule(view, Window.before(window)) > 0)
        customers, cutoffs = customers[members], cutoffs[members]
        outcome = {} if self.labels is None else self._outcome(self.labels, chunk, customers, cutoffs)
        if self.sampler is not None:
            stayed = np.flatnonzero(~np.isnan(outcome["churned"]))
            who, when = chunk.ids.take(customers[stayed]), cutoffs[stayed]
            asked = pd.DataFrame({"customer_id": who, "cutoff": when, "churned": outcome["churned"][stayed]})
            kept = stayed[self.sampler.keeps(asked)]
            members, customers, cutoffs = members[kept], customers[kept], cutoffs[kept]
            outcome = {name: values[kept] for name, values in outcome.items()}
        views = {stream: view.among(members)}
        built = features_room.build(self.features, chunk.streams, customers, cutoffs, views)
        columns = {"customer_id": chunk.ids.take(customers), "cutoff": cutoffs, **built, **outcome}
        return pd.DataFrame(columns, copy=False)

    def _outcome(
        self, labels: LabelSettings, chunk: Chunk, customers: Indices, cutoffs: Instants
    ) -> dict[str, Numbers]:
        found = label(labels, chunk.streams, customers, cutoffs)
        if self.observed_until is not None:
            complete = cutoffs + labels.complete_after.microseconds <= self.observed_until
            found["future_value"] = np.where(complete, found["future_value"], np.nan)
        return found

    @property
    def columns(self) -> dict[str, str]:
        """The columns' types as pandas names them, in their order."""
        types = {pa.string(): "str", pa.int64(): "int64", pa.float64(): "float64"}
        return {field.name: types[field.type] for field in self.schema}

    @property
    def schema(self) -> pa.Schema:
        """The columns' types as Arrow names them, in their order."""
        fields = [pa.field("customer_id", pa.string()), pa.field("cutoff", pa.int64())]
        fields += [
            pa.field(feature.name, pa.string() if feature.is_category else pa.float64()) for feature in self.features
        ]
        names = () if self.labels is None else label_names(self.labels)
        return pa.schema(fields + [pa.field(name, pa.float64()) for name in names])

    @property
    def customers_per_chunk(self) -> int:
        """So many that the snapshots of a chunk stay small beside its events."""
        return max(1, CELLS_PER_CHUNK // (len(self.cutoffs) * (len(self.features) + 8)))


def _require_own_names(features: Sequence[Feature]) -> None:
    counts = Counter(feature.name for feature in features)
    wrong = sorted(name for name, count in counts.items() if count > 1 or name in RESERVED)
    if wrong:
        raise ConfigError(
            f"Wanted features with names of their own, found {', '.join(wrong)} twice or taken by the table itself. "
            "Rename them."
        )


def _wanted(
    tables: Engine, features: Sequence[Feature], population: PopulationSettings, labels: LabelSettings | None
) -> dict[str, set[str]]:
    """The columns to read per stream, checked against what there is."""
    stream, rule, _ = population.rule()
    asked = [("The population", {stream: set(rule.columns())}), ("The features", features_room.needed(features))]
    if labels is not None:
        asked.append(("The definition of churn and value", needed_by_labels(labels)))
        if "contacts" in tables.streams:
            asked.append(("The treatment flag", {"contacts": {"moment"}}))
        there = {name: stream.columns for name, stream in tables.streams.items()}
        asked.append(("The signs of life", reads_signs(labels.churn, there)))
    wanted: dict[str, set[str]] = {}
    for who, needs in asked:
        for name, columns in needs.items():
            found = set(tables.streams[name].columns) if name in tables.streams else set()
            if name not in tables.streams or not columns <= found:
                raise ConfigError(
                    f"{who} needs {', '.join(sorted(columns)) or 'events'} in '{name}', "
                    f"found {', '.join(sorted(found)) or 'no such source'}. "
                    f"Map it under sources.{name}; configured are {', '.join(sorted(tables.streams))}."
                )
            wanted.setdefault(name, set()).update(columns)
    return wanted


def feature_columns(table: pd.DataFrame) -> list[str]:
    """The names of the columns that a model may see."""
    return [name for name in table.columns if name not in {"customer_id", "cutoff", WEIGHT, *LABELS, *SIGNS, EVENT}]
