"""CSV that a spreadsheet opens as it is meant: every cell a value, none a formula.

The file is UTF-8 with a byte order mark (without it spreadsheets guess the encoding), comma-separated, with CRLF at
line ends (RFC 4180). A text that begins with ``= + - @``, a tab or a line break would run as a formula; it gets an
apostrophe in front. Numbers keep their sign. In Python: ``pandas.read_csv(path, encoding="utf-8-sig")``.
"""

from __future__ import annotations

import csv
import io
import math
import re
from typing import Any

import pandas as pd

_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


def harmless(text: str) -> str:
    """The text with an apostrophe in front if a spreadsheet would run it."""
    return f"'{text}" if text.startswith(_RUNS) and not _NUMBER.fullmatch(text) else text


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
