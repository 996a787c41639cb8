"""Expressions that a configuration may hold: read by DuckDB's own parser, then held against a short list.

An expression computes one value of one row. It may use constants, the table's columns, operators, ``CASE``, ``CAST``
and the functions below. Everything else (subqueries, other tables, files, settings, several statements) is refused,
and what DuckDB runs is the checked tree written out again, never the text of the configuration.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from threading import Timer
from typing import Any

import duckdb
import pyarrow as pa

from holdfast.errors import ConfigError
from holdfast.sources.connection import connect_in_memory, one
from holdfast.sources.kinds import nearest
from holdfast.sources.relation import Relation
from holdfast.sources.text_growth import MOST_GROWTH, growth

_CLASSES = {
    "BETWEEN",
    "CASE",
    "CAST",
    "COLLATE",
    "COLUMN_REF",
    "COMPARISON",
    "CONJUNCTION",
    "CONSTANT",
    "FUNCTION",
    "OPERATOR",
    "TYPE",
}
_OPERATORS = {
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "**",
    "^",
    "||",
    "~~",
    "!~~",
    "~~*",
    "!~~*",
    "~",
    "!~",
    "&",
    "|",
    "<<",
    ">>",
}
_CONDITIONS = {"coalesce", "ifnull", "nullif", "if", "greatest", "least", "isnan", "isinf", "isfinite", "error_to_null"}
_NUMBERS = {
    "abs",
    "ceil",
    "ceiling",
    "floor",
    "round",
    "round_even",
    "trunc",
    "sign",
    "sqrt",
    "pow",
    "power",
    "exp",
} | {"ln", "log", "log2", "log10", "mod", "fmod", "add", "subtract", "multiply", "divide"}
_TEXTS = {"lower", "upper", "lcase", "ucase", "trim", "ltrim", "rtrim", "length", "strlen", "substr", "substring"} | {
    "left",
    "right",
    "replace",
    "translate",
    "concat",
    "concat_ws",
    "contains",
    "prefix",
    "suffix",
    "starts_with",
    "ends_with",
    "instr",
    "strpos",
    "position",
    "split_part",
    "regexp_matches",
    "regexp_full_match",
    "regexp_extract",
    "regexp_replace",
    "lpad",
    "rpad",
    "reverse",
    "md5",
    "sha256",
    "strip_accents",
    "nfc_normalize",
    "like_escape",
    "not_like_escape",
    "ilike_escape",
    "not_ilike_escape",
    "format",
    "printf",
}
_TIMES = {"date_trunc", "datetrunc", "date_part", "datepart", "date_diff", "datediff", "date_add", "date_sub"} | {
    "year",
    "quarter",
    "month",
    "week",
    "day",
    "dayofweek",
    "isodow",
    "dayofyear",
    "hour",
    "minute",
    "second",
    "last_day",
    "strptime",
    "try_strptime",
    "strftime",
    "make_date",
    "make_time",
    "make_timestamp",
    "make_timestamptz",
    "to_timestamp",
    "epoch",
    "epoch_ms",
    "epoch_us",
    "epoch_ns",
    "timezone",
    "to_years",
    "to_months",
    "to_weeks",
    "to_days",
    "to_hours",
    "to_minutes",
    "to_seconds",
    "to_milliseconds",
    "to_microseconds",
}
FUNCTIONS = frozenset(_OPERATORS | _CONDITIONS | _NUMBERS | _TEXTS | _TIMES) - {"error_to_null"}
"""Scalar functions and operators that an expression may call; none of them sees more than its arguments."""
ROWS_TRIED, SECONDS = 1_000, 10.0
"""So many rows are evaluated before all others, and may take so long, a hundred times of what a real table needs."""
_SHOWN = 100  # letters of an expression in a message


def checked(connection: duckdb.DuckDBPyConnection, expression: str, columns: Collection[str], key: str) -> str:
    """The expression, parsed, checked and written out again by DuckDB.

    Raises
    ------
    ConfigError
        The text is no single expression, names a column that the table lacks, or uses more than is allowed;
        the message begins with ``key``, its place in the configuration.
    """
    shown = repr(expression if len(expression) <= _SHOWN else f"{expression[:_SHOWN]}…")
    try:
        tree = json.loads(one(connection, "SELECT json_serialize_sql(?::VARCHAR)", [f"SELECT {expression}"])[0])
        if tree["error"]:
            raise ConfigError(f"{key}: wanted an SQL expression, found {shown} ({tree['error_message']}).")
        _require_allowed(tree, columns, key, shown)
        rewritten: str = one(connection, "SELECT json_deserialize_sql(?::JSON)", [json.dumps(tree)])[0]
    except (RecursionError, duckdb.InvalidInputException):
        raise ConfigError(
            f"{key}: {shown} is nested too deeply, or holds signs that are no text. Make it simpler, or prepare the "
            "value in a view of your database."
        ) from None
    return rewritten.removeprefix("SELECT ")


def _require_allowed(tree: dict[str, Any], columns: Collection[str], key: str, shown: str) -> None:
    statements = tree["statements"]
    if len(statements) != 1:
        raise ConfigError(f"{key}: wanted one expression, found {len(statements)} statements. Keep one.")
    node = statements[0]["node"]
    if not _bare(node):
        raise ConfigError(f"{key}: wanted one expression, found a query: {shown}. Keep the expression only.")
    known = {name.lower() for name in columns}
    for part in _parts(node["select_list"][0]):
        _check(part, known, columns, key)
    if growth(node["select_list"][0]) > MOST_GROWTH:
        raise ConfigError(
            f"{key}: {shown} can make texts {MOST_GROWTH:,} times as long as they are, or as long as a column says. "
            "Give lpad, format and the like plain lengths, nest less of replace, or prepare the value in a view."
        )


def tried(connection: duckdb.DuckDBPyConnection, relation: Relation, expressions: Mapping[str, str]) -> None:
    """Evaluate expressions, by their places in the configuration, on the first rows of a table, row by row.

    A row on which one fails is no matter here: it is counted where all rows are read.

    Raises
    ------
    ConfigError
        An expression takes more time than any table is worth, or cannot be evaluated whatever the row.
    """
    first = connection.sql(f"SELECT * FROM {relation.sql} LIMIT {ROWS_TRIED}").to_arrow_table()
    rows = pa.Table.from_batches(first.to_batches(max_chunksize=1), first.schema)  # between batches it can be stopped
    with connect_in_memory() as apart:
        apart.register("rows", rows)
        for key, sql in expressions.items():
            timer = Timer(SECONDS, apart.interrupt)
            timer.start()
            try:
                apart.execute(f"SELECT max(strlen(CAST({sql} AS VARCHAR))) FROM rows").fetchall()
            except duckdb.InterruptException:
                raise ConfigError(
                    f"{key}: wanted an expression that is evaluated for {ROWS_TRIED:,} rows within {SECONDS:.0f} "
                    "seconds, found that it takes longer. Look for texts that it makes long, or prepare the value in a "
                    "view of your database."
                ) from None
            except duckdb.OutOfMemoryException:
                raise
            except duckdb.SyntaxException as error:  # quotes no cell
                raise ConfigError(f"{key}: DuckDB cannot evaluate it ({worded(error)}).") from None
            except duckdb.Error:
                pass
            finally:
                timer.cancel()


def worded(error: duckdb.Error) -> str:
    """What DuckDB says of an expression that it has not evaluated on any row."""
    return str(error).split("\n", 1)[0].partition(" Error: ")[2].rstrip(". ")


def _bare(node: dict[str, Any]) -> bool:
    """Whether the statement is SELECT and one expression, with no clause after it."""
    empty = ("modifiers", "where_clause", "group_expressions", "group_sets", "having", "sample", "qualify")
    return (
        node["type"] == "SELECT_NODE"
        and len(node["select_list"]) == 1
        and not node["select_list"][0].get("alias")
        and node["from_table"]["type"] == "EMPTY"
        and not node["cte_map"]["map"]
        and node["aggregate_handling"] == "STANDARD_HANDLING"
        and not any(node.get(clause) for clause in empty)
    )


def _parts(node: Any) -> Iterator[dict[str, Any]]:
    """Every dictionary of the tree that is an expression of its own."""
    if isinstance(node, dict):
        if "class" in node:
            yield node
        for value in node.values():
            yield from _parts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _parts(value)


def _check(part: dict[str, Any], known: set[str], columns: Collection[str], key: str) -> None:
    """Refuse one part of the tree if it is not on the lists."""
    kind = part["class"]
    if kind not in _CLASSES:
        raise ConfigError(
            f"{key}: an expression may hold columns, constants, operators, CASE, CAST and plain functions; "
            f"found {kind.lower().replace('_', ' ')}. Prepare such a value in a view of your database."
        )
    if kind == "COLUMN_REF":
        name = part["column_names"][0]
        if name.lower() not in known:
            raise ConfigError(
                f"{key}: the table has no column {name[:_SHOWN]!r}{nearest(name, columns)}. "
                f"It has {', '.join(columns)}."
            )
    if kind == "FUNCTION":
        name = part["function_name"].lower()
        if name not in FUNCTIONS or part.get("schema") or part.get("catalog"):
            raise ConfigError(
                f"{key}: the function {name!r} is not allowed{nearest(name, FUNCTIONS)}. "
                "Allowed are operators and plain functions of numbers, texts and times; "
                "prepare other values in a view of your database."
            )
