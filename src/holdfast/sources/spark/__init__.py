"""The sources on Spark: it reads, distributes and counts; inside each task DuckDB runs the SQL of one machine."""

from holdfast.sources.spark.opening import open_on_spark
from holdfast.sources.spark.settings import SparkSettings
from holdfast.sources.spark.tables import SparkTables

__all__ = ["SparkSettings", "SparkTables", "open_on_spark"]
