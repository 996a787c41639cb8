"""Where a source's table lies, as a frame of Spark: Parquet files, a table of the catalogue, a frame.

What only DuckDB reads (CSV files, DuckDB files, PostgreSQL, pandas and Arrow frames) goes through it into a Parquet
file in the staging folder, row by row, so that the driver never holds it and types are those of the other engine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb

from holdfast.errors import ConfigError, StorageError
from holdfast.settings import expanded
from holdfast.sources.connection import literal, quoted, reading
from holdfast.sources.mapping import raw_texts
from holdfast.sources.readers import CSV, files_of, open_relation
from holdfast.sources.relation import Relation
from holdfast.sources.settings import SourceSettings
from holdfast.spark.session import DataFrame, SparkSession, is_frame, is_local, named, running

_REMOTE = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]+:/")
_NANOSECONDS = {"TIMESTAMP_NS": "TIMESTAMP", "TIMESTAMPTZ_NS": "TIMESTAMPTZ"}
_WRITTEN_AS = {
    **_NANOSECONDS,
    "TIMESTAMP_S": "TIMESTAMP",
    "TIMESTAMP_MS": "TIMESTAMP",
    "HUGEINT": "DECIMAL(38, 0)",
    "UHUGEINT": "DECIMAL(38, 0)",
    "UBIGINT": "DECIMAL(20, 0)",
    "UUID": "VARCHAR",
    "TIME": "VARCHAR",
    "INTERVAL": "VARCHAR",
    '"NULL"': "VARCHAR",
}
_UNREAD = ("variant", "void", "interval")


class Places:
    """Opens sources as frames of Spark."""

    def __init__(
        self,
        spark: SparkSession,
        connection: duckdb.DuckDBPyConnection,
        base: Path,
        frames: Mapping[str, Any],
        folder: Path,
        *,
        shared: bool,
    ) -> None:
        self.spark = spark
        self.connection = connection
        self.base = base
        self.frames = frames
        self.folder = folder
        self.shared = shared

    def open(self, name: str, source: SourceSettings) -> DataFrame:
        """The table of the source called ``name``, without columns of types that no mapping can read.

        Raises
        ------
        ConfigError
            Nothing is there, or the executors could not read it.
        """
        with running(f"opening source '{name}'"):
            frame = self._found(name, source)
            kinds = {named(field.name): field.dataType.typeName() for field in frame.schema.fields}
            return frame.select(
                *(at for at, kind in kinds.items() if not kind.startswith(_UNREAD) | kind.endswith(_UNREAD))
            )

    def _found(self, name: str, source: SourceSettings) -> DataFrame:
        key = f"sources.{name}"
        if source.table is not None:
            if not self.spark.catalog.tableExists(source.table):
                raise ConfigError(
                    f"{key}.table: the catalogue of Spark has no table '{source.table}'. Write it as "
                    "catalogue.schema.table, and check that this session may read it."
                )
            return self.spark.table(source.table)
        if source.frame is not None and is_frame(self.frames.get(source.frame)):
            return self.frames[source.frame]
        if source.path is not None:
            path = expanded(source.path, f"{key}.path")
            if _REMOTE.match(path):
                return self._remote(path, f"{key}.path")
            files = files_of(path, f"{key}.path", self.base)
            if all(file.name.lower().endswith((".parquet", ".pq")) for file in files):
                return self._local(name, source, path, files)
        return self._staged(name, self._relation(name, source))

    def _remote(self, path: str, key: str) -> DataFrame:
        if path.lower().endswith(CSV):
            raise ConfigError(
                f"{key}: on Spark a path such as {path.split(':', 1)[0]}://… must hold Parquet files, found CSV. "
                "Convert it, or read it with Spark and hand the DataFrame over as a frame."
            )
        return self.spark.read.option("mergeSchema", "true").parquet(path)

    def _local(self, name: str, source: SourceSettings, path: str, files: list[Path]) -> DataFrame:
        relation = self._relation(name, source)
        if _NANOSECONDS.keys() & set(relation.columns.values()):
            return self._staged(name, relation)  # Spark reads no nanoseconds
        relation.release()
        reader = self.spark.read.option("mergeSchema", "true")
        whole = Path(path).expanduser()
        whole = whole if whole.is_absolute() else self.base / whole
        if whole.is_dir() and any("=" in part for file in files for part in file.relative_to(whole).parts[:-1]):
            return reader.parquet(whole.resolve().as_uri())  # the names of its folders are columns
        return reader.parquet(*(file.resolve().as_uri() for file in files))

    def _relation(self, name: str, source: SourceSettings) -> Relation:
        texts = raw_texts(name, source)
        return open_relation(self.connection, name, source, base=self.base, frames=self.frames, as_text=texts)

    def _staged(self, name: str, relation: Relation) -> DataFrame:
        if not self.shared and not is_local(self.spark):
            raise ConfigError(
                f"sources.{name}: on a cluster the executors cannot read this place. Name Parquet files on shared "
                "storage (path), a table of the catalogue (table) or a DataFrame of Spark (frame); or give "
                "spark.staging, a folder that driver and executors both see, to copy it there."
            )
        target = self.folder / f"{name}.parquet"
        columns = ", ".join(_written(column, kind) for column, kind in relation.columns.items())
        try:
            with reading(f"source '{name}'"):
                self.connection.execute(
                    f"COPY (SELECT {columns} FROM {relation.sql}) TO {literal(str(target))} "
                    "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000)"
                )
        except OSError as error:
            raise StorageError(
                f"Source '{name}' could not be copied to {target}: {error.strerror}. Free some space, or name another "
                "folder under spark.staging."
            ) from None
        finally:
            relation.release()
        return self.spark.read.parquet(target.resolve().as_uri())


def _written(column: str, kind: str) -> str:
    """How a column is copied so that Spark can read it."""
    name = quoted(column)
    wanted = "VARCHAR" if kind.startswith("ENUM") else _WRITTEN_AS.get(kind)
    return name if wanted is None else f"CAST({name} AS {wanted}) AS {name}"
