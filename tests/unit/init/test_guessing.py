"""Guesses from raw tables: a draft that opens as it stands, says why, and asks what it cannot know."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from holdfast.errors import ConfigError
from holdfast.init import guess
from holdfast.init.column_words import plain
from holdfast.simulate import simulate
from holdfast.sources import SourceSettings, open_sources


def read(draft, folder: Path) -> dict[str, SourceSettings]:
    """The YAML of a draft, as the configuration would read it."""
    found = yaml.safe_load(draft.sources_yaml(folder))["sources"]
    return {kind: SourceSettings(**settings) for kind, settings in found.items()}


@pytest.fixture(scope="module", params=["retail", "subscription"])
def demo(request, tmp_path_factory, root):
    """A simulated business, and what the configuration of the demo says of it."""
    folder = tmp_path_factory.mktemp("demo") / request.param
    simulate(request.param, folder, customers=150, seed=3)
    text = (root / "configs" / f"demo_{request.param}.yaml").read_text(encoding="utf-8")
    return folder, yaml.safe_load(text)["sources"]


def test_the_demo_is_understood(demo, tmp_path):
    """A new user's first step: every table finds its kind, every column that matters its name."""
    folder, expected = demo
    found = read(guess([folder]), tmp_path)
    assert set(found) == set(expected)
    for kind, settings in expected.items():
        assert found[kind].columns == settings["columns"], kind
        assert found[kind].compute == settings.get("compute", {}), kind
        assert found[kind].values == settings.get("values", {}), kind
        assert {own: a.model_dump(exclude_defaults=True) for own, a in found[kind].attributes.items()} == settings.get(
            "attributes", {}
        ), kind


def test_a_draft_opens_as_it_stands(demo, tmp_path):
    """What the guess writes must run, or the first step ends in an error."""
    folder, _ = demo
    with open_sources(read(guess([folder]), tmp_path), base=tmp_path, currency="EUR") as tables:
        tables.report.require(0.05)
        assert tables.unknown_time_attributes == []
        assert tables.changed_later == {}


def test_what_it_cannot_know_is_a_comment(demo, tmp_path):
    """Columns that tell the future stay out, zones are asked for, doubtful attributes are named."""
    folder, _ = demo
    text = guess([folder]).sources_yaml(tmp_path)
    assert "# status_today: left out" in text
    assert "# loyalty_tier, lucky_number: add under attributes" in text
    assert "CHECK where their clocks stand" in text
    draft = guess([folder])
    assert draft.contractual == ("subscription" in str(folder))
    assert draft.currency == (None if draft.contractual else "EUR")


def test_online_retail(shared_data, tmp_path):
    """Invoice lines with a price per piece, cancellations, and a fifth without a customer."""
    draft = guess([shared_data / "online_retail_ii" / "transactions.parquet"])
    orders = read(draft, tmp_path)["orders"]
    assert orders.columns == {
        "customer_id": "CustomerID",
        "event_time": "InvoiceDate",
        "order_id": "InvoiceNo",
        "quantity": "Quantity",
        "category": "StockCode",
    }
    assert orders.compute == {"amount": "Quantity * UnitPrice"}
    assert (orders.where, orders.timezone) == ("CustomerID IS NOT NULL", "UTC")


def test_cdnow(shared_data, tmp_path):
    """Dates only, no order number, and a price that is the whole line's although it is called a price."""
    orders = read(guess([shared_data / "cdnow" / "transactions_full.parquet"]), tmp_path)["orders"]
    assert orders.columns["amount"] == "price"
    with open_sources({"orders": orders}, base=tmp_path) as tables:
        days = "SELECT count(*), count(DISTINCT (customer, event_time)) FROM orders WHERE amount >= 0"
        events, customer_days = tables.connection.execute(days).fetchall()[0]
        assert events == customer_days


def test_ravenstack(shared_data, tmp_path):
    """Intervals of subscriptions; a table without a customer and one that fits no kind are left, with the reason."""
    draft = guess([shared_data / "ravenstack"])
    found = read(draft, tmp_path)
    assert set(found) == {"customers", "tickets", "subscriptions"}
    assert found["subscriptions"].columns == {
        "customer_id": "account_id",
        "start_time": "start_date",
        "end_time": "end_date",
        "mrr": "mrr_amount",
        "subscription_id": "subscription_id",
        "plan": "plan_tier",
    }
    assert {file.name for file in draft.left} == {"churn_events.parquet", "feature_usage.parquet"}
    assert "feature_usage.parquet is not used: no column looks like a customer id" in draft.sources_yaml()


def table(folder: Path, name: str, columns: dict[str, list[object]]) -> Path:
    """A CSV file."""
    pd.DataFrame(columns).to_csv(folder / name, index=False)
    return folder / name


