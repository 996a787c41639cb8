"""Raw tables in, valid events out: mapping, validation, rejects, cutting the data at an instant."""

from holdfast.sources.draft import Draft
from holdfast.sources.duck_tables import DuckTables
from holdfast.sources.guessing import guess
from holdfast.sources.opening import open_sources
from holdfast.sources.report import SourceReport, SourcesReport
from holdfast.sources.settings import AttributeSettings, SourceSettings
from holdfast.sources.streams import StreamInfo
from holdfast.sources.tables import Tables

__all__ = [
    "AttributeSettings",
    "Draft",
    "DuckTables",
    "SourceReport",
    "SourceSettings",
    "SourcesReport",
    "StreamInfo",
    "Tables",
    "guess",
    "open_sources",
]
