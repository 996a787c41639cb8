"""One source as it stands on Spark."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.sources.mapping import SourceMapping
from holdfast.sources.settings import SourceSettings
from holdfast.spark.session import DataFrame


@dataclass(frozen=True)
class OpenedSource:
    """A source, its raw rows, its mapped rows with duplicates marked, and who shares ids.

    ``repeated`` holds those of the mapped rows whose id occurs more than once; None where no id does.
    """

    settings: SourceSettings
    mapping: SourceMapping
    raw: DataFrame
    mapped: DataFrame
    repeated: DataFrame | None
