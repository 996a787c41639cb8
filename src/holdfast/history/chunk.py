"""What an engine hands to the work: some customers, whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pandas.api.extensions import ExtensionArray

from holdfast.history.stream import Stream

EVENTS_PER_CHUNK = 1_000_000
"""About so many events are in memory at once, for each thread."""


@dataclass(frozen=True)
class Chunk:
    """Consecutive customers, ``first`` up to but without ``stop``, with their ids and all their events."""

    first: int
    stop: int
    ids: ExtensionArray
    streams: Mapping[str, Stream]

    @property
    def customers(self) -> int:
        """How many customers the chunk holds."""
        return self.stop - self.first

    @property
    def events(self) -> int:
        """How many events the chunk holds, of all streams."""
        return sum(stream.times.size for stream in self.streams.values())
