"""Expressions compute one value of one row and nothing else; columns are checked against the real table."""

from __future__ import annotations

import math
import time

import pytest

from holdfast.errors import ConfigError, DataError
from holdfast.sources import SourceSettings, open_sources
from tests.unit.sources.opened import NOW, at, events, opened, table

NAMES = ("who", "when at", "Quantity", "UnitPrice", 'odd "name"', "text", "payload")
ROWS = [("a", at("2024-03-01"), 3, 2.5, 1.0, "12", {"total": 4.0}), ("b", at("2024-03-02"), -1, 2.5, 2.0, "x", None)]
FRAME = table(NAMES, ROWS)
BASE = {"customer_id": "who", "event_time": "when at"}


def amounts(expression, **more):
    """The amounts that an expression gives."""
    with opened("orders", FRAME, columns=BASE, compute={"amount": expression}, **more) as tables:
        return [row[1] for row in events(tables, "orders", "amount")]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("Quantity * UnitPrice", [7.5, -2.5]),
        ("quantity * unitprice -- as lines", [7.5, -2.5]),
        ('"odd ""name""" + 1', [2.0, 3.0]),
        ("CASE WHEN text LIKE '1%' THEN 1 ELSE 0 END", [1.0, 0.0]),
        ("coalesce(TRY_CAST(text AS DOUBLE), 0)", [12.0, 0.0]),
        ('round(abs(Quantity) / 2, 1) + year("when at") % 10', [5.5, 4.5]),
        ("if(Quantity IN (3, 4) AND NOT Quantity BETWEEN 5 AND 6, 1, 2)", [1.0, 2.0]),
        ("date_part('day', \"when at\" - INTERVAL 1 DAY)", [29.0, 1.0]),
        ("coalesce(payload.total, 0)", [4.0, 0.0]),
        ("1", [1.0, 1.0]),
    ],
)
def test_columns_operators_and_plain_functions_are_allowed(expression, expected):
    """What people need to turn their columns into ours."""
    assert amounts(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "1; DROP TABLE rejects",
        "(SELECT 1)",
        "1 IN (SELECT 1)",
        "EXISTS (SELECT 1)",
        "Quantity FROM rejects",
        "1 UNION SELECT 2",
        "1 AS x",
        "1, 2",
        "*",
        "1 WHERE true",
        "1 ORDER BY 1",
        "1 LIMIT 1",
        "DISTINCT Quantity",
        "1 GROUP BY ALL",
        "1) FROM (SELECT 1",
        "sum(Quantity)",
        "row_number() OVER ()",
        "sum(Quantity) OVER ()",
        "getvariable('x')",
        "getenv('HOME')",
        "current_setting('threads')",
        "read_text('/etc/passwd')",
        "nextval('s')",
        "random()",
        "now()",
        "query('SELECT 1')",
        "list_transform([1], x -> x)",
        "main.lower(text)",
        "system.main.lower(text)",
        "rejects.reason",
        "current_date",
        "?",
        "$1",
        "#1",
        "COLUMNS('.*')",
        "unnest([1, 2])",
        "",
        "Quantity *",
        "Quantiti * 2",
    ],
)
@pytest.mark.parametrize("key", ["compute.amount", "where"])
def test_everything_else_is_refused(expression, key):
    """A configuration is text that somebody sends: it must not read files, settings or other tables."""
    more = {"compute": {"amount": expression}} if key != "where" else {"compute": {"amount": "1"}, "where": expression}
    with pytest.raises(ConfigError, match=f"^sources.orders.{key}: "):
        opened("orders", FRAME, columns=BASE, **more)


@pytest.mark.parametrize(
    "expression",
    [
        "CASE WHEN Quantity > 0 THEN " * 900 + "1" + " END" * 900,
        "(" * 5_000 + "1" + ")" * 5_000,
        "{'a': " * 5_000 + "1" + "}" * 5_000,
        "length('\ud800')",
    ],
    ids=["cases", "parentheses", "braces", "surrogate"],
)
@pytest.mark.parametrize("key", ["compute.amount", "where"])
def test_an_expression_that_no_parser_bears_is_refused_in_few_words(expression, key):
    """Python and DuckDB give up at different depths; the message must not repeat ten thousand braces."""
    more = {"compute": {"amount": expression}} if key != "where" else {"compute": {"amount": "1"}, "where": expression}
    with pytest.raises(ConfigError, match=f"^sources.orders.{key}: ") as refused:
        opened("orders", FRAME, columns=BASE, **more)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize("escape", ["'ab'", "text || 'ab'"])
