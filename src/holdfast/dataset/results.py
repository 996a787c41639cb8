"""What reading the sources and building the snapshots have to tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from holdfast.audit import Audit
from holdfast.sources import SourcesReport


@dataclass(frozen=True)
class Checked:
    """The account of the sources, and the audit if it was asked for."""

    sources: SourcesReport
    most_rejected: float
    data_from: str
    data_until: str
    customers: int
    undated: Sequence[str]
    rejects: Path | None
    audit: Audit | None

    def require(self) -> None:
        """Raise what the check found: too many rejected rows, or a leak."""
        self.sources.require(self.most_rejected)
        if self.audit is not None:
            self.audit.require_clean()

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {
            "sources": self.sources.to_dict(),
            "most_rejected": self.most_rejected,
            "data_from": self.data_from,
            "data_until": self.data_until,
            "customers": self.customers,
            "audit": self.audit.to_dict() if self.audit else None,
        }


@dataclass(frozen=True)
class Built:
    """A snapshots table in a file."""

    path: Path
    snapshots: int
    features: int
    cutoffs: Sequence[str]

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return {**vars(self), "path": str(self.path), "cutoffs": list(self.cutoffs)}
