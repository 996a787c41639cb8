"""The valid tables of a business: streams of events, the customers, the accounts; wherever an engine keeps them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb

from holdfast.errors import StorageError
from holdfast.sources.report import SourcesReport
from holdfast.sources.streams import StreamInfo
from holdfast.timeline import BEGINNING


class Tables(ABC):
    """Open tables; a context manager, whose temporary files go when it closes.

    Attributes
    ----------
    streams : dict of str to StreamInfo
        The streams by name.
    report : SourcesReport
        Rows in, valid, rejected by reason, per source.
    unknown_time_attributes : list of str
        Attributes of customers that are neither static nor say when they became known.
    changed_later : dict of str to float
        Columns of times that no mapping reads (``orders.updated_at``) and the share of good rows whose time there lies
        after the row counts as known. Empty for data that is cut or restricted to some customers.
    """

    def __init__(
        self,
        streams: dict[str, StreamInfo],
        report: SourcesReport,
        unknown_time_attributes: list[str],
        changed_later: dict[str, float],
    ) -> None:
        self.streams = streams
        self.report = report
        self.unknown_time_attributes = unknown_time_attributes
        self.changed_later = changed_later

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Let go of everything that the tables hold; a second call does nothing."""

    @property
    @abstractmethod
    def customer_count(self) -> int:
        """How many customers there are, in whatever source."""

    @property
    @abstractmethod
    def span(self) -> tuple[int | None, int | None]:
        """The first instant of any event and the last instant of any event or record; None without events."""

    @property
    @abstractmethod
    def fingerprint(self) -> str:
        """SHA-256 over the valid rows of all streams, whatever their order and the engine."""

    @abstractmethod
    def until(self, stream: str) -> int | None:
        """The last instant at which an event of the stream happened; None without events."""

    @abstractmethod
    def commonest(self, stream: str, column: str, most: int) -> tuple[str, ...]:
        """The commonest texts of a category column, at most so many, sorted; of equally common ones the smaller."""

    @abstractmethod
    def sample(self, most: int, seed: int) -> list[str]:
        """Ids of at most so many customers, sorted; the seed alone chooses them, on every engine the same."""

    @abstractmethod
    def _write_rejects(self, file: Path) -> int: ...

    @property
    def data_from(self) -> int:
        """The first instant of any event; BEGINNING if there is none."""
        return BEGINNING if self.span[0] is None else self.span[0]

    @property
    def data_until(self) -> int:
        """The last instant the data knows of, an event's or a record's; BEGINNING if there is none."""
        return BEGINNING if self.span[1] is None else self.span[1]

    def write_rejects(self, path: str | Path) -> int:
        """Write the rejected rows as Parquet and return how many there are.

        The columns are ``source``, ``row_number`` (0 is the first row after the source's filter; empty where an engine
        keeps no order of rows), ``event_id``, ``reason`` and ``values``, the raw mapped cells as one JSON text.

        Raises
        ------
        StorageError
            The place cannot be written; a file that was there stays as it is.
        """
        with _whole(Path(path)) as partial:
            return self._write_rejects(partial)


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A name to write to, which becomes the file when all is written."""
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        partial.replace(target)
    except (OSError, duckdb.IOException) as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        reason = getattr(error, "strerror", None) or "the system refused it"
        raise StorageError(
            f"The rejected rows could not be written to {target}: {reason}. Free some space, or name another place."
        ) from None
