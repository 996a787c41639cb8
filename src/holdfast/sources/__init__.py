"""Raw tables in, valid events out: mapping, validation, rejects, cutting the data at an instant."""

from holdfast.sources.duck_tables import DuckTables
from holdfast.sources.engine_settings import EngineSettings
from holdfast.sources.engines import open_engine
from holdfast.sources.opening import open_sources
from holdfast.sources.protocol import Engine, FewCustomers
from holdfast.sources.report import SourceReport, SourcesReport
from holdfast.sources.settings import AttributeSettings, SourceSettings
from holdfast.sources.spark import SparkSettings
from holdfast.sources.streams import StreamInfo

__all__ = [
    "AttributeSettings",
    "DuckTables",
    "Engine",
    "EngineSettings",
    "FewCustomers",
    "SourceReport",
    "SourceSettings",
    "SourcesReport",
    "SparkSettings",
    "StreamInfo",
    "open_engine",
    "open_sources",
]
