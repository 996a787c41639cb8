"""Rows of an export that are no business: without a customer, of guests who share one id, cancelled or failed.

Each becomes a part of the source's ``where``, with what it leaves out beside it; a person decides whether it stays.
"""

from __future__ import annotations

import re
from dataclasses import replace

import duckdb

from holdfast.init.column_words import plain
from holdfast.init.draft import SourceDraft
from holdfast.sources.connection import literal, one, quoted, rows

MANY_MISSING = 0.01
_GUESTS = 0.05  # of all rows belong to one id
_TIMES_THE_MEAN = 10
_FEWEST_ROWS = 200
_STATUS = re.compile(
    r"^(?:(?:order|payment|financial|fulfil\w*|transaction|invoice|sale) )?(?:status|state)$|^\w*status$|^zustand$"
)
_NO_SALE = re.compile(
    r"\b(?:cancel\w*|storn\w*|fail\w*|void\w*|draft\w*|test|declin\w*|expired|abandon\w*|reject\w*|chargeback\w*|refund\w*|"
    r"return\w*|retour\w*|annul\w*|fehlgeschlagen|abgebrochen|abgelehnt|entwurf|erstattet\w*|ungultig|trash|spam)\b"
)
_IN_PART = re.compile(r"\b(?:part\w*|teil\w*|not|un\w*)\b")


def filtered(draft: SourceDraft, condition: str, note: str) -> SourceDraft:
    """The draft with one more condition that rows have to meet."""
    where = condition if draft.where is None else f"({draft.where}) AND ({condition})"
    notes = {**draft.notes, "where": "; ".join(filter(None, (draft.notes.get("where"), note)))}
    return replace(draft, where=where, notes=notes)


def without_cancelled(connection: duckdb.DuckDBPyConnection, draft: SourceDraft, relation: str) -> SourceDraft:
    """Orders whose status says that nothing was sold."""
    column = next((each for each in draft.table.columns if _STATUS.search(each.words) and each.levels), None)
    if column is None or column.name in draft.columns.values():
        return draft
    off = [level for level in column.levels if _NO_SALE.search(plain(level)) and not _IN_PART.search(plain(level))]
    if not off or len(off) == len(column.levels):
        return draft
    name = quoted(column.name)
    inside = f"{name} IN ({', '.join(map(literal, off))})"
    amount = draft.compute.get("amount") or quoted(draft.columns["amount"])
    share, money = one(
        connection,
        f"SELECT avg(CAST(coalesce({inside}, FALSE) AS INTEGER)), "
        f"sum(TRY_CAST({amount} AS DOUBLE)) FILTER ({inside}) / nullif(sum(TRY_CAST({amount} AS DOUBLE)), 0) "
        f"FROM {relation}",
    )
    said = f"CHECK {column.name}: leaves out {', '.join(off)}, {share:.1%} of the rows"
    said += "" if money is None else f" with {money:.1%} of the money"
    return filtered(draft, f"{name} IS NULL OR NOT {inside}", said)


def without_guests(connection: duckdb.DuckDBPyConnection, draft: SourceDraft, relation: str) -> SourceDraft:
    """One id that has an improbable share of the rows, as the number has under which shops book their guests."""
    name = quoted(draft.columns["customer_id"])
    found = rows(
        connection,
        f"SELECT CAST({name} AS VARCHAR), count(*), sum(count(*)) OVER (), count(*) OVER () FROM {relation} "
        f"WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1",
    )
    if not found:
        return draft
    who, count, total, customers = found[0]
    if total < _FEWEST_ROWS or count < _GUESTS * total or count * customers < _TIMES_THE_MEAN * total:
        return draft
    said = f"CHECK: one id has a share of {count / total:.1%} of the rows, as guests have who are no customer together"
    return filtered(draft, f"CAST({name} AS VARCHAR) <> {literal(who)}", said)


def without_nobody(draft: SourceDraft) -> SourceDraft:
    """Rows that name no customer, where they are many."""
    customer = draft.table[draft.columns["customer_id"]]
    missing = 1 - customer.filled
    if missing <= MANY_MISSING:
        return draft
    note = f"{missing:.1%} of the rows name no customer; without this filter they count as rejected"
    name = customer.name if re.match(r"^[A-Za-z_][A-Za-z0-9_]*$", customer.name) else quoted(customer.name)
    return filtered(draft, f"{name} IS NOT NULL", note)
