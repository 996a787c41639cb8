"""Validated rows kept from one opening to the next, so that raw rows are judged once.

Every row that is not old (:mod:`holdfast.sources.incremental.old_rows`) is read and judged each time. Of the old ones
the good rows are kept, the rejected ones as counts, and a digest of their raw cells: if that, the settings, the types
or the code are not what they were, everything is read again. So the tables are those of a whole reading, whatever was
added, deleted or rewritten.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb

from holdfast.errors import LockedError
from holdfast.files import ALL_BUT_OWNER, locked, sha256, whole_file
from holdfast.fingerprint import code_fingerprint
from holdfast.settings import expanded
from holdfast.sources.connection import literal
from holdfast.sources.incremental.old_rows import RowsDigest
from holdfast.sources.relation import Relation
from holdfast.sources.settings import SourceSettings

FORMAT = "holdfast-rows/2"
_MANIFEST, _LOCK = "kept.json", ".lock"
_OURS = re.compile(r"rows-[a-z]+-[0-9a-f]{32}\.parquet")


@dataclass(frozen=True)
class KeptRows:
    """What is kept of one source.

    Attributes
    ----------
    digest : str
        Of settings, types, place and code.
    until : int or None
        Raw rows that are old at this instant (microseconds UTC) are kept; None: nothing is.
    seen : RowsDigest
        Of these raw rows.
    filtered : int
        How many of them the source's own filter left out.
    rejected : mapping of reason to rows
    files : mapping of file to SHA-256
    """

    digest: str
    until: int | None = None
    seen: RowsDigest = field(default_factory=RowsDigest)
    filtered: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


class RowStore:
    """A folder of kept rows, held by this process; :func:`row_store` gives it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._found = _read(folder / _MANIFEST)
        self._next: dict[str, KeptRows] = {}

    def kept(self, name: str, digest: str) -> KeptRows | None:
        """What is kept of a source under these settings, if all of it is there and undamaged."""
        found = self._found.get(name)
        if found is None or found.digest != digest:
            return None
        whole = all(_OURS.fullmatch(file) and _sha256(self.folder / file) == sha for file, sha in found.files.items())
        return found if whole else None

    def stored(self, kept: KeptRows) -> str:
        """The kept rows, as SQL can name them after FROM."""
        return f"read_parquet([{', '.join(literal(str(self.folder / file)) for file in kept.files)}])"

    def write(self, connection: duckdb.DuckDBPyConnection, name: str, query: str) -> dict[str, str]:
        """Write the rows of a query to a new file; its name and SHA-256, or nothing where the disk refuses."""
        path = self.folder / f"rows-{name}-{uuid.uuid4().hex}.parquet"
        try:
            with whole_file(path, deny=ALL_BUT_OWNER) as partial:
                connection.execute(f"COPY ({query}) TO {literal(str(partial))} (FORMAT parquet, COMPRESSION zstd)")
        except (duckdb.IOException, OSError) as error:
            _warn(self.folder, error.strerror if isinstance(error, OSError) else None)
            return {}
        return {path.name: sha256(path)}

    def keep(self, name: str, kept: KeptRows) -> None:
        """Keep this of a source once :meth:`commit` is called."""
        self._next[name] = kept

    def commit(self) -> None:
        """Replace what was kept in one step, and remove what nothing leads to any more."""
        text = json.dumps({"format": FORMAT, "sources": {name: asdict(kept) for name, kept in self._next.items()}})
        try:
            with whole_file(self.folder / _MANIFEST, deny=ALL_BUT_OWNER) as partial:
                partial.write_text(text, encoding="utf-8")
            used = {file for kept in self._next.values() for file in kept.files}
            for path in self.folder.iterdir():
                if _OURS.fullmatch(path.name) and path.name not in used:
                    path.unlink(missing_ok=True)
        except OSError as error:
            _warn(self.folder, error.strerror)


def _read(manifest: Path) -> dict[str, KeptRows]:
    """What a manifest says; nothing if it is not there or not ours: then everything is read."""
    try:
        found = json.loads(manifest.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            return {}
        return {
            name: KeptRows(
                str(kept["digest"]),
                None if kept["until"] is None else int(kept["until"]),
                RowsDigest(int(kept["seen"]["rows"]), str(kept["seen"]["hashes"])),
                int(kept["filtered"]),
                {str(reason): int(count) for reason, count in kept["rejected"].items()},
                {str(file): str(sha) for file, sha in kept["files"].items()},
            )
            for name, kept in found["sources"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _sha256(path: Path) -> str | None:
    try:
        return sha256(path)
    except OSError:
        return None


@contextmanager
def row_store(folder: Path | None) -> Iterator[RowStore | None]:
    """The folder of kept rows for this process alone; None without one, or while another process holds it.

    Only its owner may read what is in it. Where it cannot be made, a warning says so and everything is read.
    """
    if folder is None:
        yield None
        return
    with ExitStack() as held:
        store = None
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")
            held.enter_context(locked(folder / _LOCK, f"keep validated rows in {folder}"))
            store = RowStore(folder)
        except LockedError:
            pass  # the other keeps them; this one reads everything
        except OSError as error:
            _warn(folder, error.strerror)
        yield store


def _warn(folder: Path, why: str | None) -> None:
    warnings.warn(
        f"Wanted to keep validated rows in {folder}; the system answered: {why or 'it cannot be written to'}. The next "
        "score reads everything. Make room there, allow writing, or name another folder under store.",
        stacklevel=2,
    )


def digest_of(
    connection: duckdb.DuckDBPyConnection, source: SourceSettings, relation: Relation, currency: str | None, base: Path
) -> str:
    """Of all that the kept rows of a source depend on beside its raw rows."""
    types = connection.execute(f"DESCRIBE SELECT * FROM {relation.sql}").fetchall()
    place = [str(base.resolve()), expanded(source.path or "", "path")]
    text = json.dumps(
        [source.model_dump(mode="json"), currency, place, types, duckdb.__version__, code_fingerprint()],
        sort_keys=True,
        default=str,
    )
    return hashlib.sha256(text.encode()).hexdigest()
