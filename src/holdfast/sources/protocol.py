"""What the valid tables of a business answer, and how work reaches their customers, whichever engine holds them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

import duckdb
import pandas as pd

from holdfast.errors import StorageError
from holdfast.files import OTHERS, whole_file
from holdfast.partitioned import Columns, Parts
from holdfast.progress import SILENT, Progress
from holdfast.sources.report import SourcesReport
from holdfast.sources.streams import StreamInfo
from holdfast.timeline import BEGINNING

if TYPE_CHECKING:
    from holdfast.sources.duck_tables import DuckTables

Make = Callable[["DuckTables", Progress], Iterator[pd.DataFrame]]
"""From tables open in DuckDB, which hold some customers or all, to rows. Picklable, to travel to the customers."""


class Engine(Protocol):
    """Open tables; a context manager, whose temporary files go when it closes.

    Every engine gives the same rows to the bit, so nothing above asks which one it is.

    Attributes
    ----------
    streams : mapping of str to StreamInfo
        The streams by name.
    report : SourcesReport
        Rows in, valid, rejected by reason, per source.
    unknown_time_attributes : sequence of str
        Attributes of customers that are neither static nor say when they became known.
    changed_later : mapping of str to float
        Columns of times that no mapping reads (``orders.updated_at``) and the share of good rows whose time there lies
        after the row counts as known. Empty for data that is cut or restricted to some customers.
    """

    streams: Mapping[str, StreamInfo]
    report: SourcesReport
    unknown_time_attributes: Sequence[str]
    changed_later: Mapping[str, float]

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
    def commonest(self, stream: str, column: str, most: int, *, customers: int = 1) -> tuple[str, ...]:
        """The commonest texts of a category column, sorted; of equally common ones the smaller.

        At most so many, and only those that so many ``customers`` share.
        """

    @abstractmethod
    def sample(self, most: int, seed: int) -> list[str]:
        """Ids of at most so many customers, sorted; the seed alone chooses them, on every engine the same."""

    @abstractmethod
    def parts(self, make: Make, columns: Columns, *, progress: Progress = SILENT) -> Parts:
        """The rows that a function makes of all customers, left where the customers are; it may run there in parallel.

        Nothing is computed before somebody asks for rows or counts.
        """

    @abstractmethod
    def reopened(self, *, as_of: int | None, customers: Sequence[str]) -> FewCustomers:
        """These customers alone, from their raw rows, cut at an instant; on this machine, because they are few."""

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
        try:
            with whole_file(Path(path), deny=OTHERS) as partial:
                return self._write_rejects(partial)
        except (OSError, duckdb.IOException) as error:
            reason = getattr(error, "strerror", None) or "the system refused it"
            raise StorageError(
                f"The rejected rows could not be written to {path}: {reason}. Free some space, or name another place."
            ) from None


class FewCustomers(Engine, Protocol):
    """Tables of a few customers, opened to be looked at closely."""

    @abstractmethod
    def plant(self, at: int, before: int) -> None:
        """Let every event that happened before an instant happen once more, known at once, at another one."""
