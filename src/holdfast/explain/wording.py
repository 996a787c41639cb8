"""One feature and one value as words: "spent {value} in the last 90 days" and 1234.0 become a sentence.

In go the feature's record and a value; out comes the sentence. A noun that belongs to the unit is added where the
meaning does not carry it ("last ordered 12 days ago"), and a single thing is spoken of in the singular ("placed 1
order").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pandas as pd

from holdfast.models.feature_record import FeatureRecord

Speak = Callable[[Any], str]

_NOUNS = {"days": "day", "hours": "hour", "months": "month"}
_NOT_COUNTED = frozenset(
    ["a", "an", "and", "as", "at", "by", "for", "from", "in", "of", "on", "or", "per", "so", "than", "the", "to"]
)

_TRENDS = (
    (-0.99, "nothing"),
    (-0.5, "much less"),
    (-0.1, "less"),
    (0.1, "about as much"),
    (0.5, "more"),
    (1.0, "much more"),
)


def speaker(feature: FeatureRecord, currency: str | None) -> Speak:
    """The function that turns values of one feature into sentences.

    Parameters
    ----------
    currency : str or None
        Written after amounts, such as EUR.

    Examples
    --------
    >>> spend = FeatureRecord("spend_90d", meaning="spent {value} in the last 90 days", unit="currency")
    >>> speaker(spend, "EUR")(1234.4)
    'spent 1,234 EUR in the last 90 days'
    """
    meaning, unit = feature.meaning, feature.unit
    before, marked, after = meaning.partition("{value}")
    empty = feature.when_empty

    def speak(value: Any) -> str:
        if _missing(value):
            if _missing(empty):
                return feature.when_missing
            value = empty
        if not marked:  # a flag's meaning may be the whole statement
            return meaning if value else f"not so: {meaning}"
        shown, rest = _with_noun(number(value, unit, currency), unit, after)
        return f"{before}{shown}{rest}"

    return speak


def number(value: Any, unit: str, currency: str | None = None) -> str:
    """A value in its unit, rounded as a person would say it, without the noun of the unit."""
    if isinstance(value, str):
        return value
    amount = float(value)
    if unit == "currency":
        return _rounded(amount, 0 if abs(amount) >= 100 else 2) + (f" {currency}" if currency else "")
    if unit == "share":
        percent = amount * 100
        return _rounded(percent, 1 if 0 < abs(percent) < 1 else 0) + " %"
    if unit == "flag":
        return "yes" if amount else "no"
    if unit == "trend":
        return next((words for most, words in _TRENDS if amount <= most), _TRENDS[-1][1])
    if unit == "log-odds":
        return f"{amount:+.2f}"
    if unit in ("days", "hours"):
        return _rounded(amount, 0 if abs(amount) >= 1 else 1)
    if unit == "ratio":
        return _rounded(amount, 2 if abs(amount) < 1 else 1 if abs(amount) < 100 else 0)
    return _rounded(amount, 1 if abs(amount) < 100 else 0)


def _missing(value: Any) -> bool:
    return value is None or bool(pd.isna(value))


def _rounded(amount: float, digits: int) -> str:
    text = f"{amount:,.{digits}f}"
    if "." in text and digits == 1:
        text = text.removesuffix(".0")
    elif digits == 2:
        text = text.removesuffix(".00")
    return "0" if text in ("-0", "-0.00") else text


def _with_noun(shown: str, unit: str, after: str) -> tuple[str, str]:
    """The value with its unit's noun, and the rest of the sentence in the number that fits."""
    if unit in _NOUNS and not re.match(rf" {_NOUNS[unit]}s?\b", after):
        return f"{shown} {_NOUNS[unit]}{'' if shown == '1' else 's'}", after
    if unit == "ratio" and re.match(r" (the|as)\b", after):
        return f"{shown} times", after
    return (shown, _singular(after)) if shown == "1" else (shown, after)


def _singular(after: str) -> str:
    """One thing counted: " open tickets ago" becomes " open ticket ago"; the noun is the first word or the second."""
    parts = after.split(" ")  # begins with an empty part, because {value} is followed by a space
    if len(parts) < 2 or parts[0]:
        return after
    for place in (1, 2):
        if place >= len(parts) or parts[place] in _NOT_COUNTED:
            break
        word = parts[place]
        if word.endswith("ies"):
            parts[place] = word[:-3] + "y"
            break
        if word.endswith("s") and not word.endswith("ss"):
            parts[place] = word[:-1]
            break
    return " ".join(parts)
