"""Raw tables in, valid events out: mapping, validation, rejects, cutting the data at an instant."""

from holdfast.sources.duck_tables import DuckTables
from holdfast.sources.opening import open_sources
from holdfast.sources.report import SourceReport, SourcesReport
from holdfast.sources.settings import AttributeSettings, SourceSettings
from holdfast.sources.streams import StreamInfo
from holdfast.sources.tables import Tables

__all__ = [
    "AttributeSettings",
    "DuckTables",
    "SourceReport",
    "SourceSettings",
    "SourcesReport",
    "StreamInfo",
    "Tables",
    "open_sources",
]
