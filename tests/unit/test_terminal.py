"""What reaches a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.report import console
from holdfast.report.markup import tag
from holdfast.terminal import printable

HOLDFAST = Path(sys.executable).with_name("holdfast")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("K-17 Müller 木 👩\u200d👧", "K-17 Müller 木 👩\u200d👧"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("pay\u202elap", "pay\\u202elap"),
        ("bell\x07 and \x9b31m", "bell\\x07 and \\x9b31m"),
        ("page\u2028break", "page\\u2028break"),
    ],
)
def test_what_steers_a_terminal_is_shown(text: str, shown: str) -> None:
    """An id in an export may clear the screen, or turn the digits of another around."""
    assert printable(text) == shown


def test_tables_and_pages_show_it_too(capsys: pytest.CaptureFixture[str]) -> None:
    """One place for the terminal, one for the page."""
    console.line("customer \x1b[31mred\u202e")
    assert "\\x1b[31mred\\u202e" in capsys.readouterr().out
    assert tag("td", "a\u202eb") == "<td>a\\u202eb</td>"


@pytest.mark.parametrize("arguments", [["features", "list"], ["--help"], ["check", "nö\x1b.yaml"], ["tränen"]])
@pytest.mark.parametrize("language", ["C", "C.UTF-8"])
def test_a_terminal_that_knows_ascii_alone_gets_an_answer(arguments: list[str], language: str) -> None:
    """Schedulers start jobs with the language C."""
    plain = {**os.environ, "PYTHONIOENCODING": "ascii", "LANG": language, "LC_ALL": language}
    result = subprocess.run([HOLDFAST, *arguments], capture_output=True, env=plain, check=False)
    assert b"Traceback" not in result.stderr + result.stdout
    assert b"\x1b" not in result.stderr
    assert (result.stderr + result.stdout).isascii()
    assert result.returncode == (2 if arguments[0] in ("check", "tränen") else 0)


@pytest.mark.parametrize("arguments", ["features list", "--help"])
@pytest.mark.parametrize("end", [">&-", "2>&- >&-", "| head -n 1"])
def test_closed_output_is_no_error_of_ours(arguments: str, end: str) -> None:
    """Daemons close what they do not read, and people read the first line."""
    command = ["sh", "-c", f"{HOLDFAST} {arguments} {end}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in result.stderr + result.stdout
    assert "Exception ignored" not in result.stderr
