"""What one must say of a RelBench task so that we can predict it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from holdfast.labels import ChurnSettings, ValueSettings
from holdfast.snapshots import PopulationSettings


@dataclass(frozen=True)
class Mapped:
    """How the tables of a database become our sources.

    Attributes
    ----------
    reads : mapping of table to its columns
        What the queries may name; columns that are not listed are not touched.
    sources : mapping of kind of source to SQL
        One SELECT over these tables, in the dialect of DuckDB, that names its columns as ours. ``customer_id`` is the
        entity; rows without it are left out. One is for ``customers``; its columns that are none of ours are static
        attributes.
    """

    reads: Mapping[str, tuple[str, ...]]
    sources: Mapping[str, str]


@dataclass(frozen=True)
class OwnWords:
    """A task in the words of our configuration, so that we find its rows and labels at any seed time.

    Attributes
    ----------
    population : PopulationSettings
        Which entities are asked about at a seed time.
    label : ChurnSettings or ValueSettings
        What their label is.
    inverted : bool
        The label is 1 for those who stay.
    """

    population: PopulationSettings
    label: ChurnSettings | ValueSettings
    inverted: bool = False


@dataclass(frozen=True)
class Declaration:
    """A task that we can predict.

    Attributes
    ----------
    dataset, task : str
        As RelBench names them, such as ``rel-hm`` and ``user-churn``.
    kind : "classification" or "regression"
        Predicted is a probability, or the median of what may come, since RelBench counts absolute errors.
    mapped : Mapped
    words : OwnWords, optional
        With them, more seed times than RelBench's own can be learnt from.
    """

    dataset: str
    task: str
    kind: Literal["classification", "regression"]
    mapped: Mapped
    words: OwnWords | None = None
