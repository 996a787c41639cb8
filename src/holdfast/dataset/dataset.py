"""From settings to data that a model can learn from: tables on an engine, features, snapshots, audit."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from holdfast.audit import Audit, audit
from holdfast.dataset.results import Built, Checked
from holdfast.dataset.settings import DatasetSettings
from holdfast.errors import ConfigError, DataError
from holdfast.features.catalogue import Vocabulary
from holdfast.features.directions import directed, require_there
from holdfast.features.feature import Feature
from holdfast.features.own import OwnFeatures, require_sensible, together
from holdfast.labels import LabelSettings
from holdfast.partitioned import Columns, no_rows
from holdfast.progress import SILENT, Progress
from holdfast.sampling import Drawn
from holdfast.settings import expanded
from holdfast.snapshots import (
    PopulationSettings,
    Snapshots,
    build_snapshots,
    require_members,
    snapshot_parts,
    training_cutoffs,
    write_snapshots,
)
from holdfast.sources import Engine, open_engine
from holdfast.timeline import Days, instant, show

_MOST_RECENT = 100_000
MOST_BEHIND = Days(7)  # the data may end so long before the instant to score at


class Dataset:
    """What settings make of raw tables.

    Parameters
    ----------
    base : Path
        Folder that relative paths start from.
    frames : mapping of name to pandas or Arrow table
        For sources that say ``frame: name``.
    features : sequence of Feature
        Features of your own, beside those of the settings.
    taken : collection of str
        Further names that no own feature may have.
    """

    def __init__(
        self,
        settings: DatasetSettings,
        base: Path,
        *,
        frames: Mapping[str, Any] | None = None,
        features: Sequence[Feature] = (),
        taken: Collection[str] = (),
        progress: Progress = SILENT,
    ) -> None:
        self.settings = settings
        self.base = base
        self.frames = frames or {}
        self._taken = taken
        self.progress = progress
        self._keep: Path | None = None
        self._audits: dict[int, Audit] = {}
        self.own = OwnFeatures.of(settings.modules, settings.features, features, beside=base)

    def close(self) -> None:
        """Close the tables and delete their temporary files."""
        if "tables" in self.__dict__:
            self.tables.close()
            del self.__dict__["tables"]

    @cached_property
    def tables(self) -> Engine:
        """The validated sources, opened when first needed."""
        settings = self.settings
        return open_engine(
            settings.engine,
            settings.sources,
            settings.spark,
            base=self.base,
            currency=settings.currency,
            frames=self.frames,
            keep=self._keep,
            progress=self.progress,
        )

    @contextmanager
    def from_store(self) -> Iterator[None]:
        """Within, rows that the store has are not read again; tables that are open already are used as they are.

        Whoever needs the tables after it has them read whole, because an audit must see every raw row.
        """
        if self.settings.store is None or "tables" in self.__dict__:
            yield
            return
        self._keep = (self.base / Path(expanded(self.settings.store, "store")).expanduser()).resolve()
        self._require_apart(self._keep)
        try:
            yield
        finally:
            self._keep = None
            self.close()

    def _require_apart(self, folder: Path) -> None:
        """Refuse a store inside a folder that a source reads: its files would be taken for raw ones."""
        for name, source in self.settings.sources.items():
            if source.path is None:
                continue
            before_glob = re.split(r"[*?\[]", expanded(source.path, f"sources.{name}.path"))[0]
            read = (self.base / Path(before_glob).expanduser()).resolve()
            if folder == read or read in folder.parents:
                raise ConfigError(
                    f"Wanted a store apart from the sources; found store '{self.settings.store}' inside "
                    f"sources.{name}.path '{source.path}', whose files would be mixed with it. Name another folder."
                )

    def check(self, *, audit: bool = False, rejects: Path | None = None) -> Checked:
        """Read and validate the sources; optionally audit the training table, and write the rejected rows."""
        tables = self.tables
        if rejects is not None:
            tables.write_rejects(rejects)
        if self.own.records or self.settings.training.directions:
            self._sensible_features()
        return Checked(
            tables.report,
            self.settings.most_rejected,
            show(tables.data_from),
            show(tables.data_until),
            tables.customer_count,
            tuple(tables.unknown_time_attributes),
            rejects,
            self.audit() if audit else None,
        )

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """What the catalogue depends on, read off the sources."""
        return Vocabulary.of(self.tables)

    def features(self) -> tuple[Feature, ...]:
        """Every feature that these sources can give, the own ones last."""
        given = together(self.vocabulary, self.own.records, self._taken)
        return directed(given, self.settings.training.directions)

    def _sensible_features(self) -> tuple[Feature, ...]:
        """The same, once nothing that was declared of them is a mistake."""
        features = self.features()
        require_there(features, self.settings.training.directions)
        require_sensible(self.tables, self.own.records)
        return features

    def snapshots(self, as_of: str | None = None) -> pd.DataFrame:
        """One row per customer of the population and training or test cutoff, with features and labels.

        Where they are more than ``training.most_snapshots``, the sample that training reads, with ``sample_weight``.

        Parameters
        ----------
        as_of : str, optional
            Stand at this instant instead: what was known then, without labels, as scoring builds it.
        """
        if as_of is None:
            return self.training_snapshots.copy()
        cutoff = instant(as_of)
        self.require_known(cutoff)
        return self.built(self.features(), [cutoff])

    @cached_property
    def training_snapshots(self) -> pd.DataFrame:
        """The labelled table, or the sample of it, that training, audit and backtest read."""
        settings, (features, cutoffs) = self.settings, self._training()
        return self.built(features, cutoffs, settings.labels)

    def _training(self) -> tuple[tuple[Feature, ...], list[int]]:
        """The features and cutoffs to train with, from sources that are sound."""
        settings = self.settings
        self.tables.report.require(settings.most_rejected)
        return self._sensible_features(), training_cutoffs(settings.cutoffs, self.tables, settings.labels)

    def built(
        self, features: Sequence[Feature], cutoffs: Sequence[int], labels: LabelSettings | None = None
    ) -> pd.DataFrame:
        """Snapshots in memory, at most as many as training reads."""
        settings = self.settings
        return build_snapshots(
            self.tables,
            features,
            population=settings.population,
            cutoffs=cutoffs,
            labels=labels,
            most=settings.training.most_snapshots,
            seed=settings.seed,
            progress=self.progress,
        )

    def recent(self) -> pd.DataFrame:
        """The population at the end of the data, without outcomes; where it is large, a seeded share of it."""
        settings, now = self.settings, self.tables.data_until + 1
        share = _MOST_RECENT / max(self.tables.customer_count, 1)
        # Where nobody is a customer any more, what can be learnt of the past is learnt.
        return self.everyone(self.features(), [now], Drawn(share, settings.seed), perhaps_nobody=True)

    def everyone(
        self,
        features: Sequence[Feature],
        cutoffs: Sequence[int],
        work: Callable[[pd.DataFrame], pd.DataFrame],
        columns: Columns | None = None,
        *,
        population: PopulationSettings | None = None,
        perhaps_nobody: bool = False,
    ) -> pd.DataFrame:
        """What some work says of the whole population at cutoffs, piece by piece of its snapshots, in memory.

        Parameters
        ----------
        columns : mapping of name to type, optional
            What the work gives; as the snapshots have them if not given.
        population : PopulationSettings, optional
            Another one than the configuration's.
        perhaps_nobody : bool
            A population without customers is no error.
        """
        snapshots = Snapshots.of(features, population or self.settings.population, cutoffs)
        columns = snapshots.columns if columns is None else columns
        parts = snapshot_parts(self.tables, snapshots, progress=self.progress).map(work, columns)
        found = pd.concat([no_rows(columns), *parts.frames()], ignore_index=True)
        if not perhaps_nobody:
            require_members(len(found), self.tables, snapshots)
        return found

    def write_snapshots(self, path: Path) -> Built:
        """Write the labelled table, all of it, as one Parquet file, whole or not at all."""
        settings, (features, cutoffs) = self.settings, self._training()
        snapshots = Snapshots.of(features, settings.population, cutoffs, settings.labels)
        written = write_snapshots(self.tables, snapshots, path, progress=self.progress)
        return Built(path, written.rows, len(features), [show(cutoff) for cutoff in snapshots.cutoffs])

    def audit(self, *, cutoffs: int | None = None) -> Audit:
        """Look for knowledge of the future in the labelled table; at most at so many cutoffs build it again."""
        settings = self.settings
        most = settings.audit.cutoffs if cutoffs is None else min(cutoffs, settings.audit.cutoffs)
        if most not in self._audits:
            self._audits[most] = audit(
                self.tables,
                self.training_snapshots,
                self.features(),
                population=settings.population,
                labels=settings.labels,
                settings=settings.audit.model_copy(update={"cutoffs": most}),
                progress=self.progress,
            )
        return self._audits[most]

    def require_known(self, cutoff: int) -> None:
        """Refuse to score at an instant that the data does not reach: recent events would be missing unnoticed."""
        latest = self.tables.data_until + MOST_BEHIND.microseconds
        if cutoff > latest or cutoff <= self.tables.data_from:
            raise DataError(
                f"Wanted to score as of {show(cutoff)}, found data from {show(self.tables.data_from)} to "
                f"{show(self.tables.data_until)}. Load newer data, or score at an instant up to {show(latest)}."
            )
