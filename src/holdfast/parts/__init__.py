"""A table in parts: the same few verbs over one machine's temporary file and over a cluster."""

from holdfast.parts.columns import Columns, conform, no_rows
from holdfast.parts.local import LocalParts
from holdfast.parts.protocol import Parts
from holdfast.parts.ranking import Place, kth_largest
from holdfast.parts.spark import SparkParts
from holdfast.parts.spool import Spool

__all__ = ["Columns", "LocalParts", "Parts", "Place", "SparkParts", "Spool", "conform", "kth_largest", "no_rows"]
