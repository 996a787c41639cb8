"""What was read, what was kept, what was rejected and why; and the verdict on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from holdfast.errors import DataError
from holdfast.timeline import show


@dataclass(frozen=True)
class SourceReport:
    """The account of one source: ``rows_in = rows_valid + sum(rejected.values())``.

    ``filtered`` rows were left out by the source's ``where`` and are not among ``rows_in``. ``ignored`` counts single
    cells, not rows, that a valid row could not use. ``first`` and ``last`` are instants, None without an event.
    """

    name: str
    rows_in: int
    rows_valid: int
    rejected: dict[str, int] = field(default_factory=dict)
    filtered: int = 0
    ignored: dict[str, int] = field(default_factory=dict)
    first: int | None = None
    last: int | None = None

    @property
    def rows_rejected(self) -> int:
        """How many rows were rejected, for whatever reason."""
        return self.rows_in - self.rows_valid

    @property
    def share_rejected(self) -> float:
        """Between 0 and 1; 0 for a source without rows."""
        return self.rows_rejected / self.rows_in if self.rows_in else 0.0

    def to_dict(self) -> dict[str, object]:
        """The account as JSON can hold it; instants as ISO 8601 texts."""
        return {
            "name": self.name,
            "rows_in": self.rows_in,
            "rows_valid": self.rows_valid,
            "rows_filtered": self.filtered,
            "rejected": dict(self.rejected),
            "ignored": dict(self.ignored),
            "share_rejected": self.share_rejected,
            "first": None if self.first is None else show(self.first),
            "last": None if self.last is None else show(self.last),
        }


@dataclass(frozen=True)
class SourcesReport:
    """The accounts of all sources, in the order of the configuration."""

    sources: tuple[SourceReport, ...]

    def __iter__(self) -> Iterator[SourceReport]:
        return iter(self.sources)

    def __getitem__(self, name: str) -> SourceReport:
        return next(source for source in self.sources if source.name == name)

    def to_dict(self) -> dict[str, object]:
        """All accounts, by name."""
        return {source.name: source.to_dict() for source in self.sources}

    def require(self, most_rejected: float) -> None:
        """Stop if more than this share of a source's rows was rejected.

        Raises
        ------
        DataError
            Names the source, the share, the reasons, and where to see the rows.
        """
        for source in self.sources:
            if source.share_rejected > most_rejected:
                reasons = ", ".join(f"{reason}: {count:,}" for reason, count in source.rejected.items())
                raise DataError(
                    f"Source '{source.name}' has {source.share_rejected:.1%} of its {source.rows_in:,} rows rejected; "
                    f"at most {most_rejected:.1%} is allowed ({reasons}). Look at the rows in rejects.parquet, "
                    f"then mend the table, change the mapping, or leave rows out with sources.{source.name}.where."
                )
