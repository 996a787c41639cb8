"""CSV files in encodings that DuckDB does not read: they are written again as UTF-8, in a temporary folder.

DuckDB reads UTF-8, UTF-16 and Latin-1. Whatever else Python can decode, such as the code page 1252 of Windows, is
decoded strictly: a byte that the encoding does not have is an error, not a question mark.
"""

from __future__ import annotations

import codecs
import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from holdfast.errors import ConfigError
from holdfast.files import TemporaryFolder

_READ_BY_DUCKDB = {"utf-8": "utf-8", "utf-16": "utf-16", "iso8859-1": "latin-1"}
_PIECE = 1 << 20
_LOOKED_AT = 1 << 24


def known(encoding: str, key: str) -> str:
    """Python's name of an encoding.

    Raises
    ------
    ConfigError
        Python knows none of this name.
    """
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise ConfigError(
            f"{key}.csv.encoding: wanted an encoding such as utf-8, cp1252, latin-1 or utf-16, found '{encoding}'."
        ) from None


def of_duckdb(encoding: str, key: str) -> str | None:
    """DuckDB's name of an encoding; None where DuckDB does not read it."""
    return _READ_BY_DUCKDB.get(known(encoding, key))


def guessed(file: Path) -> str | None:
    """The encoding of a text file by its bytes: None if it is UTF-8, or if it cannot be looked at.

    A file that is neither UTF-8 nor marked as UTF-16 is taken for the code page of Windows, or for Latin-1 where it has
    bytes that the code page lacks; both are guesses, to be checked by eye.
    """
    try:
        with _opened(file) as binary:
            found = binary.read(_LOOKED_AT)
    except OSError:
        return None
    if found.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8", "cp1252"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            decoder.decode(found)
        except UnicodeDecodeError:
            continue
        return None if encoding == "utf-8" else encoding
    return "latin-1"


def as_utf8(files: Sequence[Path], encoding: str, key: str) -> tuple[list[Path], TemporaryFolder]:
    """The files once more as UTF-8, and the folder that holds them until it is closed.

    Raises
    ------
    ConfigError
        A file has bytes that the encoding lacks, or is packed in a way that only DuckDB unpacks.
    """
    folder = TemporaryFolder.make()
    found = [folder.path / f"{number:05d}.csv" for number in range(len(files))]
    try:
        for file, place in zip(files, found, strict=True):
            _decode(file, encoding, place, key)
    except BaseException:
        folder.close()
        raise
    return found, folder


def _decode(file: Path, encoding: str, place: Path, key: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        with _opened(file) as raw, place.open("w", encoding="utf-8", newline="") as decoded:
            while piece := raw.read(_PIECE):
                decoded.write(decoder.decode(piece))
            decoded.write(decoder.decode(b"", final=True))
    except UnicodeError:
        raise ConfigError(
            f"{key}.csv.encoding: {file} has bytes that {encoding} does not know. Name the encoding that the file was "
            "written in, such as utf-8, cp1252, latin-1 or utf-16."
        ) from None


def _opened(file: Path) -> IO[bytes]:
    if file.name.lower().endswith(".zst"):
        raise ConfigError(
            f"Wanted {file} unpacked, because it is to be decoded before it is read; found it packed by zstd. Unpack "
            "it, or pack it by gzip."
        )
    return gzip.open(file, "rb") if file.name.lower().endswith(".gz") else file.open("rb")  # type: ignore[return-value]
