"""Population, cutoffs, features and labels, put together: one row per customer and cutoff."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
from pydantic import Field, model_validator

from holdfast.errors import ConfigError, DataError
from holdfast.features import build as features_room
from holdfast.features.catalogue import RESERVED
from holdfast.features.feature import Feature
from holdfast.history.aggregates import Count, Sum
from holdfast.history.duck import EVENTS_PER_CHUNK, Chunk, worked
from holdfast.history.spark import collected, run
from holdfast.history.stream import Where, Window, past
from holdfast.labels import LABELS, LabelSettings, label
from holdfast.labels import needed as needed_by_labels
from holdfast.progress import SILENT, Progress
from holdfast.sampling import WEIGHT
from holdfast.settings import Settings
from holdfast.sources import DuckTables, Tables
from holdfast.sources.spark import SparkTables
from holdfast.sources.spark.session import DataFrame
from holdfast.timeline import LIFETIME, Days, every, instant, month_starts, show

CELLS_PER_CHUNK = 16_000_000


class PopulationSettings(Settings):
    """Who counts as a customer at a cutoff: exactly one of the three."""

    bought_within_days: float | None = Field(
        default=None, gt=0, le=1_000_000, description="Placed an order in so many days before the cutoff."
    )
    active_within_days: float | None = Field(
        default=None, gt=0, le=1_000_000, description="Showed any engagement in so many days before it."
    )
    subscribed: bool = Field(default=False, description="Has a running subscription at the cutoff.")

    @model_validator(mode="after")
    def _exactly_one(self) -> PopulationSettings:
        if sum((self.bought_within_days is not None, self.active_within_days is not None, self.subscribed)) != 1:
            raise ValueError("give exactly one of bought_within_days, active_within_days, subscribed: true")
        return self

    def rule(self) -> tuple[str, Count | Sum, Days]:
        """Stream, aggregate and window; a customer belongs where the aggregate is above 0."""
        if self.bought_within_days is not None:
            return "orders", Count(Where("amount", ">=", 0.0)), Days(self.bought_within_days)
        if self.active_within_days is not None:
            return "engagement", Count(), Days(self.active_within_days)
        return "subscriptions", Sum("active_delta"), LIFETIME


class CutoffSettings(Settings):
    """At which instants to stand for training and testing."""

    every: Literal["month"] | Annotated[float, Field(ge=1, le=36_525)] = Field(
        description="month: the first of each month. A number: so many days apart, in step with the last test cutoff."
    )
    first: date | datetime = Field(description="No training cutoff before this; leave room for a window you trust.")
    test: tuple[date | datetime, ...] = Field(min_length=1, description="Cutoffs of the backtest.")


def observed_until(tables: Tables, labels: LabelSettings) -> int:
    """The last instant up to which the sources of the labels tell what happened.

    A source that stops early (orders of last month are not loaded yet, tickets of today are) would otherwise look like
    customers who all stopped buying.
    """
    ends = [tables.until(stream) for stream in needed_by_labels(labels) if stream in tables.streams]
    return min((end for end in ends if end is not None), default=tables.data_until)


def complete_until(tables: Tables, labels: LabelSettings) -> int:
    """The last instant at which a cutoff's labels are complete in the data."""
    return observed_until(tables, labels) - labels.complete_after.microseconds


def require_complete(cutoffs: Iterable[int], tables: Tables, labels: LabelSettings) -> None:
    """Refuse cutoffs whose outcome is still open.

    Raises
    ------
    DataError
        Names the first such cutoff and the date from which it can be used.
    """
    until, last = observed_until(tables, labels), complete_until(tables, labels)
    way_out = f"take a cutoff no later than {show(last)}" if last > tables.data_from else "shorten the horizon"
    for cutoff in sorted(cutoffs):
        ready = cutoff + labels.complete_after.microseconds
        if ready > until:
            raise DataError(
                f"Cutoff {show(cutoff)} needs {labels.complete_after.count:g} days of outcome; the data of "
                f"{' and '.join(needed_by_labels(labels))} ends at {show(until)}. "
                f"Use it from {show(ready)} on, when its outcome is complete, or {way_out}."
            )
        if cutoff <= tables.data_from:
            raise DataError(
                f"Cutoff {show(cutoff)} lies before the first event of the data ({show(tables.data_from)}). "
                "Take a later cutoff, or add older data."
            )


