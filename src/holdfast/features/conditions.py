"""Conditions as texts: ``kind == 'visit' and amount >= 10``.

::

    condition  = comparison { "and" comparison }
    comparison = column ( "==" | ">=" | ">" | "<=" | "<" ) value
    value      = a number, or a text between ' or "

Nothing is evaluated: the text becomes :class:`~holdfast.history.conditions.Where` records, or is refused.
"""

from __future__ import annotations

import re

from holdfast.history.conditions import Condition, Where

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]))|(?P<name>[^\W\d]\w*)|(?P<test>==|>=|<=|>|<)"
    r"|'(?P<single>[^']*)'|\"(?P<double>[^\"]*)\"|(?P<wrong>\S))"
)


def condition(text: str) -> Condition:
    """The condition that a text states.

    Raises
    ------
    ValueError
        The text has another form; says where it stops making sense.
    """
    tokens = [(str(found.lastgroup), found[str(found.lastgroup)], found.start()) for found in _TOKEN.finditer(text)]
    whole: Condition = _comparison(text, tokens[:3])
    for place in range(3, len(tokens), 4):
        joint, following = tokens[place], tokens[place + 1 : place + 4]
        if joint[:2] != ("name", "and"):
            raise _refused(text, joint[2], "'and' or the end")
        whole &= _comparison(text, following)
    return whole


def _comparison(text: str, tokens: list[tuple[str, str, int]]) -> Where:
    wanted = (({"name"}, "a column"), ({"test"}, "one of == >= > <= <"), ({"number", "single", "double"}, "a value"))
    for i, (kinds, words) in enumerate(wanted):
        if i >= len(tokens) or tokens[i][0] not in kinds:
            raise _refused(text, tokens[i][2] if i < len(tokens) else len(text), words)
    (_, column, _), (_, test, _), (kind, value, at) = tokens
    if kind != "number" and test != "==":
        raise _refused(text, at, "a number after > or <")
    return Where(column, test, float(value) if kind == "number" else value)


def _refused(text: str, at: int, wanted: str) -> ValueError:
    rest = text[at:].strip()
    found = f"found {rest[:30]!r}" if rest else "found its end"
    return ValueError(
        f"wanted {wanted}, {found}, in the condition {text!r}; write one such as kind == 'visit' and quantity >= 10"
    )
