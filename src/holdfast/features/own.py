"""Features of your own business: from settings and records to the project's features.

Catalogue features come and go with the sources; a feature of your own is a promise, so whatever keeps it from being
built is an error.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Self

from holdfast.errors import ConfigError
from holdfast.features.catalogue import EVERYTHING, RESERVED, Vocabulary, catalogue
from holdfast.features.feature import Feature
from holdfast.features.modules import digests, import_modules
from holdfast.features.settings import FeatureSettings
from holdfast.history.aggregates import First, Last
from holdfast.history.conditions import Where
from holdfast.history.registry import COMPUTING
from holdfast.sources import Engine
from holdfast.sources.kinds import nearest
from holdfast.timeline import LIFETIME, Days

MOST_LEVELS_READ = 1_000  # a column with more is no list of words that one could misspell


@dataclass(frozen=True)
class OwnFeatures:
    """The features of one business, with what the code of its modules hashes to.

    Attributes
    ----------
    records : tuple of Feature
        Sorted by name.
    modules : tuple of (name, SHA-256)
        The modules that register own aggregates.
    """

    records: tuple[Feature, ...] = ()
    modules: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls,
        modules: Sequence[str],
        settings: Mapping[str, FeatureSettings],
        more: Iterable[Feature] = (),
        *,
        beside: Path,
    ) -> Self:
        """Import the modules, then declare what the settings say and add the records that Python gives.

        Raises
        ------
        ConfigError
            A module cannot be imported, a feature cannot be right, or two have one name.
        """
        import_modules(modules, beside)
        return cls(declared(settings, more), digests(modules))

    def fingerprint(self, code: str) -> str:
        """The fingerprint of all code that a model depends on, given that of the package."""
        if not self.records and not self.modules:
            return code
        whole: tuple[object, ...] = (code, self.modules, sorted(descriptions(self.records).items()))
        directions = [(record.name, record.risk) for record in self.records if record.risk is not None]
        if directions:
            whole += (directions,)
        return hashlib.sha256(repr(whole).encode()).hexdigest()


def declared(settings: Mapping[str, FeatureSettings], more: Iterable[Feature] = ()) -> tuple[Feature, ...]:
    """The records of all own features, from settings and from Python, sorted by name.

    Raises
    ------
    ConfigError
        One of them cannot be right, or two have one name.
    """
    records = [settings[name].declared_as(name) for name in settings]
    for feature in more:
        if not isinstance(feature, Feature):
            raise ConfigError(f"Wanted Feature records as own features, found {type(feature).__name__}.")
        records.append(feature)
    names = [record.name for record in records]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"features: wanted one feature per name, found {', '.join(twice)} twice. Rename one of them.")
    for record in records:
        _require_true_name(record)
    return tuple(sorted(records, key=lambda record: record.name))


def _require_true_name(record: Feature) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", record.name):
        raise ConfigError(
            f"features.{record.name}: wanted a name in lower-case letters, digits and underscores that begins with a "
            "letter. Rename it."
        )
    said = re.search(r"_(\d+)d$", record.name)
    if said and record.window != Days(int(said[1])):
        found = "a lifetime" if record.window == LIFETIME else f"{record.window.count:g} days"
        raise ConfigError(
            f"features.{record.name}: the name says {said[1]} days, the window is {found}. Rename it, or correct the "
            "window."
        )


def together(vocabulary: Vocabulary, own: Sequence[Feature], taken: Collection[str] = ()) -> tuple[Feature, ...]:
    """The catalogue's features that the sources give, and all own ones behind them.

    Parameters
    ----------
    own : sequence of Feature
        As :func:`declared` gives them.
    taken : collection of str
        Further names that an own feature may not have.

    Raises
    ------
    ConfigError
        An own feature has the name of another one or of a column of the table, or reads a source or column that is not
        mapped.
    """
    given = catalogue(vocabulary)
    names = {feature.name for feature in (*given, *catalogue(EVERYTHING))} | RESERVED | set(taken)
    for record in own:
        if record.name in names:
            raise ConfigError(
                f"features.{record.name}: this name is taken by the catalogue or by the table itself. Choose another "
                "one; `holdfast features list` shows the names of the catalogue."
            )
        if not vocabulary.gives(record):
            raise ConfigError(_not_there(record, vocabulary))
    return (*given, *own)


def _not_there(record: Feature, vocabulary: Vocabulary) -> str:
    if record.source is None or record.source not in vocabulary.columns:
        return (
            f"features.{record.name}: wanted the source '{record.source}', found {', '.join(vocabulary.columns)}. "
            "Map it under sources, or remove the feature."
        )
    there = vocabulary.columns[record.source]
    absent = sorted(record.aggregate.columns() - set(there))
    return (
        f"features.{record.name}: '{record.source}' has no column {absent[0]!r}{nearest(absent[0], there)}. "
        f"It has {', '.join(there) or 'no columns'}. Map it under sources, or correct the feature."
    )


def require_sensible(tables: Engine, own: Iterable[Feature]) -> None:
    """Refuse own features that read texts as numbers, or wait for a text that no event has.

    Meant for training; an export to score may lack a rare level. Features that :func:`together` accepts are wanted.

    Raises
    ------
    ConfigError
        Names the feature, the column and what it holds.
    """
    levels: dict[tuple[str, str], tuple[str, ...]] = {}
    for record in own:
        if record.source is None:
            continue
        for leaf in found_in(record.aggregate, COMPUTING):
            _require_kind(tables, record, leaf.column, "number", f"{type(leaf).__name__} computes with it")
        if isinstance(record.aggregate, First | Last):
            wanted = "category" if record.is_category else "number"
            _require_kind(tables, record, record.aggregate.column, wanted, f"the unit is {record.unit}")
        for where in found_in(record.aggregate, (Where,)):
            wanted = "category" if isinstance(where.value, str) else "number"
            _require_kind(tables, record, where.column, wanted, f"the condition compares it with a {wanted}")
            if isinstance(where.value, str):
                place = (record.source, where.column)
                if place not in levels:
                    levels[place] = tables.commonest(*place, MOST_LEVELS_READ)
                _require_level(record.name, where, levels[place])


def _require_kind(tables: Engine, record: Feature, column: str, wanted: str, why: str) -> None:
    words = {True: "texts", False: "numbers"}
    texts = tables.streams[str(record.source)].columns[column] == "category"
    if texts != (wanted == "category"):
        raise ConfigError(
            f"features.{record.name}: wanted {words[not texts]} in the column '{column}' of '{record.source}', because "
            f"{why}; found {words[texts]}. Correct the feature."
        )


def _require_level(name: str, where: Where, levels: Sequence[str]) -> None:
    if len(levels) < MOST_LEVELS_READ and where.value not in levels:
        raise ConfigError(
            f"features.{name}: no event has {where.column} == {where.value!r}{nearest(str(where.value), levels)}; the "
            f"column holds {len(levels)} different texts. Correct the condition, or remove the feature until there are "
            "such events."
        )


def found_in(record: Any, kinds: tuple[type[Any], ...]) -> list[Any]:
    """Every record of some kinds inside a nest or list of records, such as the conditions of an aggregate."""
    found = [record] if isinstance(record, kinds) else []
    if isinstance(record, list | tuple):
        return found + [each for member in record for each in found_in(member, kinds)]
    if is_dataclass(record) and not isinstance(record, type):
        found += [each for member in fields(record) for each in found_in(getattr(record, member.name), kinds)]
    return found


def descriptions(own: Iterable[Feature]) -> dict[str, str]:
    """How each own feature is computed, as a text: a bundle keeps it, to notice that a definition has changed."""
    return {
        record.name: repr((record.source, record.aggregate, record.window.count, record.when_empty)) for record in own
    }
