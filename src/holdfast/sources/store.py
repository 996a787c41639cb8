"""Validated rows kept from one opening to the next, so that raw rows are read and judged once.

Kept are the good rows of sources whose rows never change: those without later moments, that happened and were known
before an instant. Whoever opens the sources again reads, of the raw table, what is not older, and has the same rows as
if it had read everything. Rows that were rejected are kept as counts. What is kept serves only the same settings, the
same code, and a raw table that still has as many older rows as it had.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

import duckdb

from holdfast.errors import StorageError
from holdfast.sources import casts
from holdfast.sources.engine import literal
from holdfast.sources.mapping import SourceMapping
from holdfast.sources.relation import Relation
from holdfast.sources.settings import SourceSettings
from holdfast.timeline import MICROSECONDS_PER_DAY, moment

FORMAT = "holdfast-rows/1"
_MARGIN = 2 * MICROSECONDS_PER_DAY  # clocks of raw times without a zone stand up to a day away from UTC
_MANIFEST, _LOCK = "kept.json", ".lock"


@dataclass(frozen=True)
class Kept:
    """What is kept of one source.

    Attributes
    ----------
    digest : str
        Of settings and code.
    until : int or None
        Kept are rows that happened and were known before this instant; None: nothing is kept.
    raw_rows : int
        Rows of the raw table that were surely older; another number says that its past has changed.
    filtered : int
        Of these, how many the source's own filter left out.
    rejected : mapping of reason to rows
    files : tuple of str
    """

    digest: str
    until: int | None = None
    raw_rows: int = 0
    filtered: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edge:
    """How to tell old raw rows from new ones by the raw columns themselves, so that files can be passed over.

    Attributes
    ----------
    columns : tuple of (column, DuckDB type)
        When it happened and, if it is mapped, when it was known.
    """

    columns: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, mapping: SourceMapping, relation: Relation) -> Edge | None:
        """None for a source whose rows may change, or of which no row can be passed over by its times."""
        changing = [column.name for column in mapping.kind.columns if column.role == "later" or column.revealed_by]
        if mapping.kind.time is None or any(map(mapping.has, changing)) or not relation.sql.startswith("read_parquet("):
            return None
        picked = [mapping.picked[name] for name in (mapping.kind.time, "known_time") if mapping.has(name)]
        plain = all(
            re.fullmatch(r'"(?:[^"]|"")+"', each.expression)
            and (casts.is_naive(each.kind) or casts.is_zoned(each.kind))
            for each in picked
        )
        return cls(tuple((each.expression, each.kind) for each in picked)) if plain else None

    def older(self, until: int) -> str:
        """The condition that a raw row surely happened and was known before the instant."""
        return " AND ".join(f"{column} < {_stamp(until, kind)}" for column, kind in self.columns)

    def newer(self, relation: str, until: int) -> str:
        """All other rows, each once; every part is a comparison that a file's statistics can answer."""
        parts, before = [], ""
        for column, kind in self.columns:
            stamp = _stamp(until, kind)
            parts += [f"{before}{column} >= {stamp}", f"{before}{column} IS NULL"]
            before += f"{column} < {stamp} AND "
        return "(" + " UNION ALL ".join(f"SELECT * FROM {relation} WHERE {part}" for part in parts) + ")"


def _stamp(until: int, kind: str) -> str:
    """The instant less the margin in the raw column's own type: a column that is cast has no statistics."""
    at = moment(until - _MARGIN)
    at = at if casts.is_zoned(kind) else at.replace(tzinfo=None)
    return f"CAST({literal(at.isoformat())} AS {kind})"


class Store:
    """A folder of kept rows, held by this process; :func:`store` gives it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._found = _read(folder / _MANIFEST)
        self._next: dict[str, Kept] = {}

    def kept(self, name: str, digest: str) -> Kept | None:
        """What is kept of a source under these settings, if all of it is there."""
        found = self._found.get(name)
        if found is None or found.digest != digest or not all((self.folder / file).is_file() for file in found.files):
            return None
        return found

    def stored(self, kept: Kept) -> str:
        """The kept rows, as SQL can name them after FROM."""
        return f"read_parquet([{', '.join(literal(str(self.folder / file)) for file in kept.files)}])"

    def write(self, connection: duckdb.DuckDBPyConnection, name: str, query: str) -> str:
        """Write the rows of a query, in order of time, to a new file; its name."""
        file = f"{name}.{uuid.uuid4().hex}.parquet"
        try:
            connection.execute(
                f"COPY ({query}) TO {literal(str(self.folder / file))} (FORMAT parquet, COMPRESSION zstd)"
            )
        except duckdb.IOException:
            raise _refused(self.folder, "the disk refuses to take them") from None
        return file

    def keep(self, name: str, kept: Kept) -> None:
        """Keep this of a source once :meth:`commit` is called."""
        self._next[name] = kept

    def commit(self) -> None:
        """Replace what was kept in one step, and remove what nothing leads to any more."""
        text = json.dumps({"format": FORMAT, "sources": {name: asdict(kept) for name, kept in self._next.items()}})
        fresh = self.folder / f".{_MANIFEST}"
        try:
            with fresh.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.folder / _MANIFEST)
            used = {file for kept in self._next.values() for file in kept.files}
            for path in self.folder.glob("*.parquet"):
                if path.name not in used:
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise _refused(self.folder, error.strerror or str(error)) from error


def _read(manifest: Path) -> dict[str, Kept]:
    """What a manifest says; nothing if it is not there or not ours: then everything is read."""
    try:
        found = json.loads(manifest.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            return {}
        return {name: Kept(**{**kept, "files": tuple(kept["files"])}) for name, kept in found["sources"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


@contextmanager
def store(folder: Path | None) -> Iterator[Store | None]:
    """The folder of kept rows for this process alone; None without one, or while another process holds it.

    Raises
    ------
    StorageError
        The folder cannot be made or written to.
    """
    if folder is None:
        yield None
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / _LOCK).open("ab")
    except OSError as error:
        raise _refused(folder, error.strerror or str(error)) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None  # the other keeps them; this one reads everything
            return
        yield Store(folder)


def _refused(folder: Path, why: str) -> StorageError:
    return StorageError(
        f"Wanted to keep validated rows in {folder}; the system answered: {why}. Free some space there, name another "
        "folder under store, or leave store out: then every score reads the raw tables whole."
    )


def digest_of(source: SourceSettings, currency: str | None) -> str:
    """Of all that the kept rows of a source depend on beside its raw rows."""
    text = json.dumps([source.model_dump(mode="json"), currency, _code()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def _code() -> str:
    """SHA-256 over the files of this room."""
    whole = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        whole.update(path.name.encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()
