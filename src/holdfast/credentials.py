"""Credentials in texts that people or stores will see: addresses, settings, and what servers say; the one place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

PERCENT_ENCODED = "In an address, signs such as / ? # [ ] @ % of a password are written as %2F %3F %23 %5B %5D %40 %25."
_HIDDEN = "***"
_NAME = (
    r"(?:password|passwd|passphrase|pwd|token|secret|credentials?|auth|authorization|signature|\bsig"
    r"|(?:api|access|account|private|secret|shared|encryption)[-_. ]?key)"
)
_IS_SECRET = re.compile(rf"(?i){_NAME}$")
_KEYED = re.compile(
    rf"""(?ix) (?P<key>{_NAME} [\\"']* \s* (?:=>|[=:]|%3D) \s*)
    (?P<value> {re.escape(_HIDDEN)}
    | "(?:[^"\\]|\\.|"")*"? | '(?:[^'\\]|\\.|'')*'? | \{{[^}}]*\}}?  # as JSON, YAML, libpq and ODBC quote
    | [^\r\n]*? (?= [\s&;,]+ [\w.-]+ \s* = (?! [=\s] | $ ) | [\r\n] | $ ))  # else, blanks and all, to the next key""",
)
_SCHEME = re.compile(r"(?i)\b(?P<scheme>basic|bearer|digest)(?P<blank>\s+)(?-i:(?=\S*[A-Z\d=]))\S+")
_USER_INFO = re.compile(r"(?P<scheme>\b[A-Za-z][\w+.-]*:/+)\S*@")  # one slash where a path took it for a folder
_PORT = re.compile(r"(?:://|@)[^/?#@]*:(?P<port>[^/?#@\]]+)(?:[/?#]|$)")


def is_secret(name: str) -> bool:
    """Whether a setting of this name, such as ``spark.hadoop.fs.s3a.secret.key``, holds a credential."""
    return _IS_SECRET.search(name) is not None


def hide_credentials(text: str, *addresses: str) -> str:
    """The text with ``***`` for users and passwords of URIs, and for values of ``password=`` and the like.

    Parameters
    ----------
    addresses : str
        URIs or ``key=value`` texts that the text may speak of. Servers and drivers quote pieces of a password that
        they could not read, so every word of their credentials is hidden, wherever it stands and however it is encoded.

    Examples
    --------
    >>> hide_credentials("host=db password=two words user=me")
    'host=db password=*** user=me'
    >>> hide_credentials("invalid port: 'pa'", "postgresql://me:pa/55@db/shop")
    "invalid port: '***'"
    """
    words: set[str] = set()
    for address in filter(None, addresses):
        user_info = _user_info(address)
        shown = address.replace(f"{user_info}@", f"{_HIDDEN}@") if user_info else address
        text = text.replace(address, _without_values(shown))
        for secret in _secrets(address, user_info):
            words |= {word for form in (secret, unquote(secret), quote(secret)) for word in re.findall(r"\w+", form)}
    if words:
        listed = "|".join(re.escape(word) for word in words)
        text = re.sub(rf"(?<!\w)(?:{listed})(?!\w)", _HIDDEN, text)
    return _without_values(_USER_INFO.sub(rf"\g<scheme>{_HIDDEN}@", text))


def _without_values(text: str) -> str:
    keyed = _KEYED.sub(lambda found: found["key"] + _HIDDEN if found["value"] else found[0], text)
    return _SCHEME.sub(rf"\g<scheme>\g<blank>{_HIDDEN}", keyed)


def _user_info(address: str) -> str:
    """What stands before the last ``@``: a password may hold any sign, also those that end a host."""
    before = address.rpartition("@")[0]
    return before.partition("://")[2] or before


def _secrets(address: str, user_info: str) -> Iterator[str]:
    yield user_info.partition(":")[2] or user_info  # a user alone is a token
    if (port := _PORT.search(address)) and not port["port"].isdigit():
        yield port["port"]  # of an address without a host, such as postgresql://user:password
    yield from (found["value"] for found in _KEYED.finditer(address))
