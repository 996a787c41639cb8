"""What the tracking room hands out: plain records, free of MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class RunInfo:
    """What a training became: its run, and its version in the registry; ``fresh`` if they are not an equal one's."""

    run_id: str
    version: str
    fresh: bool = True


@dataclass(frozen=True)
class StoredModel:
    """A registered version whose bundle lies in a local folder. The bundle's loader checks the hashes."""

    name: str
    version: str
    run_id: str
    bundle: Path


@dataclass(frozen=True)
class RunRecord:
    """A line of ``holdfast runs``. ``version`` is None for a run that ended before its model was registered."""

    run_id: str
    version: str | None
    aliases: tuple[str, ...]
    started: datetime
    status: str
    metrics: dict[str, float]
    fingerprints: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether a challenger may take over, why, and the figures behind it."""

    accepted: bool
    reason: str
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Promotion:
    """What became of a challenger. ``champion`` is the version in charge now, None if there is none."""

    name: str
    challenger: str
    champion: str | None
    moved: bool
    reason: str