def training_cutoffs(settings: CutoffSettings, tables: Tables, labels: LabelSettings) -> list[int]:
    """Every complete cutoff from the first on, and those to test on; earliest first.

    Raises
    ------
    DataError
        The outcome of a test cutoff is not complete in the data.
    ConfigError
        No cutoff remains to train on.
    """
    tests = [instant(at) for at in settings.test]
    require_complete(tests, tables, labels)
    first, last = max(instant(settings.first), tables.data_from + 1), complete_until(tables, labels)
    if settings.every == "month":
        regular = month_starts(first, last)
    else:
        step = Days(settings.every).microseconds
        regular = every(settings.every, first, max(tests) + (last - max(tests)) // step * step)
    if not any(cutoff < min(tests) for cutoff in regular):
        raise ConfigError(
            f"Wanted training cutoffs from cutoffs.first ({show(first)}) up to the first test cutoff "
            f"({show(min(tests))}), found none; the last cutoff with a complete outcome is {show(last)}. "
            "Begin earlier, test later, or shorten the horizon."
        )
    return sorted({*regular, *tests})


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
    """

    features: tuple[Feature, ...]
    population: PopulationSettings
    cutoffs: tuple[int, ...]
    labels: LabelSettings | None = None

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

    def wanted(self, tables: Tables) -> dict[str, set[str]]:
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
            ``churned``, ``future_value``, ``treated``.
        """
        at = np.array(self.cutoffs, dtype=np.int64)
        customers, cutoffs = np.repeat(np.arange(chunk.customers), at.size), np.tile(at, chunk.customers)
        stream, rule, window = self.population.rule()
        view = past(chunk.streams[stream], customers, cutoffs)
        members = np.flatnonzero(rule(view, Window.before(window)) > 0)
        customers, cutoffs = customers[members], cutoffs[members]
        columns: dict[str, object] = {"customer_id": chunk.ids.take(customers), "cutoff": cutoffs}
        views = {stream: view.among(members)}
        columns |= features_room.build(self.features, chunk.streams, customers, cutoffs, views)
        if self.labels is not None:
            columns |= label(self.labels, chunk.streams, customers, cutoffs)
        return pd.DataFrame(columns, copy=False)

    @property
    def schema(self) -> pa.Schema:
        """The types of the columns, in their order."""
        fields = [pa.field("customer_id", pa.string()), pa.field("cutoff", pa.int64())]
        fields += [
            pa.field(feature.name, pa.string() if feature.is_category else pa.float64()) for feature in self.features
        ]
        return pa.schema(fields + [pa.field(name, pa.float64()) for name in LABELS if self.labels is not None])

    @property
    def customers_per_chunk(self) -> int:
        """So many that the snapshots of a chunk stay small beside its events."""
        return max(1, CELLS_PER_CHUNK // (len(self.cutoffs) * (len(self.features) + 8)))


def snapshots_on_spark(
    tables: SparkTables, snapshots: Snapshots, *, events_per_chunk: int = EVENTS_PER_CHUNK
) -> DataFrame:
    """The same rows as :func:`snapshot_frames`, left on the executors, in no stated order."""
    return run(
        tables,
        snapshots.wanted(tables),
        snapshots,
        snapshots.schema,
        events_per_chunk=events_per_chunk,
        customers_per_chunk=snapshots.customers_per_chunk,
    )


def snapshot_frames(
    tables: DuckTables | SparkTables,
    snapshots: Snapshots,
    *,
    events_per_chunk: int = EVENTS_PER_CHUNK,
    progress: Progress = SILENT,
) -> Iterator[pd.DataFrame]:
    """The snapshots piece by piece, in the order of customers: memory depends on the piece, not on the data.

    Rows of customers who had left when the outcome window began are still there, with ``churned`` missing.

    Raises
    ------
    ConfigError
        As :meth:`Snapshots.wanted`.
    """
    if isinstance(tables, SparkTables):
        rows = snapshots_on_spark(tables, snapshots, events_per_chunk=events_per_chunk)
        order = ("customer_id", "cutoff")
        yield from collected(tables, rows, order, label="Building features", progress=progress)
        return
    yield from worked(
        tables,
        snapshots.wanted(tables),
        snapshots,
        label="Building features",
        events_per_chunk=events_per_chunk,
        customers_per_chunk=snapshots.customers_per_chunk,
        progress=progress,
    )


def build_snapshots(
    tables: DuckTables | SparkTables,
    features: Sequence[Feature],
    *,
    population: PopulationSettings,
    cutoffs: Sequence[int],
    labels: LabelSettings | None = None,
    events_per_chunk: int = EVENTS_PER_CHUNK,
    progress: Progress = SILENT,
) -> pd.DataFrame:
    """One row per customer of the population and cutoff.

    Parameters
    ----------
    cutoffs : sequence of int
        Instants in microseconds.
    labels : LabelSettings or None
        None for scoring, where the outcome is not known yet.
    events_per_chunk : int
        Bounds memory; the table does not depend on it.

    Returns
    -------
    DataFrame
        As :class:`Snapshots` gives it, sorted by cutoff and customer. With labels, snapshots whose customer had left
        when the outcome window began are not there, and ``attrs["left_in_gap"]`` counts them.

    Raises
    ------
    ConfigError
        A source or column that the population, the features or the labels need is not mapped, or two features have
        one name.
    DataError
        Nobody belongs to the population.
    """
    snapshots = Snapshots.of(features, population, cutoffs, labels)
    frames = snapshot_frames(tables, snapshots, events_per_chunk=events_per_chunk, progress=progress)
    parts = [frame for frame in frames if len(frame)]
    require_members(sum(map(len, parts)), tables, snapshots)
    table = pd.concat(parts, ignore_index=True)
    complete = table["churned"].notna().to_numpy() if labels is not None else np.ones(len(table), dtype=bool)
    require_stayed(int(complete.sum()), len(table))
    rows = np.flatnonzero(complete)  # of customers in order, so a stable sort by cutoff is all that is missing
    table = table.take(rows[np.argsort(table["cutoff"].to_numpy()[rows], kind="stable")]).reset_index(drop=True)
    table.attrs["left_in_gap"] = len(complete) - len(rows)
    return table


def require_members(found: int, tables: Tables, snapshots: Snapshots) -> None:
    """Refuse a population without customers.

    Raises
    ------
    DataError
        Nobody belongs to the population.
    """
    if found == 0:
        raise DataError(
            f"Nobody belongs to the population at {', '.join(show(cutoff) for cutoff in snapshots.cutoffs)}: wanted "
            f"customers by {snapshots.population.model_dump(exclude_defaults=True)} in source "
            f"'{snapshots.population.rule()[0]}'. "
            f"The data covers {show(tables.data_from)} to {show(tables.data_until)}; check cutoffs and population."
        )


def require_stayed(stayed: int, members: int) -> None:
    """Refuse a table in which nobody was left to lose.

    Raises
    ------
    DataError
        Every customer had left when the outcome window began.
    """
    if stayed == 0:
        raise DataError(
            f"All {members:,} customers of the population had left before the outcome window began. "
            "Check churn.gap_days and the population."
        )


def _require_own_names(features: Sequence[Feature]) -> None:
    counts = Counter(feature.name for feature in features)
    wrong = sorted(name for name, count in counts.items() if count > 1 or name in RESERVED)
    if wrong:
        raise ConfigError(
            f"Wanted features with names of their own, found {', '.join(wrong)} twice or taken by the table itself. "
            "Rename them."
        )


def _wanted(
    tables: Tables, features: Sequence[Feature], population: PopulationSettings, labels: LabelSettings | None
) -> dict[str, set[str]]:
    """The columns to read per stream, checked against what there is."""
    stream, rule, _ = population.rule()
    asked = [("The population", {stream: set(rule.columns())}), ("The features", features_room.needed(features))]
    if labels is not None:
        asked.append(("The definition of churn and value", needed_by_labels(labels)))
        if "contacts" in tables.streams:
            asked.append(("The treatment flag", {"contacts": {"moment"}}))
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
    return [name for name in table.columns if name not in {"customer_id", "cutoff", WEIGHT, *LABELS}]
