"""The seam to Spark: the only file that imports pyspark."""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from holdfast.errors import ConfigError, HoldfastError, StorageError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame as DataFrame
    from pyspark.sql import SparkSession as SparkSession
    from pyspark.sql.types import StructType as StructType
else:
    DataFrame = SparkSession = StructType = Any  # names for annotations elsewhere, which load nothing

_OURS = re.compile(r"^(holdfast(?:\.\w+)*)\.(\w+Error): (.*)", re.DOTALL | re.MULTILINE)
_PYTHONS = re.compile(r"^(?:\w+\.)*(\w+(?:Error|Exception)): ", re.MULTILINE)
_USUAL_SLOTS = 16
_NEEDS = (
    "engine: spark needs pyspark and a Java runtime, version 17 or later. Install them (pip install 'holdfast[spark]', "
    "and for example default-jre-headless on Debian), or take engine: duckdb."
)


def start(conf: Mapping[str, str]) -> SparkSession:
    """The active session, or a new one with these properties; without a master it runs on all cores of this machine.

    Raises
    ------
    ConfigError
        pyspark or Java is missing.
    """
    try:
        from pyspark.errors import PySparkRuntimeError
        from pyspark.sql import SparkSession
    except ImportError:
        raise ConfigError(f"Wanted pyspark, found it is not installed. {_NEEDS}") from None
    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)  # only Arrow crosses
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("holdfast").config("spark.ui.showConsoleProgress", "false")
    for name, value in conf.items():
        builder = builder.config(name, value)
    try:
        return builder.getOrCreate()
    except (PySparkRuntimeError, FileNotFoundError):
        raise ConfigError(f"Wanted to start Spark, found that its Java process does not begin. {_NEEDS}") from None


def functions() -> Any:
    """The module of Spark's column functions."""
    from pyspark.sql import functions

    return functions


def is_frame(table: object) -> bool:
    """Whether it is a DataFrame of Spark, which then is imported already."""
    module = sys.modules.get("pyspark.sql")
    return module is not None and isinstance(table, module.DataFrame)


def named(column: str) -> str:
    """The column as Spark takes it by name, whatever signs it holds."""
    return "`" + column.replace("`", "``") + "`"


def is_kept(frame: DataFrame) -> bool:
    """Whether its rows are persisted already: who persists them again would let go of them for their owner, too."""
    level = frame.storageLevel
    return bool(level.useMemory or level.useDisk)


def struct(schema: pa.Schema) -> StructType:
    """The Spark type of rows of texts, whole numbers, floating numbers, flags and bytes."""
    from pyspark.sql import types

    kinds = {
        pa.string(): types.StringType(),
        pa.int32(): types.IntegerType(),
        pa.int64(): types.LongType(),
        pa.float64(): types.DoubleType(),
        pa.bool_(): types.BooleanType(),
        pa.binary(): types.BinaryType(),
    }
    return types.StructType([types.StructField(field.name, kinds[field.type], nullable=True) for field in schema])


def schema_of(frame: DataFrame) -> pa.Schema:
    """The Arrow types of a Spark frame."""
    return frame.limit(0).toArrow().schema


def slots_of(spark: SparkSession) -> int:
    """How many tasks run at once, as far as Spark tells."""
    from pyspark.errors import PySparkException

    try:
        return int(spark.sparkContext.defaultParallelism)
    except PySparkException:  # a client that reaches Spark over the network has no context to ask
        return _USUAL_SLOTS


def is_local(spark: SparkSession) -> bool:
    """Whether the executors are on this machine."""
    return str(spark.conf.get("spark.master", "")).startswith("local")


@contextmanager
def running(what: str) -> Iterator[None]:
    """Translate Spark's errors into ours; its messages may quote cells, so only their kind is told.

    An error that a task of ours raised on an executor is raised here, with its own words.
    """
    from pyspark.errors import PySparkException

    kinds: tuple[type[Exception], ...] = (PySparkException,)
    with suppress(ImportError):  # a client that reaches Spark over the network does without it
        from py4j.protocol import Py4JError

        kinds += (Py4JError,)
    try:
        yield
    except kinds as error:
        raise _translated(error, what) from None


def _translated(error: Exception, what: str) -> HoldfastError:
    text = str(error)
    found = _OURS.search(text)
    if found:
        module, name, words = found.groups()
        kind: type[HoldfastError] = getattr(sys.modules.get(module), name, HoldfastError)
        return kind(words.split("\n\tat ", 1)[0].split(" SQLSTATE:", 1)[0].strip())
    if "maxResultSize" in text:
        return ConfigError(
            f"Wanted results small enough for the driver while {what}, found more than spark.driver.maxResultSize. "
            "Lower spark.most_rows_on_driver, or raise that property."
        )
    if re.search("no space left", text, re.IGNORECASE):
        return StorageError(
            f"A disk of the cluster is full while {what}. Free some space, or point spark.local.dir and TMPDIR of the "
            "executors at larger disks."
        )
    condition = getattr(error, "getCondition", lambda: None)() or type(error).__name__
    if condition == "PATH_NOT_FOUND":
        return ConfigError(f"Wanted files while {what}, found none. Check the path, and that the executors see it.")
    pythons = _PYTHONS.findall(text)
    why = f"{condition}: {pythons[-1]}" if pythons else condition
    return HoldfastError(f"Spark failed while {what} ({why}). The log of its driver and executors says more.")