@pytest.mark.parametrize("key", ["compute.amount", "where"])
def test_an_escape_of_two_letters_is_a_mistake_in_the_configuration(escape, key):
    """DuckDB notices on the first row, and not even TRY holds that back."""
    expression = f"CASE WHEN text LIKE 'a' ESCAPE {escape} THEN 1 ELSE 2 END"
    more = {"compute": {"amount": expression}} if key != "where" else {"compute": {"amount": "1"}, "where": expression}
    with pytest.raises(ConfigError, match=f"^sources.orders.{key}: .*Invalid escape string"):
        opened("orders", FRAME, columns=BASE, **more)


def test_an_escape_that_a_late_row_spoils_names_the_keys():
    """The rows that are tried first are good; who wrote the expression still hears of it."""
    many = table(("who", "when at", "text"), [("a", at("2024-03-01"), "!")] * 3_000 + [("b", at("2024-03-01"), "!!")])
    with pytest.raises(DataError, match=r"sources\.orders\.compute\.amount fails"):
        opened("orders", many, columns=BASE, compute={"amount": "if(who LIKE 'a' ESCAPE text, 1, 2)"})


@pytest.mark.parametrize(
    "expression",
    [
        "lpad('x', 1000000000, 'y')",
        "rpad(text, Quantity::INT * 1000000, 'y')",
        "format('{:>1000000000}', text)",
        "format('{:>{}}', text, 1000000000)",
        "printf('%*d', 1000000000, 1)",
        "printf(text, 1)",
        "replace(" * 6 + "text" + ", 'x', 'xxxxxxxxxx')" * 6,
        "replace(replace(replace(text, 'x', who), 'x', who), 'x', who)",
        "regexp_replace(" * 5 + "text" + ", '', 'xxxxxxxxxx', 'g')" * 5,
    ],
)
def test_texts_without_bounds_are_refused(expression):
    """They would take all memory of the machine: DuckDB counts none of it, and cannot be stopped meanwhile."""
    with pytest.raises(ConfigError, match=r"sources\.orders\.compute\.amount: .*times as long"):
        amounts(f"length({expression})")


@pytest.mark.parametrize(
    "expression",
    [
        "lpad(text, 12, '0')",
        "format('12345 {}: {:>20}', text, text)",
        "printf('100%% of %5d', 1)",
        "replace(" * 5 + "text" + ", '&', '&amp;')" * 5,
    ],
)
def test_texts_within_bounds_are_not(expression):
    """Padded ids and escaped signs are what people write."""
    assert len(amounts(f"length({expression})")) == 2


@pytest.mark.slow
def test_an_expression_that_takes_far_too_long_is_given_up():
    """A thousand rows tell that millions would never end."""
    rows = table(("who", "when at", "text"), [("a", at("2024-03-01"), "x" * 2_000)] * 3_000)
    slow = "replace(" * 4 + "text" + ", 'x', 'xxxxxxxxxx')" * 4
    began = time.monotonic()
    with pytest.raises(ConfigError, match=r"sources\.orders\.compute\.amount: .*within 10 seconds"):
        opened("orders", rows, columns=BASE, compute={"amount": f"length(sha256({slow}))"})
    assert time.monotonic() - began < 60


def test_the_nearest_column_is_proposed():
    """Most mistakes are misspellings."""
    with pytest.raises(ConfigError, match=r"no column 'Quantiti' \(did you mean 'Quantity'\?\). It has who, "):
        amounts("Quantiti * 2")
    with pytest.raises(
        ConfigError, match=r"sources.orders.columns.amount: .*no column 'unitprice' .did you mean 'UnitPrice'"
    ):
        opened("orders", FRAME, columns={**BASE, "amount": "unitprice"})


def test_types_that_do_not_fit_are_told_before_any_row_is_read():
    """DuckDB's own words, and what to do."""
    with pytest.raises(ConfigError, match=r"sources.orders.compute.amount: DuckDB cannot evaluate it .*TRY_CAST"):
        amounts("text * Quantity + INTERVAL 1 DAY")


@pytest.mark.parametrize(
    "settings",
    [
        {"compute": {"amount": "strptime(text, '%Q')"}},
        {"where": "regexp_matches(text, '(')"},
        {"where": "abs(DISTINCT Quantity) > 1"},
    ],
)
def test_an_expression_that_no_row_could_satisfy_is_a_mistake_in_the_configuration(settings):
    """Whatever DuckDB objects to while it plans, the person who wrote the expression hears of the key, not of us."""
    columns = BASE if "compute" in settings else {**BASE, "amount": "UnitPrice"}
    with pytest.raises(ConfigError, match=r"sources.orders.(where|compute.amount)"):
        opened("orders", FRAME, columns=columns, **settings)


