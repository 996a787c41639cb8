"""Small tables in memory, opened as sources: what every test of this room starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from holdfast.sources import DuckTables, SourceSettings, open_sources
from holdfast.timeline import instant

NOW = instant("2025-01-01")


def at(text: str | None) -> Any:
    """A time as an aware datetime, or nothing."""
    from holdfast.timeline import moment

    return None if text is None else moment(instant(text))


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    """An Arrow table from rows."""
    return pa.table({name: [row[i] for row in rows] for i, name in enumerate(columns)})


def source(frame: Any, **more: Any) -> SourceSettings:
    """Settings that map each of the frame's columns to ours of the same name, unless ``columns`` says otherwise."""
    columns = more.pop("columns", None) or {name: name for name in getattr(frame, "column_names", frame)}
    return SourceSettings(frame="rows", columns=columns, **more)


def opened(kind: str, frame: Any, *, options: Mapping[str, Any] | None = None, **more: Any) -> DuckTables:
    """One source in memory, opened; ``options`` go to ``open_sources``, the rest to the settings."""
    arguments = {"base": Path(), "now": NOW, "threads": 1, **(options or {})}
    return open_sources({kind: source(frame, **more)}, frames={"rows": frame}, **arguments)


def events(tables: DuckTables, stream: str, *columns: str) -> list[tuple[Any, ...]]:
    """The events of a stream with customer ids in place of codes, sorted, times as the caller asks for them."""
    chosen = ", ".join(f'"{column}"' for column in columns)
    return tables.connection.execute(
        f"SELECT customer_id, {chosen} FROM {stream} JOIN customers_index USING (customer) ORDER BY ALL"
    ).fetchall()
