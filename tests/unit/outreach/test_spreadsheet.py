"""CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
import re

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.outreach.spreadsheet import csv_bytes, harmless

NUMBER = re.compile(r"[+-]?[0-9.]+|")


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(A1)", "\ta", "\ra", "\na", "＝1+1", "=", "-"],
)
def test_a_text_that_would_run_as_a_formula_does_not(text: str) -> None:
    """A customer who names themselves =HYPERLINK(…) must not run anything on a colleague's machine."""
    assert harmless(text) == f"'{text}"


@given(st.lists(st.text(st.sampled_from(";:|,\t\r\n \"'=+-@a1")), min_size=2, max_size=2))
@example(["x;=1+1", "a"])
@example(['x;"=1+1"', "a"])
@example(["x\n=1+1", "a"])
@example(["\t=1", "a"])
def test_no_cell_runs_whichever_sign_the_reader_takes_for_a_comma(texts: list[str]) -> None:
    """A German spreadsheet takes the semicolon and splits an id into a cell that the customer wrote as a formula."""
    raw = csv_bytes(pd.DataFrame({"first": [1], "id": [texts[0]], "share": [-0.5], "name": [texts[1]]}))
    text = raw.decode("utf-8-sig")
    for delimiter in ",;:|\t":
        cells = [cell.strip() for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) for cell in row]
        assert [cell for cell in cells if cell[:1] in set("=+-@") and not NUMBER.fullmatch(cell)] == []


@pytest.mark.parametrize("text", ["-12", "+49", "-1.5e-3", "c001", "", "a=b", "Zoë", "-.5"])
def test_numbers_and_harmless_texts_stay_as_they_are(text: str) -> None:
    """An id such as -12 must still match the customer it names."""
    assert harmless(text) == text


def test_a_table_survives_the_way_through_csv() -> None:
    """Commas, quotes, line breaks and letters of all kinds come back as they were; floats to the last bit."""
    frame = pd.DataFrame(
        {
            "rank": [1, 2, 3],
            "name": pd.array(['a "quoted", text', "two\r\nlines", "Zoë, 日本"], dtype="str"),
            "share": [0.1, -2.5e-17, 1 / 3],
        }
    )
    raw = csv_bytes(frame)
    assert raw.startswith(b"\xef\xbb\xbfrank,name,share\r\n")
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(raw), encoding="utf-8-sig"), frame)
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))
    assert rows[2] == ["2", "two\r\nlines", "-2.5e-17"]


def test_a_missing_number_is_an_empty_cell_and_an_empty_table_has_a_heading() -> None:
    """'nan' is a text to a spreadsheet."""
    assert csv_bytes(pd.DataFrame({"a": [float("nan"), 1.0]})) == b'\xef\xbb\xbfa\r\n""\r\n1.0\r\n'
    assert csv_bytes(pd.DataFrame({"a": [], "b": []})) == b"\xef\xbb\xbfa,b\r\n"
