"""Tables and views of a DuckDB file, which is opened for reading only."""

from __future__ import annotations

from pathlib import Path

import duckdb

from holdfast.credentials import hide_credentials
from holdfast.errors import ConfigError
from holdfast.settings import expanded
from holdfast.sources.connection import connect_to, literal, quoted, reading, rows
from holdfast.sources.kinds import nearest
from holdfast.sources.relation import Relation, described
from holdfast.sources.settings import DuckDBTable


def read_database(connection: duckdb.DuckDBPyConnection, name: str, settings: DuckDBTable, base: Path) -> Relation:
    """A table is read where it lies; a view is run in its own database, where its names mean something, and copied.

    Raises
    ------
    ConfigError
        The file is missing or no DuckDB file, or has no such table.
    """
    key = f"sources.{name}.duckdb"
    file = base / Path(expanded(settings.file, f"{key}.file")).expanduser()
    if not file.is_file():
        place = hide_credentials(str(file))
        raise ConfigError(f"{key}.file: wanted a DuckDB file, found nothing at {place}. Paths are relative to {base}.")
    catalog = f"source {name}"
    try:
        with reading(f"{key}.file ({file.name})"):
            connection.execute(f"ATTACH {literal(str(file))} AS {quoted(catalog)} (READ_ONLY)")
    except (duckdb.BinderException, duckdb.InvalidInputException, duckdb.SerializationException):
        raise ConfigError(f"{key}.file: {file} cannot be opened as a DuckDB file. Check that it is one.") from None
    schema, _, table = settings.table.rpartition(".")
    schema = schema or "main"
    found = {
        (row[0], row[1]): row[2]
        for row in rows(
            connection,
            "SELECT table_schema, table_name, table_type FROM information_schema.tables "
            "WHERE table_catalog = ? ORDER BY ALL",
            [catalog],
        )
    }
    if (schema, table) not in found:
        shown = [own if place == "main" else f"{place}.{own}" for place, own in found]
        raise ConfigError(
            f"{key}.table: {file.name} has no table '{settings.table}'{nearest(settings.table, shown)}. "
            f"It has {', '.join(shown) or 'none'}."
        )
    own = f"{quoted(schema)}.{quoted(table)}"

    def detach() -> None:
        connection.execute(f"DETACH {quoted(catalog)}")

    if found[(schema, table)] != "VIEW":
        sql = f"{quoted(catalog)}.{own}"
        return Relation(sql, described(connection, sql), detach)
    detach()
    return _copied(connection, file, own, catalog, f"{key}.table")


def _copied(connection: duckdb.DuckDBPyConnection, file: Path, view: str, staged: str, key: str) -> Relation:
    """The rows of a view in a table of the temporary database."""
    try:
        with connect_to(file, connection) as database:
            batches = database.sql(f"SELECT * FROM {view}").to_arrow_reader()
            connection.register("view batches", batches)
            try:
                connection.execute(f'CREATE TABLE {quoted(staged)} AS SELECT * FROM "view batches"')
            finally:
                connection.unregister("view batches")
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ConversionException, duckdb.InvalidInputException):
        raise ConfigError(f"{key}: the view cannot be run. Try it in the database itself.") from None

    def release() -> None:
        connection.execute(f"DROP TABLE IF EXISTS {quoted(staged)}")

    return Relation(quoted(staged), described(connection, quoted(staged)), release)
