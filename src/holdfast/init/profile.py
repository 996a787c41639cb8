"""What a raw table holds: for each column its type, how many values it has and, where they are few, which."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from holdfast.init.column_words import NO, YES, plain
from holdfast.sources import casts, text_times
from holdfast.sources.connection import one, quoted, rows
from holdfast.sources.encodings import guessed
from holdfast.sources.readers import open_relation
from holdfast.sources.settings import CsvSettings, SourceSettings

ROWS_LOOKED_AT = 300_000
MOST_LEVELS = 40
_MOST_WORDS_OF_CONSENT = 6


@dataclass(frozen=True)
class ColumnProfile:
    """One column, from the first ``ROWS_LOOKED_AT`` rows.

    ``levels`` are its values as text, if there are at most ``MOST_LEVELS``; ``low`` and ``high`` its range if it holds
    numbers. ``is_time`` is true of texts that all read as times too; ``naive`` says that they carry no zone.
    """

    name: str
    kind: str
    words: str
    filled: float
    distinct: int
    levels: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    is_time: bool = False
    naive: bool = False
    only_dates: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers (a flag does not)."""
        return casts.is_number(self.kind)

    @property
    def is_flag(self) -> bool:
        """Whether it holds yes and no."""
        words = {level.strip().lower() for level in self.levels}
        return self.kind == "BOOLEAN" or (bool(words) and words <= {*YES, *NO})

    @property
    def is_consent(self) -> bool:
        """Whether it may hold yes and no beside a few words that say neither."""
        words = {level.strip().lower() for level in self.levels}
        return self.is_flag or (bool(words & {*YES, *NO}) and len(words) <= _MOST_WORDS_OF_CONSENT)


@dataclass(frozen=True)
class TableProfile:
    """A file, its rows (at most those looked at) and its columns."""

    file: Path
    rows: int
    columns: tuple[ColumnProfile, ...]
    csv: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> ColumnProfile:
        return next(column for column in self.columns if column.name == name)


def profile_table(connection: duckdb.DuckDBPyConnection, file: Path) -> TableProfile:
    """Look at one Parquet or CSV file.

    Raises
    ------
    ConfigError
        The file is missing or cannot be read.
    """
    csv = _dialect(connection, file)
    source = SourceSettings(path=str(file.absolute()), csv=CsvSettings.model_validate(csv))
    relation = open_relation(connection, file.name, source, base=file.parent, frames={})
    try:
        sample = f"(SELECT * FROM {relation.sql} LIMIT {ROWS_LOOKED_AT})"
        total = int(one(connection, f"SELECT count(*) FROM {sample}")[0])
        columns = tuple(_column(connection, sample, total, name, kind) for name, kind in relation.columns.items())
    finally:
        relation.release()
    return TableProfile(file, total, columns, csv)


def _dialect(connection: duckdb.DuckDBPyConnection, file: Path) -> dict[str, str]:
    """The delimiter of a CSV file, where it is no comma, and its encoding, where it is not UTF-8."""
    if not file.is_file() or ".parquet" in file.name.lower() or file.suffix.lower() == ".pq":
        return {}
    encoding = None if file.suffix.lower() == ".zst" else guessed(file)
    of_bytes = {"utf-16": "utf-16", None: "utf-8"}.get(encoding, "latin-1")  # signs between cells are the same in all
    dialect = {} if encoding is None else {"encoding": encoding}
    try:
        found = one(connection, "SELECT Delimiter FROM sniff_csv(?, encoding = ?)", [str(file), of_bytes])[0]
    except duckdb.Error:
        return dialect  # opening the file gives the better message
    return dialect if found == "," else {"delimiter": found, **dialect}


def _column(connection: duckdb.DuckDBPyConnection, sample: str, total: int, name: str, kind: str) -> ColumnProfile:
    own, words = quoted(name), plain(name)
    if not (
        casts.is_text(kind)
        or casts.is_number(kind)
        or casts.is_naive(kind)
        or casts.is_zoned(kind)
        or kind == "BOOLEAN"
    ):
        return ColumnProfile(name, kind, words, 0.0, 0)
    filled, distinct = one(connection, f"SELECT count({own}), count(DISTINCT {own}) FROM {sample}")
    share = filled / total if total else 0.0
    levels: tuple[str, ...] = ()
    if 0 < distinct <= MOST_LEVELS and not (casts.is_naive(kind) or casts.is_zoned(kind)):
        found = rows(
            connection, f"SELECT DISTINCT CAST({own} AS VARCHAR) AS v FROM {sample} WHERE v IS NOT NULL ORDER BY v"
        )
        levels = tuple(row[0] for row in found)
    low = high = None
    if casts.is_number(kind) and filled:
        low, high = one(connection, f"SELECT min({own})::DOUBLE, max({own})::DOUBLE FROM {sample}")
    is_time, naive, only_dates = _time(connection, sample, own, kind, filled)
    return ColumnProfile(name, kind, words, share, distinct, levels, low, high, is_time, naive, only_dates)


def _time(
    connection: duckdb.DuckDBPyConnection, sample: str, own: str, kind: str, filled: int
) -> tuple[bool, bool, bool]:
    """Whether the column holds times, without a zone, and midnights only."""
    if casts.is_zoned(kind):
        return True, False, False
    if casts.is_text(kind):
        if not filled:
            return False, False, False
        times, zoned, dates = one(
            connection,
            f"SELECT count(*) FILTER ({text_times.readable(own)} OR {text_times.not_yet(own)}), "
            f"count(*) FILTER (regexp_matches({own}, {text_times.TEXT_ZONE})), count(*) FILTER (length({own}) = 10) "
            f"FROM {sample} WHERE trim({own}) <> ''",
        )
        is_time = times >= 0.95 * filled and times > 0
        return is_time, is_time and zoned < times, is_time and dates == times
    if casts.is_naive(kind):
        later = one(connection, f"SELECT count(*) FROM {sample} WHERE {own} <> date_trunc('day', {own})")[0]
        return True, True, later == 0
    return False, False, False
