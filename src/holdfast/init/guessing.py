"""Guess what raw tables are: which kind of source each is, and which of its columns are ours.

Names decide, contents confirm: a column is proposed for an id, a time, a number or a flag only if it can be one.
Every guess carries its reason, and what nobody could decide is left to the reader as a comment.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from holdfast.errors import ConfigError
from holdfast.init.column_words import FILES, ROW_ID, WORDS, place, plain
from holdfast.init.draft import Draft, SourceDraft
from holdfast.init.profile import ColumnProfile, TableProfile, profile_table
from holdfast.init.refining import refine
from holdfast.sources.connection import connect, discard
from holdfast.sources.kinds import KINDS, kind_of
from holdfast.sources.readers import files_of

LEAST_EVIDENCE = 3.0
_EVIDENCE = {
    "orders": {"amount": 3.0, "order_id": 1.0, "quantity": 0.5, "category": 0.5, "discount": 0.5, "currency": 0.5},
    "engagement": {"kind": 2.0, "quantity": 0.5},
    "tickets": {"ticket_id": 2.0, "resolved_time": 2.0, "severity": 1.0, "satisfaction": 0.5, "topic": 0.5},
    "subscriptions": {"mrr": 3.0, "subscription_id": 1.0, "plan": 0.5, "term_end": 1.0},
    "surveys": {"score": 2.0},
    "contacts": {"offer": 1.5, "responded_time": 1.5, "channel": 1.0, "action": 1.0},
    "customers": {"signup_time": 2.0, "consent": 1.5},
}
_FILE_EVIDENCE = 2.0
_UNIQUE_SHARE = 0.97  # exports repeat rows


def guess(files: Sequence[Path | str]) -> Draft:
    """Look at Parquet and CSV files and draft the ``sources`` of a configuration.

    Parameters
    ----------
    files : sequence of paths
        Each file is a table of its own; a folder stands for the files directly in it.

    Raises
    ------
    ConfigError
        A file is missing or cannot be read, or no file at all was given.
    """
    paths = [file for given in files for file in _tables(Path(given))]
    if not paths:
        raise ConfigError("Wanted raw tables to look at, found no file. Name Parquet or CSV files.")
    connection, folder = connect("1GB", 2)
    try:
        tables = [profile_table(connection, path) for path in paths]
        offers = [offer for table in tables for offer in _offers(table)]
        chosen: dict[str, SourceDraft] = {}
        used: set[Path] = set()
        for offer in sorted(
            offers, key=lambda offer: (-offer.evidence, KINDS.index(offer.kind), str(offer.table.file))
        ):
            if offer.kind not in chosen and offer.table.file not in used:
                chosen[offer.kind] = offer
                used.add(offer.table.file)
        left = {table.file: _why_not(table, chosen) for table in tables if table.file not in used}
        refined = [refine(connection, chosen[kind]) for kind in KINDS if kind in chosen]
        return Draft(tuple(refined), left)
    finally:
        discard(connection, folder)


def _tables(given: Path) -> list[Path]:
    found = files_of(str(given), "FILES", Path.cwd())
    return [file for file in found if not given.is_dir() or file.parent == given.absolute()]


def _offers(table: TableProfile) -> list[SourceDraft]:
    """Every kind that the table could be, with its mapping and the evidence for it."""
    if table.rows == 0:
        return []
    found = []
    for kind in KINDS:
        columns = _mapped(table, kind)
        required = {column.name for column in kind_of(kind, columns).columns if column.required}
        if not required <= set(columns):
            continue
        evidence = sum(_EVIDENCE[kind].get(own, 0.0) for own in columns)
        if re.search(rf"\b(?:{FILES[kind]})", plain(table.file.name.partition(".")[0])):
            evidence += _FILE_EVIDENCE
        if kind == "customers":
            unique = table[columns["customer_id"]].distinct >= _UNIQUE_SHARE * table.rows
            evidence += 2.0 if unique else -3.0
        if evidence >= LEAST_EVIDENCE:
            found.append(SourceDraft(kind, table, columns, evidence))
    return found


def _mapped(table: TableProfile, kind: str) -> dict[str, str]:
    """Our columns and the table's, each column of the table used once; the best matching names go first."""
    offers = []
    for own, patterns in WORDS[kind].items():
        for column in table.columns:
            at = place(column.words, patterns)
            if at is not None and _can_be(column, own, kind, table):
                offers.append((at, list(WORDS[kind]).index(own), own, column.name))
    columns: dict[str, str] = {}
    for _, _, own, name in sorted(offers, key=lambda offer: offer[:2]):
        if own not in columns and name not in columns.values():
            columns[own] = name
    if kind == "subscriptions":
        drop = (
            ("event_time", "kind") if "start_time" in columns and "end_time" in columns else ("start_time", "end_time")
        )
        columns = {own: name for own, name in columns.items() if own not in drop}
    first = kind_of(kind, columns).time
    times = [column.name for column in table.columns if column.is_time and column.name not in columns.values()]
    if first is not None and first not in columns and len(times) == 1:
        columns[first] = times[0]
    identifier = _row_id(table, kind, columns)
    if identifier is not None:
        columns["event_id"] = identifier
    return {own: columns[own] for own in kind_of(kind, columns).names if own in columns}


def _can_be(column: ColumnProfile, own: str, kind: str, table: TableProfile) -> bool:
    """Whether the content of a column allows the role."""
    if column.filled == 0:
        return False
    if own == "customer_id" and kind != "customers" and column.words == "id":
        return column.distinct < _UNIQUE_SHARE * table.rows * column.filled  # else it numbers the rows
    forms = (column for mapped in ((), ("start_time",)) for column in kind_of(kind, mapped).columns)
    role = next((found.role for found in forms if found.name == own), "id")
    if own == "ticket_id":
        return not column.is_time and column.distinct >= _UNIQUE_SHARE * table.rows * column.filled
    if own == "score":
        return column.is_number and column.low is not None and column.low >= 0 and (column.high or 0) <= 10
    if role in ("time", "known", "later", "date"):
        return column.is_time
    if role == "number":
        return column.is_number
    if role == "flag":
        return column.is_consent if own == "consent" else column.is_flag
    if role in ("category", "currency"):
        return not column.is_time and column.kind not in ("DOUBLE", "FLOAT")
    return not column.is_time and column.kind != "BOOLEAN"


def _row_id(table: TableProfile, kind: str, columns: dict[str, str]) -> str | None:
    """A column that numbers the rows, if one is left that looks like it and hardly repeats."""
    if kind in ("customers", "tickets"):
        return None
    order = columns.get("order_id")
    if order is not None and table[order].distinct >= _UNIQUE_SHARE * table.rows:
        del columns["order_id"]  # one row an order: the order's number is the row's
        return order
    for column in table.columns:
        free = column.name not in columns.values() and not column.is_time and column.kind not in ("DOUBLE", "FLOAT")
        if free and ROW_ID.search(f" {column.words}") and column.distinct >= _UNIQUE_SHARE * table.rows:
            return column.name
    return None


def _why_not(table: TableProfile, chosen: dict[str, SourceDraft]) -> str:
    """What to tell about a table that no source was made of."""
    if table.rows == 0:
        return "it has no rows"
    if not any(place(column.words, WORDS["customers"]["customer_id"]) is not None for column in table.columns):
        return "no column looks like a customer id; join one to it, for example in a view"
    same = [offer.kind for offer in _offers(table) if offer.kind in chosen]
    if same:
        taken = chosen[same[0]].table.file.name
        return f"it looks like {same[0]}, and so does {taken}; if they are one table, name a folder or a glob"
    return "its columns fit no kind of source"
