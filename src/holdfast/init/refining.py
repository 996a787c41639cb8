"""What follows once the kind of a table is known: amounts per unit, zones, translations, attributes, open questions."""

from __future__ import annotations

import re
from dataclasses import replace

import duckdb

from holdfast.init.column_words import NEGATED, NO, STATIC, TELLS_THE_FUTURE, VALUES, YES, place, plain
from holdfast.init.draft import SourceDraft
from holdfast.init.row_filters import without_cancelled, without_guests, without_nobody
from holdfast.sources.connection import one, quoted
from holdfast.sources.kinds import MOMENTS, kind_of
from holdfast.sources.readers import open_relation
from holdfast.sources.relation import Relation
from holdfast.sources.settings import AttributeSettings, CsvSettings, SourceSettings

_TOTAL_CORRELATION = 0.3
_COST = re.compile(r"^(?:cost|kosten|wareneinsatz|cogs)\b")
_UNDERSTOOD = ("1", "true", "t", "yes", "y", "0", "false", "f", "no", "n")  # without a translation
_MONEY = re.compile(r"\b(?:price|sales|revenue|turnover|total|value|paid|preis|umsatz|betrag)\b")
_FRACTIONS, _MOST_PIECES = ("DOUBLE", "FLOAT"), 1_000
_PLAIN_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")


def refine(connection: duckdb.DuckDBPyConnection, draft: SourceDraft) -> SourceDraft:
    """Complete the draft of one source."""
    if draft.kind == "customers":
        draft = _consent(_attributes(draft))
    if draft.kind != "orders":
        return _times(_values(without_nobody(draft)))
    relation = _opened(connection, draft)
    try:
        draft = without_cancelled(connection, _order(_amount(connection, draft, relation.sql)), relation.sql)
        draft = without_guests(connection, without_nobody(draft), relation.sql)
    finally:
        relation.release()
    return _times(_values(draft))


def _name(raw: str) -> str:
    """The raw column as an expression names it."""
    return raw if _PLAIN_NAME.match(raw) else quoted(raw)


def _noted(draft: SourceDraft, **notes: str) -> dict[str, str]:
    return {**draft.notes, **notes}


def _amount(connection: duckdb.DuckDBPyConnection, draft: SourceDraft, relation: str) -> SourceDraft:
    """A price per piece times the quantity; margin from a column of costs."""
    columns, compute = dict(draft.columns), dict(draft.compute)
    notes = {"amount": "refunds must be rows of their own with a negative amount"}
    money = _money_beside(draft)
    if money is not None:
        notes["amount"] = f"CHECK: {columns['amount']} holds whole numbers, as pieces do; " + notes["amount"]
        columns.setdefault("quantity", columns["amount"])
        columns["amount"] = money
    raw, quantity = columns["amount"], columns.get("quantity")
    words = plain(raw)
    expression = _name(raw)
    if quantity is not None and re.search(r"\b(?:price|preis|stuckpreis|einzelpreis)$", words):
        per_unit = re.search(r"\bunit\b|stuck|einzel", words) is not None
        if not per_unit:
            query = f"SELECT corr({quoted(raw)}, {quoted(quantity)}) FROM (SELECT * FROM {relation} LIMIT 300000)"
            per_unit = (one(connection, query)[0] or 0.0) < _TOTAL_CORRELATION
        if per_unit:
            del columns["amount"]
            expression = f"{_name(quantity)} * {_name(raw)}"
            compute["amount"] = expression
            notes["amount"] = "price per piece times pieces; " + notes["amount"]
        else:
            notes["amount"] = f"it grows with {quantity}, so it is the whole line's; " + notes["amount"]
    cost = next((column.name for column in draft.table.columns if _COST.search(column.words)), None)
    if cost is not None and "margin" not in columns and draft.table[cost].is_number:
        compute["margin"] = f"{expression} - {_name(cost)}"
        notes["margin"] = "amount less cost"
    return replace(draft, columns=columns, compute=compute, notes=_noted(draft, **notes))


def _money_beside(draft: SourceDraft) -> str | None:
    """A column of prices or sales with fractions, where the one called an amount counts pieces."""
    own = draft.table[draft.columns["amount"]]
    if own.kind in _FRACTIONS or (own.high or 0) > _MOST_PIECES or own.distinct > _MOST_PIECES:
        return None
    used = draft.columns.values()
    others = [each for each in draft.table.columns if each.name not in used and each.kind in _FRACTIONS]
    return next((each.name for each in others if _MONEY.search(each.words)), None)


def _opened(connection: duckdb.DuckDBPyConnection, draft: SourceDraft) -> Relation:
    file = draft.table.file.absolute()
    source = SourceSettings(path=str(file), csv=CsvSettings.model_validate(draft.table.csv))
    return open_relation(connection, file.name, source, base=file.parent, frames={})


