"""In which order texts write day and month: one decision for a column of a source, from all its rows, never a guess.

A column whose cells all read as ISO 8601 needs none. Of the others every cell is tried day first and month first; the
order that reads more cells is the column's, because a day beyond the twelfth reads in one order alone. Where both read
the same cells, nothing in the data decides, and a person has to.
"""

from __future__ import annotations

import re

import duckdb

from holdfast.errors import ConfigError
from holdfast.sources import casts, text_times
from holdfast.sources.connection import one
from holdfast.sources.mapping import SourceMapping
from holdfast.sources.text_times import Formats, stamped

_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_SIGNS = "/.-"
_LOOKED_AT = 5_000
_LEAST_READ = 0.95


def formats(order: str) -> Formats:
    """How a date is written in an order, such as ``%d{}%m{}%Y``, with any sign between and any clock behind."""
    return tuple(order.format(sign, sign) + clock for sign in _SIGNS for clock in _CLOCKS)


DAY_FIRST, MONTH_FIRST = formats("%d{0}%m{1}%Y"), formats("%m{0}%d{1}%Y")


def time_formats(connection: duckdb.DuckDBPyConnection, mapping: SourceMapping, relation: str) -> dict[str, Formats]:
    """For each mapped text column of times that is not written as ISO 8601, by our name, how it is written.

    Raises
    ------
    ConfigError
        Both orders of day and month read the same cells, or neither reads most of them.
    """
    if mapping.declared_formats:
        return dict(mapping.formats)
    found: dict[str, Formats] = {}
    for name in mapping.texts_of_times:
        picked = mapping.picked[name]
        cells = f"SELECT {casts.text(picked.expression, picked.kind).value} AS t FROM {relation}"
        known = f"WHERE t IS NOT NULL AND NOT {text_times.not_yet('t')}"
        strange = f"count(*) FILTER (NOT {text_times.readable('t')})"
        if one(connection, f"SELECT {strange} FROM ({cells} LIMIT {_LOOKED_AT}) {known}")[0]:
            found[name] = _decided(connection, f"SELECT t FROM ({cells}) {known}", picked.key, mapping)
    return found


def _decided(connection: duckdb.DuckDBPyConnection, cells: str, key: str, mapping: SourceMapping) -> Formats:
    """The formats of a column; empty where ISO 8601 reads it best."""
    day, month = stamped("t", DAY_FIRST), stamped("t", MONTH_FIRST)
    total, iso, first, second, example = one(
        connection,
        f"SELECT count(*), count(*) FILTER ({text_times.readable('t')}), count({day}), count({month}), "
        f"min(t) FILTER ({day} IS NOT NULL AND {month} IS NOT NULL AND {day} <> {month}) FROM ({cells})",
    )
    if iso >= max(first, second):
        return ()
    where = f"sources.{mapping.name}.csv.date_format"
    if first == second and first >= _LEAST_READ * total:
        raise ConfigError(
            f"{key}: {first:,} of {total:,} cells read day first as well as month first, such as {_masked(example)}, "
            f"and nothing in the data tells which is meant. Write {where}, for example %d/%m/%Y or %m/%d/%Y, with the "
            "sign between them as the file has it (and csv.time_format where a clock follows)."
        )
    if max(first, second) < _LEAST_READ * total:
        raise ConfigError(
            f"{key}: {first:,} of {total:,} cells read day first, {second:,} month first: the files or rows contradict "
            f"each other. Bring them to one order, or write {where}."
        )
    return DAY_FIRST if first > second else MONTH_FIRST


def _masked(example: str | None) -> str:
    """A cell without its digits but for day and month, which are the question."""
    whole = str(example)
    return repr(whole[:6] + re.sub(r"\d", "9", whole[6:]))