def test_questions_and_turned_meanings(tmp_path):
    """An unknown value is asked about, a column that says no is turned round, odd names are quoted."""
    logs = table(
        tmp_path,
        "subscription log.csv",
        {
            "User": ["a", "b", "c"],
            "date": ["2024-01-01T00:00:00Z"] * 3,
            "event": ["Started", "paused", "no"],
            "mrr": [1, 2, 3],
        },
    )
    people = table(
        tmp_path,
        "users.csv",
        {
            "user id": ["a", "b", "c"],
            "Signed up": ["2024-01-01"] * 3,
            "opt out": [True, False, True],
            "Country: now": ["DE", "AT", "CH"],
            "Branche": ["x", "y", "z"],
        },
    )
    draft = guess([logs, people])
    text = draft.sources_yaml(tmp_path)
    found = read(draft, tmp_path)
    assert found["customers"].compute == {"consent": 'NOT "opt out"'}
    assert found["customers"].attributes["branche"].column == "Branche"
    assert found["subscriptions"].values == {"kind": {"Started": "started"}}
    assert "what is 'paused'?" in text
    assert "what is 'no'?" in text
    with open_sources(found, base=tmp_path) as tables:
        assert tables.report["subscriptions"].rejected == {"unknown kind": 2}


def test_our_own_names_are_understood_whatever_the_file_is_called(tmp_path):
    """Whoever follows the documentation to the letter must not be turned away."""
    when = pd.date_range("2024-01-01", periods=6, freq="D")
    path = table(tmp_path, "base.csv", {"customer_id": list("aabbcc"), "event_time": list(when), "amount": [1.0] * 6})
    assert read(guess([path]), tmp_path)["orders"].columns == {
        "customer_id": "customer_id",
        "event_time": "event_time",
        "amount": "amount",
    }


def test_one_row_an_order_makes_the_order_number_the_rows(tmp_path):
    """Else repeated rows of an export would count twice."""
    orders = table(
        tmp_path,
        "sales.csv",
        {
            "customer_id": ["a", "b"],
            "order id": ["1", "2"],
            "ordered_at": ["2024-01-01 10:00:00+00:00"] * 2,
            "unit price": [2.5, 3.5],
            "qty": [1, 2],
        },
    )
    found = read(guess([orders]), tmp_path)["orders"]
    assert found.columns["event_id"] == "order id"
    assert "order_id" not in found.columns
    assert found.compute == {"amount": 'qty * "unit price"'}
    assert found.timezone is None


def test_tables_of_one_kind_are_not_merged_in_silence(tmp_path):
    """Two files of orders: one is taken, and the other is named."""
    columns = {"customer_id": ["a"], "date": ["2024-01-01"], "amount": [1.0]}
    files = [table(tmp_path, name, columns) for name in ("orders_2023.csv", "orders_2024.csv")]
    empty = table(tmp_path, "tickets.csv", {"customer_id": [], "ticket_id": []})
    text = guess([*files, empty]).sources_yaml(tmp_path)
    assert "orders_2024.csv is not used: it looks like orders, and so does orders_2023.csv" in text
    assert "tickets.csv is not used: it has no rows" in text


def test_nothing_that_fits_is_an_empty_section(tmp_path):
    """The file stays valid YAML."""
    file = table(tmp_path, "weather.csv", {"day": ["2024-01-01"], "rain": [1.5]})
    text = guess([file]).sources_yaml(tmp_path)
    assert yaml.safe_load(text) == {"sources": {}}


def test_missing_files_are_named(tmp_path):
    """As everywhere."""
    with pytest.raises(ConfigError, match="found nothing at"):
        guess([tmp_path / "nowhere.csv"])
    with pytest.raises(ConfigError, match="found no file"):
        guess([])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("InvoiceDate", "invoice date"),
        ("CustomerID", "customer id"),
        ("Wieder geöffnet", "wieder geoffnet"),
        ("order_ref", "order ref"),
        ("MRRAmount", "mrr amount"),
        (" Größe (m²) ", "grosse m2"),
    ],
)
def test_names_are_read_as_plain_words(name, words):
    """Camels, snakes and umlauts are the same words."""
    assert plain(name) == words


@pytest.mark.parametrize(
    ("column", "values", "read"),
    [
        ("do_not_contact", [1, 0, 1], {"1": "no", "0": "yes"}),
        ("opt_out", ["Y", "N", "N"], {"Y": "no", "N": "yes"}),
        ("Email opted out", ["ja", "nein", "nein"], {"ja": "no", "nein": "yes"}),
        ("suppressed", ["x", "no", "no"], {"x": "no", "no": "yes"}),
        ("Werbesperre", ["J", "N", "N"], {"J": "no", "N": "yes"}),
        ("opt_in", ["Y", "N", "N"], {}),
        ("marketing_consent", ["ja", "nein", "vielleicht"], {"ja": "yes", "nein": "no", "vielleicht": ""}),
    ],
)
def test_who_said_no_is_not_read_as_one_who_agreed(column, values, read, tmp_path):
    """The reader is told which words count, and looks at it; a word that says neither is unknown, not yes."""
    people = {"customer_id": ["a", "b", "c"], "signup_date": ["2024-01-01T00:00:00Z"] * 3, column: values}
    draft = guess([table(tmp_path, "customers.csv", people)])
    (source,) = draft.sources
    assert source.values.get("consent", {}) == read
    assert "# CHECK: " in draft.sources_yaml(tmp_path)
    found = draft.settings(tmp_path)
    with open_sources(found, base=tmp_path) as tables:
        agreed = dict(
            tables.connection.execute(
                "SELECT customer_id, consent FROM customers JOIN customers_index USING (customer) "
                "WHERE consent IS NOT NULL"
            ).fetchall()
        )
    no = column not in ("opt_in", "marketing_consent")
    assert agreed == {
        who: float((str(value).lower() in ("1", "y", "ja", "x", "j")) is not no)
        for who, value in zip("abc", values, strict=True)
        if value != "vielleicht"
    }


