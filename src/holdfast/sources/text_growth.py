"""How long an expression can make a text: while DuckDB does, it neither keeps to its memory nor can be stopped."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MOST_GROWTH = 10_000
_LENGTH_BY = {"lpad": 1, "rpad": 1, "format": 0, "printf": 0}
"""The argument that says how long a text becomes."""
_WIDTH = re.compile(r"(?:^-?(?=\d+$)|[%:][^\w\s}]*)(?P<digits>\d+)|%[^\w\s]*\*|\{[^{}]*:[^}]*\{")  # or an argument
_OF_A_CELL = 100  # letters that a replacement may have that is no constant


def growth(part: Any) -> float:
    """How many times as long as its cells an expression can make a text."""
    if isinstance(part, list):
        return max(map(growth, part), default=1.0)
    if not isinstance(part, dict):
        return 1.0
    inner = max(map(growth, part.values()), default=1.0)
    name, given = str(part.get("function_name")).lower(), [_constant(each) for each in _arguments(part)]
    if name in _LENGTH_BY:
        return inner + max(map(_width, given[_LENGTH_BY[name] :][:1]), default=0.0)
    if name in ("replace", "regexp_replace") and len(given) > 2:
        found = len(given[1] or "") if name == "replace" else 0
        return inner * max(1.0, (_OF_A_CELL if given[2] is None else len(given[2])) / max(1, found))
    return inner


def _width(said: str | None) -> float:
    """Letters that a length or a format asks for; without end where it is no constant."""
    if said is None:
        return float("inf")
    return max((float(found["digits"] or "inf") for found in _WIDTH.finditer(said)), default=0.0)


def _arguments(call: Mapping[str, Any]) -> list[dict[str, Any]]:
    given = call.get("arguments", call.get("children", []))  # versions of DuckDB name them apart
    return [argument.get("expression", argument) for argument in given if isinstance(argument, dict)]


def _constant(part: Mapping[str, Any]) -> str | None:
    """The text of a constant; None for anything else."""
    literal = part.get("literal", part.get("value"))
    return (
        None if part.get("class") != "CONSTANT" or literal is None else str(literal.get("text", literal.get("value")))
    )