def test_a_zone_that_only_the_data_would_meet_is_told_without_a_traceback():
    """A function that fails while it runs stops with our words."""
    with pytest.raises((ConfigError, DataError), match=r"sources.orders.where"):
        opened(
            "orders",
            FRAME,
            columns={**BASE, "amount": "UnitPrice"},
            where="timezone('Mars', \"when at\") > '2020-01-01'",
        )


def test_a_row_whose_expression_fails_has_no_value():
    """One bad cell must not stop a table of millions, and its text must not appear in an error."""
    with opened("orders", FRAME, columns=BASE, compute={"amount": "CAST(text AS DOUBLE)"}) as tables:
        assert tables.report["orders"].rejected == {"missing amount": 1}
        assert events(tables, "orders", "amount") == [("a", 12.0)]


def test_a_filter_that_fails_on_a_row_says_so_without_quoting_it():
    """Leaving the row out in silence would hide it."""
    with pytest.raises(DataError) as stopped:
        opened("orders", FRAME, columns={**BASE, "amount": "UnitPrice"}, where="CAST(text AS DOUBLE) > 1")
    assert "sources.orders.where" in str(stopped.value)
    assert "'x'" not in str(stopped.value)


def test_division_by_zero_is_no_finite_number():
    """An amount that is not finite poisons every sum."""
    with opened("orders", FRAME, columns=BASE, compute={"amount": "UnitPrice / (Quantity + 1)"}) as tables:
        (reason,) = tables.report["orders"].rejected
        assert reason in ("not a finite number", "missing amount")
        assert math.isfinite(events(tables, "orders", "amount")[0][1])


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        ("order", {}, "'order' under sources is no kind of source (did you mean 'orders'"),
        (
            "orders",
            {"columns": {"customer_id": "who", "event_time": "when at"}},
            "Source 'orders' needs a column for 'amount'",
        ),
        (
            "orders",
            {"columns": {"ammount": "UnitPrice"}},
            "columns.ammount: 'ammount' is no column of 'orders' (did you",
        ),
        ("orders", {"columns": {**BASE, "amount": "who cares"}}, "sources.orders.columns.amount"),
        ("orders", {"columns": {**BASE, "amount": "payload"}}, "columns.amount must hold numbers; its type is STRUCT"),
        (
            "orders",
            {"columns": {**BASE, "amount": "UnitPrice"}, "values": {"kind": {}}},
            "values.kind: 'kind' is not mapped",
        ),
        (
            "tickets",
            {"columns": {"customer_id": "who", "event_time": "when at", "opened_time": "when at"}},
            "mapped twice",
        ),
        (
            "orders",
            {"columns": {**BASE, "amount": "UnitPrice"}, "attributes": {"x": {"column": "text", "static": True}}},
            "only the source 'customers' has attributes",
        ),
        (
            "contacts",
            {"columns": {**BASE, "offer": "when at"}},
            "columns.offer must hold yes or no; its type is TIMESTAMP",
        ),
    ],
)
def test_wrong_mappings_are_named_by_their_key(kind, settings, message):
    """The message must lead to the line of the file."""
    with pytest.raises(ConfigError) as stopped:
        open_sources({kind: SourceSettings(frame="rows", **settings)}, base=None, frames={"rows": FRAME}, now=NOW)
    assert message in str(stopped.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "exactly one of path, duckdb, postgres, frame, table; found none"),
        ({"path": "x", "frame": "y"}, "found path and frame"),
        ({"path": "x", "columns": {"amount": "a"}, "compute": {"amount": "b"}}, "amount is mapped under both"),
        ({"path": "x", "colums": {}}, "colums"),
        ({"path": "x", "attributes": {"a": {"column": "c", "static": True, "known_time": "t"}}}, "needs no known_time"),
        ({"postgres": {"uri": "u"}}, "either 'table' or 'query'"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(settings, message):
    """Before any file is opened."""
    with pytest.raises(ValueError, match=message):
        SourceSettings(**settings)


def test_no_source_at_all_is_refused():
    """There is nothing to learn from."""
    with pytest.raises(ConfigError, match="sources is empty"):
        open_sources({}, base=None)


def test_a_missing_frame_is_named():
    """In a notebook the name in the settings and the one handed over must agree."""
    with pytest.raises(ConfigError, match=r"no frame 'rows' was handed over .did you mean 'rowz'"):
        open_sources({"orders": SourceSettings(frame="rows", columns=BASE)}, base=None, frames={"rowz": FRAME})
