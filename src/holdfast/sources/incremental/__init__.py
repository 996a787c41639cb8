"""Validated rows kept from one opening of the sources to the next: a nightly run reads what is new."""

from holdfast.sources.incremental.kept_source import kept_source
from holdfast.sources.incremental.row_store import RowStore, row_store

__all__ = ["RowStore", "kept_source", "row_store"]
