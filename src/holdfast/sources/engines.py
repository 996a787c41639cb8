"""The engines by name: the one place that knows which there are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from holdfast.progress import SILENT, Progress
from holdfast.sources.engine_settings import EngineSettings
from holdfast.sources.opening import open_sources
from holdfast.sources.protocol import Engine
from holdfast.sources.settings import SourceSettings
from holdfast.sources.spark import SparkSettings, open_on_spark


def open_engine(
    engine: EngineSettings,
    sources: Mapping[str, SourceSettings],
    spark: SparkSettings,
    *,
    base: Path,
    currency: str | None = None,
    frames: Mapping[str, Any] | None = None,
    keep: Path | None = None,
    progress: Progress = SILENT,
) -> Engine:
    """Open the sources on the configured engine; parameters and errors are those of :func:`open_sources`.

    Parameters
    ----------
    spark : SparkSettings
        Read where the engine is Spark, which keeps no rows between runs and leaves ``keep`` alone.
    """
    if engine.kind == "spark":
        return open_on_spark(sources, spark, base=base, currency=currency, frames=frames, progress=progress)
    return open_sources(
        sources,
        base=base,
        currency=currency,
        frames=frames,
        keep=keep,
        memory_limit=engine.memory,
        threads=engine.threads,
        progress=progress,
    )
