"""Texts that hold times: which say their zone and how they are read, and the words that systems write for "not yet".

A zone is an offset (with or without a blank before it), ``Z``, ``UTC``, ``GMT``, an IANA name such as Europe/Berlin, or
an abbreviation that means one offset alone: those of the obsolete forms of RFC 5322 (section 4.3) and those of central
and western Europe. ``CST``, ``IST`` or ``BST`` mean several; a text that ends in such a word is no time, because what
it says would have to be guessed.
"""

from __future__ import annotations

from holdfast.sources.connection import literal

OFFSETS = {
    "EST": "-05:00",
    "EDT": "-04:00",
    "MST": "-07:00",
    "MDT": "-06:00",
    "PST": "-08:00",
    "PDT": "-07:00",
    "CET": "+01:00",
    "CEST": "+02:00",
    "MEZ": "+01:00",
    "MESZ": "+02:00",
    "WET": "+00:00",
    "WEST": "+01:00",
    "EET": "+02:00",
    "EEST": "+03:00",
}
"""Abbreviations that mean one offset alone."""

Formats = tuple[str, ...]
"""As ``strptime`` takes them."""

_CLOCK = r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?"
_OFFSET = r"[+-][0-9]{2}(:?[0-9]{2})?"
_NAMED = rf"{'|'.join(OFFSETS)}|[a-z]+/[a-z_]+(/[a-z_]+)?"
TEXT_ZONE = literal(rf"(?i){_CLOCK}(\s*(z|utc|gmt|{_OFFSET})|\s+({_NAMED}))\s*$")
"""Matches a text such as 2024-03-01T10:00:00+01:00, whose time says its zone."""

_NOT_YET = literal(
    r"^(0000-00-00.*|(1970-01-01|01[./]01[./]1970)([ T]00:00(:00([.]0+)?)?)?\s*(z|utc|gmt|[+-]00(:?00)?)?)$"
)


def zoned(text: str) -> str:
    """A TIMESTAMPTZ of a text that says its zone, or NULL."""
    offset = literal(rf"\s+(z|{_OFFSET})$")
    closed = f"regexp_replace({text}, {offset}, '\\1', 'i')"
    word = f"upper(regexp_extract({text}, '[A-Za-z]+$'))"
    bare = f"rtrim(regexp_replace({text}, '\\s*[A-Za-z]+$', ''))"
    arms = " ".join(f"WHEN {literal(name)} THEN {bare} || {literal(offset)}" for name, offset in OFFSETS.items())
    return f"TRY_CAST(CASE {word} {arms} ELSE {closed} END AS TIMESTAMPTZ)"


def local(text: str, formats: Formats = ()) -> str:
    """A TIMESTAMP of a text that says no zone, in one of the formats or as ISO 8601, or NULL.

    A word at its end that is no zone makes it no time.
    """
    iso = f"CASE WHEN regexp_matches({text}, '[0-9][^0-9]*[A-Za-z]$') THEN NULL ELSE TRY_CAST({text} AS TIMESTAMP) END"
    return f"coalesce({stamped(text, formats)}, {iso})" if formats else iso


def stamped(text: str, formats: Formats) -> str:
    """A TIMESTAMP of a text written in one of the formats, or NULL."""
    return f"try_strptime({text}, [{', '.join(map(literal, formats))}])"


def readable(text: str, formats: Formats = ()) -> str:
    """Whether a text is a time, with a zone or without."""
    return (
        f"(CASE WHEN regexp_matches({text}, {TEXT_ZONE}) THEN {zoned(text)} IS NOT NULL "
        f"ELSE {local(text, formats)} IS NOT NULL END)"
    )


def not_yet(text: str) -> str:
    """Whether a text is what systems write where a moment has not come: a date of zeros, or the first of 1970."""
    return f"coalesce(regexp_matches({text}, {_NOT_YET}, 'i'), FALSE)"
