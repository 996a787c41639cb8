"""Where a source's table lies (files, a DuckDB file, a PostgreSQL server, a frame), as a relation in SQL."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from holdfast.credentials import hide_credentials
from holdfast.errors import ConfigError
from holdfast.settings import expanded
from holdfast.sources import encodings
from holdfast.sources.connection import literal, one, reading
from holdfast.sources.database import read_database
from holdfast.sources.kinds import nearest
from holdfast.sources.postgres import read_postgres
from holdfast.sources.relation import Relation, described, registered
from holdfast.sources.settings import CsvSettings, SourceSettings

PARQUET = (".parquet", ".pq")
CSV = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz", ".csv.zst", ".tsv.zst", ".txt.zst")


def open_relation(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    source: SourceSettings,
    *,
    base: Path,
    frames: Mapping[str, Any],
    as_text: Collection[str] = (),
    local: Collection[str] = (),
) -> Relation:
    """Find the table of the source called ``name``.

    Columns ``as_text`` of a CSV file are not read as numbers, nor are those of ``local`` read as times or numbers where
    the file says that it writes them in its own way, or seems to.
    """
    key = f"sources.{name}"
    if source.path is not None:
        place = expanded(source.path, f"{key}.path")
        return _files(connection, place, f"{key}.path", base, source.csv, as_text, local)
    if source.duckdb is not None:
        return read_database(connection, name, source.duckdb, base)
    if source.postgres is not None:
        return read_postgres(connection, name, source.postgres)
    if source.table is not None:
        raise ConfigError(
            f"{key}.table names a table of Spark's catalogue, which engine: duckdb does not know. "
            "Write engine: spark, or say with path, duckdb or postgres where the table is."
        )
    return _frame(connection, name, str(source.frame), frames)


def files_of(path: str, key: str, base: Path) -> list[Path]:
    """The files that a path, folder or glob names, sorted."""
    whole = Path(path).expanduser()
    whole = whole if whole.is_absolute() else base / whole
    if whole.is_file():
        return [whole]
    if whole.is_dir():
        found = sorted(file for file in whole.rglob("*") if _suffix(file) and not file.name.startswith((".", "_")))
        if not found:
            raise ConfigError(f"{key}: the folder {whole} holds no Parquet or CSV file.")
        return found
    if any(sign in path for sign in "*?["):
        anchor = Path(whole.anchor)
        found = sorted(file for file in anchor.glob(str(whole.relative_to(anchor))) if file.is_file())
        if found:
            return found
        raise ConfigError(f"{key}: no file matches {hide_credentials(str(whole))}.")
    place = hide_credentials(str(whole))
    raise ConfigError(f"{key}: wanted a file, folder or glob, found nothing at {place}. Paths are relative to {base}.")


def _suffix(file: Path) -> str | None:
    """'parquet' or 'csv', by the end of the file's name."""
    name = file.name.lower()
    if name.endswith(PARQUET):
        return "parquet"
    return "csv" if name.endswith(CSV) else None


def _files(
    connection: duckdb.DuckDBPyConnection,
    path: str,
    key: str,
    base: Path,
    csv: CsvSettings,
    as_text: Collection[str],
    local: Collection[str],
) -> Relation:
    found = files_of(path, key, base)
    formats = {_suffix(file) for file in found}
    if len(formats) != 1 or None in formats:
        raise ConfigError(
            f"{key}: wanted Parquet files (.parquet) or CSV files (.csv, .tsv, .txt, also .gz and .zst), all of one "
            f"format; found {', '.join(sorted({file.suffix or file.name for file in found}))}. "
            "Name a glob such as *.parquet."
        )
    source, decoded = key.removesuffix(".path"), None
    if csv.encoding is not None and formats == {"csv"}:
        encoding = encodings.of_duckdb(csv.encoding, source)
        if encoding is None:
            found, decoded = encodings.as_utf8(found, csv.encoding, source)
        csv = csv.model_copy(update={"encoding": encoding})
    try:
        relation = _read(connection, found, key, csv, formats == {"parquet"}, as_text, local)
    except BaseException:
        if decoded is not None:
            decoded.close()
        raise
    return relation if decoded is None else replace(relation, release=decoded.close)