def test_a_file_of_another_encoding_is_named_and_read(tmp_path):
    """Excel's code page, by its bytes; said in the file, to be checked by eye."""
    rows = "customer_id,order_date,amount,city\n" + "".join(f"Kö{i},2024-01-{i:02d},5,€\n" for i in range(1, 20))
    (tmp_path / "orders.csv").write_bytes(rows.encode("cp1252"))
    draft = guess([tmp_path / "orders.csv"])
    assert "csv: {encoding: cp1252}  # not UTF-8: CHECK" in draft.sources_yaml(tmp_path)
    with open_sources(draft.settings(tmp_path), base=tmp_path) as tables:
        assert "Kö1" in tables.ids().to_pylist()


def shop_rows(**columns):
    """300 orders of 60 customers."""
    days = pd.date_range("2024-01-01", periods=300, freq="D").strftime("%Y-%m-%dT00:00:00Z")
    return {"customer_id": [f"c{i % 60}" for i in range(300)], "order_date": days, **columns}


@pytest.mark.parametrize(
    ("status", "words", "kept"),
    [
        ("status", ["completed", "cancelled", "failed"], {"completed"}),
        ("order_status", ["Bezahlt", "Storniert", "Entwurf"], {"Bezahlt"}),
        ("Financial Status", ["paid", "voided", "partially_refunded"], {"paid", "partially_refunded"}),
        ("state", ["CA", "NY", "TX"], {"CA", "NY", "TX"}),
        ("payment_status", ["paid", "declined", None], {"paid", None}),
    ],
)
def test_orders_that_were_no_sale_are_left_out_where_the_status_says_so(status, words, kept, tmp_path):
    """And the draft says how much money that is, so that a person can decide."""
    draft = guess([table(tmp_path, "orders.csv", shop_rows(amount=[10.5] * 300, **{status: words * 100}))])
    text = draft.sources_yaml(tmp_path)
    with open_sources(draft.settings(tmp_path), base=tmp_path) as tables:
        assert tables.report["orders"].rows_valid == 100 * len(kept)
    assert ("of the rows with" in text) is (len(kept) < 3)


def test_guests_who_share_one_id_are_left_out_and_named_by_their_share(tmp_path):
    """They would be the best customer of the shop."""
    columns = shop_rows(amount=[10.5] * 300)
    columns["customer_id"] = ["0" if i % 5 < 2 else f"{i % 60 + 1}" for i in range(300)]
    draft = guess([table(tmp_path, "orders.csv", columns)])
    assert "CHECK: one id has a share of 40.0% of the rows, as guests have" in draft.sources_yaml(tmp_path)
    with open_sources(draft.settings(tmp_path), base=tmp_path) as tables:
        assert "0" not in tables.ids().to_pylist()
        assert tables.report["orders"].rows_valid == 180


@pytest.mark.parametrize(
    ("columns", "amount"),
    [
        ({"AMOUNT": [1, 2, 3] * 100, "SALES_PRICE": [10.5, 99.25, 7.75] * 100}, "SALES_PRICE"),
        ({"amount": [1, 2, 3] * 100, "sales value": [10.5, 20.5, 30.75] * 100}, "sales value"),
        ({"amount": [10.5, 2.25, 3.5] * 100, "list price": [11.5, 3.25, 4.5] * 100}, "amount"),
        ({"Amount": [1200, 80, 4000] * 100, "tax value": [1.5, 2.5, 3.5] * 100}, "Amount"),
    ],
)
def test_pieces_that_are_called_an_amount_are_no_money(columns, amount, tmp_path):
    """Units would be taken for euros; the reader is asked to look."""
    draft = guess([table(tmp_path, "orders.csv", shop_rows(**columns))])
    (source,) = draft.sources
    assert amount in (source.columns.get("amount") or source.compute["amount"])
    assert ("CHECK" in source.notes["amount"]) is (amount not in ("amount", "Amount"))


def test_an_id_that_repeats_is_a_customer_and_one_that_does_not_is_a_row(tmp_path):
    """Exports of one table call it nothing else."""
    days = pd.date_range("2024-01-01", periods=300, freq="D").strftime("%Y-%m-%dT00:00:00Z")
    rows = {"ID": [i % 60 for i in range(300)], "PURCHASE_DATE": days, "TOTAL": [9.5] * 300}
    (source,) = guess([table(tmp_path, "orders.csv", rows)]).sources
    assert source.columns == {"customer_id": "ID", "event_time": "PURCHASE_DATE", "amount": "TOTAL"}
    own = guess([table(tmp_path, "own.csv", {**rows, "ID": range(300)})])
    assert own.sources == ()
