"""Open the sources of a business on Spark: map and judge on the executors, bring each customer's rows together."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from functools import reduce
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from holdfast.errors import ConfigError
from holdfast.files import TemporaryFolder
from holdfast.progress import SILENT, Progress
from holdfast.sources import casts
from holdfast.sources.accounts import account_of, require_one, require_rows, require_valid
from holdfast.sources.changes import changed, watched
from holdfast.sources.connection import connect
from holdfast.sources.mapping import SourceMapping, resolve
from holdfast.sources.reasons import Limits
from holdfast.sources.relation import Relation, registered
from holdfast.sources.report import SourceReport, SourcesReport
from holdfast.sources.settings import SourceSettings
from holdfast.sources.spark.opened import OpenedSource
from holdfast.sources.spark.packing import Packing
from holdfast.sources.spark.places import Places
from holdfast.sources.spark.settings import SparkSettings
from holdfast.sources.spark.tables import SparkTables
from holdfast.sources.spark.tasks import FindBareTimes, MarkDuplicates, Read, plain
from holdfast.sources.unfolding import untimed
from holdfast.sources.validation import mapped_query, zone_checks
from holdfast.spark.batches import in_arrow
from holdfast.spark.session import (
    DataFrame,
    SparkSession,
    functions,
    named,
    running,
    schema_of,
    slots_of,
    start,
    struct,
)

_FEW = 100_000  # so many repeated ids go to every executor; more are joined where they are


def open_on_spark(
    sources: Mapping[str, SourceSettings],
    settings: SparkSettings,
    *,
    base: Path,
    currency: str | None = None,
    frames: Mapping[str, Any] | None = None,
    as_of: int | None = None,
    now: int | None = None,
    progress: Progress = SILENT,
) -> SparkTables:
    """Read, map and validate the sources on Spark; parameters and errors are those of ``open_sources``.

    Parameters
    ----------
    frames : mapping of str to pyspark.sql.DataFrame, pandas.DataFrame or pyarrow.Table, optional
        Tables for sources that name a ``frame``.

    Raises
    ------
    ConfigError
        Spark or Java is missing, or the configuration cannot be right.
    DataError
        A source has no rows, none that is valid, or several currencies.
    """
    if not sources:
        raise ConfigError("sources is empty. Name at least one, for example orders with a path and columns.")
    spark = start(settings.conf)
    connection, folder = connect(settings.task_memory, 1)
    tables = SparkTables(spark, settings, connection, folder)
    try:
        staging = folder.path
        if settings.staging is not None:
            shared = base / settings.staging
            shared.mkdir(parents=True, exist_ok=True)
            seen_by_all = TemporaryFolder.make(shared)
            tables.keep_until_closed(seen_by_all)
            staging = seen_by_all.path
        places = Places(spark, connection, base, frames or {}, staging, shared=settings.staging is not None)
        limits = Limits(as_of, time.time_ns() // 1000 if now is None else now, currency, None)
        opening = _Opening(spark, settings, connection, limits)
        opened = []
        for name, source in sources.items():
            with progress(f"Reading {name}"):
                opened.append(opening.read(name, source, places.open(name, source)))
                tables.hold(*opening.held)
        mappings = [source.mapping for source in opened]
        tables.report = SourcesReport(tuple(opening.reports))
        tables.unknown_time_attributes = untimed(mappings)
        tables.changed_later = opening.changed_later
        with progress("Bringing customers together"), running("bringing the events of customers together"):
            packing = Packing.of(mappings)
            tables.take(opened, packing, opening.grouped(opened, packing), limits)
    except BaseException:
        tables.close()
        raise
    return tables


class _Opening:
    """Reads one source after the other into mapped frames, and keeps their accounts."""

    def __init__(
        self, spark: SparkSession, settings: SparkSettings, connection: duckdb.DuckDBPyConnection, limits: Limits
    ) -> None:
        self.spark = spark
        self.settings = settings
        self.connection = connection
        self.limits = limits
        self.held: list[DataFrame] = []
        self.reports: list[SourceReport] = []
        self.changed_later: dict[str, float] = {}

    def read(self, name: str, source: SourceSettings, raw: DataFrame) -> OpenedSource:
        """Map a source, mark its duplicates, account for it."""
        with running(f"reading source '{name}'"):
            empty = schema_of(raw).empty_table()
        relation = registered(self.connection, f"schema of {name}", empty)
        try:
            mapping = resolve(self.connection, name, source, relation)
            watch = watched(mapping, relation) if self.limits.as_of is None else {}
            query = mapped_query(mapping, relation.sql, self.limits, watch)
            schema = plain(self.connection.sql(query).to_arrow_table().schema)
        finally:
            relation.release()
        with running(f"reading source '{name}'"):
            raw = raw.select(*(named(column) for column in _used(mapping, watch, relation)))
            self._require_zones(mapping, raw)
            whole = in_arrow(raw, Read(mapping, self.limits, watch, schema), struct(schema)).persist()
            self.held.append(whole)
            whole, repeated = self._marked(mapping, whole, schema)
            self._account(mapping, raw, whole, list(watch))
        return OpenedSource(source, mapping, raw, whole, repeated)

    def _require_zones(self, mapping: SourceMapping, raw: DataFrame) -> None:
        checks = zone_checks(mapping)
        if not checks:
            return
        find = FindBareTimes(mapping)
        found = {row.key for row in in_arrow(raw, find, struct(find.schema)).distinct().collect()}
        for key, _ in checks:
            if key in found:
                raise ConfigError(casts.naive(key, mapping.name))

    def _marked(
        self, mapping: SourceMapping, whole: DataFrame, schema: pa.Schema
    ) -> tuple[DataFrame, DataFrame | None]:
        """The mapped rows with duplicates rejected, and the rows of repeated ids; only these rows move."""
        F, unique = functions(), mapping.kind.unique
        if unique is None or not mapping.has(unique):
            return whole, None
        ids = whole.where(F.col(unique).isNotNull()).groupBy(unique).count().where("count > 1").select(unique).persist()
        self.held.append(ids)
        count = ids.count()
        if count == 0:
            return whole, None
        ids = F.broadcast(ids) if count <= _FEW else ids.hint("merge")
        several = whole.join(ids, unique, "left_semi")
        parts = max(slots_of(self.spark), count // self.settings.rows_per_task)
        mark = MarkDuplicates(mapping, self.settings.task_memory, schema)
        # An id stays whole: a partition is sent to one task, and the columns stand as they were.
        together = several.select(*schema_names(schema)).repartition(parts, unique)
        marked = in_arrow(together, mark, struct(schema)).persist()
        self.held.append(marked)
        rest = whole.join(ids, unique, "left_anti").select(*schema_names(schema))
        return rest.unionByName(marked), marked

    def _account(self, mapping: SourceMapping, raw: DataFrame, whole: DataFrame, watch: list[str]) -> None:
        """Count the rows by reason and note; stops if nothing is left."""
        F = functions()
        event_time = mapping.kind.time or "signup_time"
        sums = [
            F.sum(F.coalesce(F.col(named(changed(raw))).cast("int"), F.lit(0))).alias(f"changed_{i}")
            for i, raw in enumerate(watch)
        ]
        found = (
            whole.groupBy("reason", "note")
            .agg(
                F.count(F.lit(1)).alias("rows"),
                F.min(event_time).alias("first"),
                F.max(event_time).alias("last"),
                *sums,
            )
            .collect()
        )
        good = [row for row in found if row.reason is None]
        kept, valid = sum(row.rows for row in found), sum(row.rows for row in good)
        filtered = 0
        if mapping.where is not None or not kept:
            total = raw.count()
            require_rows(mapping, total, kept if mapping.where is not None else total)
            filtered = total - kept if mapping.where is not None else 0
        reasons: dict[str, int] = {}
        notes: dict[str, int] = {}
        for row in found:
            if row.reason is not None:
                reasons[row.reason] = reasons.get(row.reason, 0) + row.rows
            elif row.note is not None:
                notes[row.note] = row.rows
        account = account_of(
            mapping.name,
            valid,
            reasons,
            notes,
            filtered,
            min((row.first for row in good if row.first is not None), default=None),
            max((row.last for row in good if row.last is not None), default=None),
        )
        if self.limits.as_of is None:
            require_valid(account)
        if self.limits.currency is None and mapping.has("currency"):
            require_one(
                mapping, whole.where("reason IS NULL").agg(F.countDistinct("currency").alias("n")).collect()[0].n
            )
        for i, column in enumerate(watch):
            share = sum(row[f"changed_{i}"] for row in good) / valid if valid else 0.0
            if share:
                self.changed_later[f"{mapping.name}.{column}"] = share
        self.reports.append(account)

    def grouped(self, opened: list[OpenedSource], packing: Packing) -> DataFrame:
        """The good rows of all sources, packed, all of a customer in one partition."""
        F, spark_schema = functions(), struct(packing.schema)
        packed = []
        for number, source in enumerate(opened):
            filled = packing.slots(number)
            columns = [F.col("customer_id"), F.lit(number).cast("int").alias("source")]
            for field in spark_schema.fields[2:]:
                own = filled.get(field.name)
                value = F.lit(None) if own is None else F.col(named(own))
                columns.append(value.cast(field.dataType).alias(field.name))
            packed.append(source.mapped.where("reason IS NULL").select(*columns))
        valid = sum(report.rows_valid for report in self.reports)
        parts = self.settings.partitions or max(slots_of(self.spark), -(-valid // self.settings.rows_per_task))
        return reduce(lambda one, other: one.unionByName(other), packed).repartition(parts, "customer_id")


def schema_names(schema: pa.Schema) -> list[str]:
    """The columns, as Spark selects them."""
    return [named(name) for name in schema.names]


def _used(mapping: SourceMapping, watch: Mapping[str, str], relation: Relation) -> list[str]:
    """The raw columns that some expression may name; the others are never read."""
    texts = [picked.expression for picked in mapping.picked.values()] + [mapping.where or ""]
    whole = "\n".join(texts).lower()
    return [
        column
        for column in relation.columns
        if column in watch or re.search(rf"(?<!\w){re.escape(column.lower())}(?!\w)", whole)
    ]
