"""The account of one source and when it stops everything; the same words on every engine."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from holdfast.errors import DataError
from holdfast.sources.connection import literal, quoted
from holdfast.sources.mapping import SourceMapping
from holdfast.sources.report import SourceReport

UNREADABLE = (
    duckdb.ConversionException,
    duckdb.InvalidInputException,
    duckdb.NotSupportedError,
    duckdb.OutOfRangeException,
    duckdb.SyntaxException,
)
"""What DuckDB raises on a cell that it cannot read; its message quotes the cell, so it is never shown."""


def unreadable(mapping: SourceMapping) -> DataError:
    """The error for a row that stops the reading: files aside, the filter runs without TRY, and TRY lets some pass."""
    keys = [f"sources.{mapping.name}.where"] if mapping.where else []
    keys += sorted(picked.key for picked in mapping.picked.values() if picked.expression.startswith("TRY("))
    return DataError(
        f"Source '{mapping.name}' has a row that cannot be read"
        + (
            f", or on which {' or '.join(keys)} fails; convert there with TRY_CAST."
            if keys
            else ". Check that its files are whole."
        )
    )


def require_rows(mapping: SourceMapping, total: int, passed: int) -> None:
    """Refuse a table of ``total`` rows if it is empty, or if its filter passes none of them."""
    if total == 0:
        raise DataError(f"Source '{mapping.name}' has no rows. Check the file, or take the source out.")
    if passed == 0:
        raise DataError(
            f"Source '{mapping.name}' has no rows left: its filter keeps none of {total:,}. "
            f"Check sources.{mapping.name}.where."
        )


def require_valid(account: SourceReport) -> None:
    """Refuse a source of which every row is rejected."""
    if account.rows_valid == 0:
        listed = ", ".join(f"{reason}: {found:,}" for reason, found in account.rejected.items())
        raise DataError(
            f"Source '{account.name}' has no valid row among {account.rows_in:,} ({listed}). "
            f"Check that sources.{account.name}.columns names the right columns."
        )


def require_one(mapping: SourceMapping, currencies: int) -> None:
    """Refuse a source whose good rows hold several currencies."""
    if currencies > 1:
        raise DataError(
            f"Source '{mapping.name}' has mixed currencies ({currencies} of them), and sums over them mean nothing. "
            "Write 'currency', for example EUR, to keep the rows of one, or convert the amounts before."
        )


def account_of(
    name: str,
    valid: int,
    reasons: Mapping[str, int],
    notes: Mapping[str, int],
    filtered: int,
    first: int | None,
    last: int | None,
) -> SourceReport:
    """The account, reasons and notes from the commonest down."""
    return SourceReport(
        name, valid + sum(reasons.values()), valid, _sorted(reasons), filtered, _sorted(notes), first, last
    )


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def cells(mapping: SourceMapping) -> str:
    """SQL over a mapped table: the mapped cells of a rejected row, as they were read, as one JSON text."""
    own = ", ".join(f"{literal(name)}: {quoted(name)}" for name in mapping.picked)
    return f"coalesce(raw, CAST(to_json({{{own}}}) AS VARCHAR))"