def _read(
    connection: duckdb.DuckDBPyConnection,
    found: Sequence[Path],
    key: str,
    csv: CsvSettings,
    parquet: bool,
    as_text: Collection[str],
    local: Collection[str],
) -> Relation:
    # DuckDB takes each name as a glob; a bracket around a sign makes it a plain letter.
    names = ", ".join(literal(re.sub(r"([*?\[])", r"[\1]", str(file))) for file in found)
    try:
        with reading(f"{key} ({found[0].name}{', …' if len(found) > 1 else ''})"):
            if parquet:
                sql = f"read_parquet([{names}], union_by_name = true)"
                return Relation(sql, described(connection, sql))
            texts = {*as_text, *(local if local and _writes_in_its_own_way(connection, found, csv) else ())}
            return _csv(connection, names, csv, texts)
    except (duckdb.InvalidInputException, duckdb.BinderException, duckdb.ConversionException):
        if parquet:
            raise ConfigError(f"{key}: {found[0]} cannot be read as Parquet. Check that it is whole.") from None
        where, guess = f"{key.removesuffix('.path')}.csv", None if csv.encoding else _strange(found)
        if guess is not None:
            file, encoding = guess
            raise ConfigError(
                f"{key}: {file} is not UTF-8. Name its encoding as {where}.encoding; its bytes look like {encoding}."
            ) from None
        raise ConfigError(
            f"{key}: {found[0]} cannot be read as CSV. Check that it is whole, and describe its format under {where}."
        ) from None


def _strange(files: Sequence[Path]) -> tuple[Path, str] | None:
    """The first file that is not UTF-8, and what its bytes look like."""
    for file in files:
        if not file.name.lower().endswith(".zst") and (encoding := encodings.guessed(file)) is not None:
            return file, encoding
    return None


def _writes_in_its_own_way(connection: duckdb.DuckDBPyConnection, files: Sequence[Path], csv: CsvSettings) -> bool:
    """Whether dates or numbers are declared to be written otherwise than DuckDB's types read them, or seem to be."""
    if csv.date_format or csv.time_format or csv.decimal:
        return True
    given = {"delim": csv.delimiter, "encoding": csv.encoding}
    options = "".join(f", {option} = {literal(value)}" for option, value in given.items() if value is not None)
    for file in files:
        name = literal(re.sub(r"([*?\[])", r"[\1]", str(file)))
        with suppress(duckdb.Error):  # the opening says what is wrong with the file
            found = one(connection, f"SELECT DateFormat, TimestampFormat FROM sniff_csv({name}{options})")
            if any(each is not None and not str(each).startswith("%Y") for each in found):
                return True
    return False


def _csv(connection: duckdb.DuckDBPyConnection, names: str, csv: CsvSettings, as_text: Collection[str]) -> Relation:
    given = {
        "delim": csv.delimiter,
        "quote": csv.quote,
        "encoding": csv.encoding,
        "decimal_separator": csv.decimal,
        "dateformat": csv.date_format,
        "timestampformat": csv.time_format,
        "nullstr": csv.missing,
    }
    options = "".join(f", {option} = {literal(value)}" for option, value in given.items() if value is not None)
    if csv.header is not None:
        options += f", header = {csv.header}"
    start = f"read_csv([{names}], union_by_name = true{options}"
    present = described(connection, f"{start}, all_varchar = true)")
    texts = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in present if name in set(as_text))
    types = f", types = {{{texts}}}" if texts else ""
    sql = f"{start}, sample_size = -1{types})"
    return Relation(sql, described(connection, sql))


def _frame(connection: duckdb.DuckDBPyConnection, name: str, frame: str, frames: Mapping[str, Any]) -> Relation:
    if frame not in frames:
        raise ConfigError(
            f"sources.{name}.frame: no frame '{frame}' was handed over{nearest(frame, frames)}. "
            f"Pass frames={{'{frame}': table}} with a pandas or Arrow table."
        )
    return registered(connection, f"frame {name}", frames[frame])
