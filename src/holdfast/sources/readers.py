"""Where a source's table lies (files, a DuckDB file, a PostgreSQL server, a frame), as a relation in SQL."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import duckdb

from holdfast.credentials import hide_credentials
from holdfast.errors import ConfigError
from holdfast.settings import expanded
from holdfast.sources.connection import literal, reading
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
) -> Relation:
    """Find the table of the source called ``name``; columns ``as_text`` of a CSV file are not read as numbers."""
    key = f"sources.{name}"
    if source.path is not None:
        return _files(connection, expanded(source.path, f"{key}.path"), f"{key}.path", base, source.csv, as_text)
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
    connection: duckdb.DuckDBPyConnection, path: str, key: str, base: Path, csv: CsvSettings, as_text: Collection[str]
) -> Relation:
    found = files_of(path, key, base)
    formats = {_suffix(file) for file in found}
    if len(formats) != 1 or None in formats:
        raise ConfigError(
            f"{key}: wanted Parquet files (.parquet) or CSV files (.csv, .tsv, .txt, also .gz and .zst), all of one "
            f"format; found {', '.join(sorted({file.suffix or file.name for file in found}))}. "
            "Name a glob such as *.parquet."
        )
    # DuckDB takes each name as a glob; a bracket around a sign makes it a plain letter.
    names = ", ".join(literal(re.sub(r"([*?\[])", r"[\1]", str(file))) for file in found)
    try:
        with reading(f"{key} ({found[0].name}{', …' if len(found) > 1 else ''})"):
            if formats == {"parquet"}:
                sql = f"read_parquet([{names}], union_by_name = true)"
                return Relation(sql, described(connection, sql))
            return _csv(connection, names, csv, as_text)
    except (duckdb.InvalidInputException, duckdb.BinderException, duckdb.ConversionException):
        kind = "Parquet" if formats == {"parquet"} else "CSV"
        raise ConfigError(
            f"{key}: {found[0]} cannot be read as {kind}. Check that it is whole"
            + ("." if kind == "Parquet" else f", and describe its format under {key.removesuffix('.path')}.csv.")
        ) from None


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
