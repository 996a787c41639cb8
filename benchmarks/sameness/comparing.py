"""Whether two folders of results hold the same rows, the same texts, and numbers that lie close together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

KEYS = ("customer_id", "cutoff", "figure")
INSTANTS = ("as_of", "cutoff")
"""Columns of instants, as microseconds or as text: a date is its midnight, however it is written."""

IGNORED = frozenset({"list_id", "model_version", "version", "run_id", "bytes", "sha256", "fingerprints"})
"""Columns and keys of JSON that two trainings or two states of the code are not to have in common."""

_NOT_COMPARED = frozenset({"made.json", "raw.json"})
_PICTURES = frozenset({".html", ".xlsx"})

Numbers = NDArray[np.float64]


@dataclass
class Compared:
    """What two tables have in common, and what not.

    Attributes
    ----------
    rows : int
        That both have.
    numbers, texts : int
        Cells that were compared.
    largest_difference : float
        Between two numbers; ``where`` names its column.
    unlike : dict
        Columns with different texts, or with a number on one side and none on the other, and in how many rows.
    only_old, only_new : list of str
        Columns, or a number of rows, that one side has alone.
    ignored : list of str
        Columns that are to differ.
    """

    rows: int = 0
    numbers: int = 0
    texts: int = 0
    largest_difference: float = 0.0
    where: str = ""
    lost_rows: int = 0
    new_rows: int = 0
    unlike: dict[str, int] = field(default_factory=dict)
    only_old: list[str] = field(default_factory=list)
    only_new: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def equal(self, tolerance: float) -> bool:
        """Whether the sides hold the same rows, the same texts, and numbers within a distance."""
        return not (self.unlike or self.lost_rows or self.new_rows) and self.largest_difference <= tolerance


def files(old: Path, new: Path) -> tuple[list[str], list[str], list[str]]:
    """Names of the tables that both folders have, and those that one has alone."""
    mine, theirs = ({path.name for path in folder.iterdir()} - _NOT_COMPARED for folder in (old, new))
    both = {name for name in mine & theirs if Path(name).suffix not in _PICTURES}
    return sorted(both), sorted(mine - theirs), sorted(theirs - mine)


def read(file: Path) -> pd.DataFrame:
    """A Parquet or CSV file, or the numbers of a JSON file as a table of ``figure`` and ``value``."""
    if file.suffix == ".parquet":
        return pd.read_parquet(file)
    if file.suffix == ".csv":
        return pd.read_csv(file, encoding="utf-8-sig", keep_default_na=False, float_precision="round_trip")
    figures = dict(_figures(json.loads(file.read_text(encoding="utf-8"))))
    return pd.DataFrame({"figure": list(figures), "value": list(figures.values())}).astype({"value": np.float64})


def compare(old: pd.DataFrame, new: pd.DataFrame) -> Compared:
    """Compare two tables cell by cell; rows that share all keys are compared in their order."""
    mine, theirs = ([str(name) for name in frame.columns] for frame in (old, new))
    shared = [name for name in mine if name in theirs]
    found = Compared(
        only_old=[name for name in mine if name not in shared],
        only_new=[name for name in theirs if name not in shared],
        ignored=[name for name in shared if name in IGNORED],
    )
    keys = [name for name in KEYS if name in shared]
    left, right = _by_key(old, keys), _by_key(new, keys)
    both = left.index.intersection(right.index)
    found.rows, found.lost_rows, found.new_rows = len(both), len(left) - len(both), len(right) - len(both)
    left, right = left.loc[both], right.loc[both]
    for name in shared:
        if name not in IGNORED and name not in keys:
            _compare(found, name, left[name], right[name])
    return found


def _by_key(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Rows under their keys and, where several share them, a number."""
    own: dict[str, Any] = {
        name: _instants(frame[name]) if name in INSTANTS else frame[name].astype(str) for name in keys
    }
    index = pd.DataFrame(own, index=frame.index)
    index["row"] = index.groupby(keys).cumcount() if keys else np.arange(len(index))
    return frame.set_index(pd.MultiIndex.from_frame(index))


def _compare(found: Compared, name: str, old: pd.Series[Any], new: pd.Series[Any]) -> None:
    if name in INSTANTS:
        old, new = _instants(old), _instants(new)
    if all(pd.api.types.is_numeric_dtype(side) for side in (old, new)):
        _compare_numbers(found, name, old.to_numpy(dtype=np.float64), new.to_numpy(dtype=np.float64))
    else:
        mine, theirs = (side.astype(object).where(side.notna(), None).to_numpy() for side in (old, new))
        _count(found, name, np.array([one != other for one, other in zip(mine, theirs, strict=True)], dtype=bool))
        found.texts += len(old)


def _compare_numbers(found: Compared, name: str, old: Numbers, new: Numbers) -> None:
    finite = np.isfinite(old) & np.isfinite(new)
    _count(found, name, ~(finite | (old == new) | (np.isnan(old) & np.isnan(new))))
    found.numbers += len(old)
    largest = float(np.abs(old[finite] - new[finite]).max(initial=0.0))
    if largest > found.largest_difference:
        found.largest_difference, found.where = largest, name


def _count(found: Compared, name: str, unlike: NDArray[np.bool_]) -> None:
    if unlike.any():
        found.unlike[name] = int(unlike.sum())


def _instants(column: pd.Series[Any]) -> pd.Series[Any]:
    """Microseconds since 1970, whether the column holds them, times, or texts in ISO 8601."""
    if pd.api.types.is_integer_dtype(column):
        return column
    return pd.to_datetime(column, utc=True, format="ISO8601").astype("datetime64[us, UTC]").astype(np.int64)


def _figures(content: object, path: str = "") -> Iterator[tuple[str, float]]:
    """Every number of a JSON document and where it stands; texts are other files' matter."""
    if isinstance(content, Mapping):
        for name, each in content.items():
            if name not in IGNORED:
                yield from _figures(each, f"{path}.{name}" if path else str(name))
    elif isinstance(content, list):
        for place, each in enumerate(content):
            yield from _figures(each, f"{path}[{place}]")
    elif isinstance(content, int | float):
        yield path, float(content)
