"""CSV that a spreadsheet opens as it is meant: every cell a value, none a formula.

The file is UTF-8 with a byte order mark (without it spreadsheets guess the encoding), comma-separated, with CRLF at
line ends (RFC 4180). A text that begins with ``= + - @``, a tab or a line break would run as a formula; it gets an
apostrophe in front. So does such a sign within a text where a reader that takes semicolons, colons, bars or tabs for
commas would begin a cell: quotes protect from commas alone. Numbers keep their sign. In Python:
``pandas.read_csv(path, encoding="utf-8-sig")``.
"""

from __future__ import annotations

import csv
import io
import math
import re
from typing import Any

import pandas as pd

_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_WITHIN = re.compile(r"""([;:|\t\r\n][\s"]*)(?=[=+\-@＝＋－＠])""")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def harmless(text: str) -> str:
    """The text with an apostrophe in front of whatever a spreadsheet would run."""
    text = _WITHIN.sub(r"\1'", text)
    bare = text.strip(" ")
    return f"'{text}" if bare.startswith(_RUNS) and not _NUMBER.fullmatch(bare) else text


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """The table as the bytes of a CSV file; floats in their shortest exact form."""
    columns = [_cells(frame[name]) for name in frame.columns]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([harmless(str(name)) for name in frame.columns])
    writer.writerows(zip(*columns, strict=True))
    return text.getvalue().encode("utf-8-sig")


def _cells(column: pd.Series[Any]) -> list[str]:
    if pd.api.types.is_numeric_dtype(column):
        return ["" if math.isnan(value) else repr(value) for value in column.tolist()]
    return [harmless(text) for text in column.to_numpy(dtype=object).tolist()]
