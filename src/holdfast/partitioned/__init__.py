"""A table in parts: the same few verbs over one machine's temporary file and over a cluster."""

from holdfast.partitioned.columns import Columns, conform, no_rows
from holdfast.partitioned.local import LocalParts
from holdfast.partitioned.protocol import Parts
from holdfast.partitioned.ranking import Place, kth_largest
from holdfast.partitioned.spark import SparkParts
from holdfast.partitioned.spool import Spool

__all__ = ["Columns", "LocalParts", "Parts", "Place", "SparkParts", "Spool", "conform", "kth_largest", "no_rows"]
