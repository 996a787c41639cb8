"""What goes to a terminal: nothing that steers it, and something also where it is closed or knows ASCII alone."""

from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path
from typing import TextIO

_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, format (such as right-to-left marks), halves, breaks
_WELCOME = frozenset("\n\t\u200c\u200d")  # the last two join letters and pictures


def printable(text: str) -> str:
    """The text with characters that steer a terminal, or turn the order of letters around, as escapes one can see."""
    if text.isascii() and text.isprintable():
        return text
    steering = {char for char in set(text) - _WELCOME if unicodedata.category(char) in _STEERING}
    return "".join(char.encode("unicode_escape").decode() if char in steering else char for char in text)


def ready() -> None:
    """Let every character be written: what the encoding lacks as an escape, and into nothing where output is closed."""
    for name in ("stdout", "stderr"):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            nothing = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - as long as the process
            setattr(sys, name, nothing)
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