def _order(draft: SourceDraft) -> SourceDraft:
    """Rows that carry dates only and no order number are one order a day."""
    time = draft.table[draft.columns["event_time"]]
    if "order_id" in draft.columns or "event_id" in draft.columns or not time.only_dates:
        return draft
    compute = {**draft.compute, "order_id": f"strftime(CAST({_name(time.name)} AS DATE), '%Y-%m-%d')"}
    return replace(
        draft, compute=compute, notes=_noted(draft, order_id="no order number: one order a customer and day")
    )


def _times(draft: SourceDraft) -> SourceDraft:
    """A zone, where times carry none."""
    roles = {column.name: column.role for column in kind_of(draft.kind, draft.columns).columns}
    naive = [
        raw
        for own, raw in draft.columns.items()
        if roles[own] in ("time", "known", "later", "date") and draft.table[raw].naive
    ]
    if not naive:
        return draft
    if all(draft.table[raw].only_dates for raw in naive):
        note = "dates count from midnight in this zone"
    else:
        note = "the times carry no zone: CHECK where their clocks stand, for example Europe/London"
    return replace(draft, timezone="UTC", notes=_noted(draft, timezone=note))


def _values(draft: SourceDraft) -> SourceDraft:
    """Translate values to our words."""
    values, questions = dict(draft.values), list(draft.questions)
    for (kind, own), patterns in VALUES.items():
        if kind != draft.kind or own not in draft.columns:
            continue
        pairs = {}
        for level in draft.table[draft.columns[own]].levels:
            ours = next((word for pattern, word in patterns if re.search(pattern, plain(level))), None)
            if ours is not None and ours != level:
                pairs[level] = ours
            if ours is None and (kind, own) == ("subscriptions", "kind"):
                questions.append(
                    f"values.kind: what is {level!r}? One of {', '.join(MOMENTS)}; else its rows are rejected."
                )
        if pairs:
            values[own] = pairs
    return replace(draft, values=values, questions=tuple(questions))


def _consent(draft: SourceDraft) -> SourceDraft:
    """How a column of consent is read; one that says no turns around. A person has to look at it either way."""
    raw = draft.columns.get("consent")
    if raw is None:
        return draft
    column, turned = draft.table[raw], NEGATED.search(plain(raw)) is not None
    if column.kind == "BOOLEAN" and turned:
        columns = {own: name for own, name in draft.columns.items() if own != "consent"}
        notes = _noted(draft, consent="CHECK: the column says the opposite, who is true in it has not agreed")
        return replace(draft, columns=columns, compute={**draft.compute, "consent": f"NOT {_name(raw)}"}, notes=notes)
    words = {level: level.strip().lower() for level in column.levels}
    agreed = [level for level, word in words.items() if word in (NO if turned else YES)]
    strange = [level for level, word in words.items() if word not in (*YES, *NO)]
    pairs = dict.fromkeys(strange, "")
    for level, word in words.items():
        if level not in strange and (turned or word not in _UNDERSTOOD):
            pairs[level] = "yes" if level in agreed else "no"
    said = f"CHECK: {' and '.join(map(repr, agreed)) or 'nothing'} counts as consent"
    said += ", because the column says the opposite" if turned else ""
    said += f"; {len(strange)} other words count as unknown" if strange else ""
    values = {**draft.values, **({"consent": pairs} if pairs else {})}
    return replace(draft, values=values, notes=_noted(draft, consent=said))


def _attributes(draft: SourceDraft) -> SourceDraft:
    """Attributes that hardly ever change; the others are named and left to the reader."""
    found: dict[str, AttributeSettings] = {}
    future, unsure = [], []
    for column in draft.table.columns:
        if column.name in draft.columns.values() or column.is_time:
            continue
        if TELLS_THE_FUTURE.search(column.words):
            future.append(column.name)
            continue
        at = place(column.words, STATIC)
        own = "channel" if at == 1 else re.sub(r"\W", "_", column.words)
        if at is not None and column.levels and column.kind not in ("DOUBLE", "FLOAT") and own not in found:
            found[own] = AttributeSettings(column=column.name, static=True)
        else:
            unsure.append(column.name)
    questions = list(draft.questions)
    if future:
        questions.append(
            f"{_some(future)}: left out, because such columns are usually written on the day of the export "
            "and tell what happened later."
        )
    if unsure:
        questions.append(
            f"{_some(unsure)}: add under attributes what explains customers, as static if it never changes, "
            "or with the column that says since when it is known (known_time)."
        )
    return replace(draft, attributes=found, questions=tuple(questions))


def _some(names: list[str]) -> str:
    """The first names of a list."""
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
