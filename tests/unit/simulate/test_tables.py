"""The raw tables look like an export of a real business, and hide the truth as one would."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from holdfast.simulate import Simulated
from tests.unit.simulate.ranking import auc

EXPORT = pd.Timestamp("2025-01-01", tz="UTC")
KEYS = {"retail": "client", "subscription": "account"}
TICKET_HEADINGS = "Ticket;Kunde;Eröffnet;Gelöst;Wieder geöffnet;Bewertet;Priorität;Thema;Zufriedenheit"


def read(path: Path) -> pd.DataFrame:
    """A raw table, whatever its format."""
    return pd.read_csv(path, sep=";") if path.suffix == ".csv" else pd.read_parquet(path)


def master(business: Simulated) -> pd.DataFrame:
    """The attributes of each customer."""
    table = read(business.tables["customers" if business.kind == "retail" else "accounts"])
    return table.dropna(subset=KEYS[business.kind]).drop_duplicates(KEYS[business.kind]).set_index(KEYS[business.kind])


def at(business: Simulated, day: str) -> pd.DataFrame:
    """The truth at one cutoff, by customer."""
    truth = pd.read_parquet(business.truth)
    return truth[truth.cutoff == pd.Timestamp(day, tz="UTC")].set_index("customer_id")


def test_the_count_of_rows_is_what_is_in_the_files(business: Simulated) -> None:
    """The counts are printed as facts."""
    assert {name: len(read(business.folder / name)) for name in business.rows} == business.rows


def test_no_stamp_lies_at_or_after_the_export(business: Simulated) -> None:
    """An export cannot hold what has not happened; planned ends of terms are dates, not stamps."""
    for path in business.tables.values():
        table = read(path)
        for name in table.select_dtypes("datetimetz"):
            assert table[name].max() < EXPORT, (path.name, name)
    tickets = read(business.tables["tickets"])
    for name in ("Eröffnet", "Gelöst", "Wieder geöffnet", "Bewertet"):
        assert pd.to_datetime(tickets[name]).max() < pd.Timestamp("2025-01-01 01:00"), name


def test_history_begins_in_2023_for_customers_of_long_before(shop: Simulated) -> None:
    """A warehouse keeps two years, its customers are older."""
    assert read(shop.tables["orders"]).booked_at.min() >= pd.Timestamp("2023-01-01", tz="UTC")
    assert (master(shop).registered_at < pd.Timestamp("2022-01-01", tz="UTC")).mean() > 0.2


def test_nothing_is_loaded_before_it_happened_and_about_one_row_in_a_hundred_days_later(business: Simulated) -> None:
    """Late rows are what makes the known time differ from the event time."""
    events = read(business.tables["events" if business.kind == "retail" else "usage"])
    delay = events.load_time - events["happened_at" if business.kind == "retail" else "used_at"]
    assert delay.min() > pd.Timedelta(0)
    assert 0.005 < (delay > pd.Timedelta(days=1)).mean() < 0.02


def test_every_table_has_its_share_of_dirt(business: Simulated) -> None:
    """Rejects must occur, but never so many that a run stops."""
    keys = {"orders": "line_no", "events": "event_no", "subscription_events": "log_no", "usage": "session_no"}
    for name, path in business.tables.items():
        table = read(path)
        key = "Kunde" if path.suffix == ".csv" else KEYS[business.kind]
        assert table[key].isna().mean() < 0.01
        if name in keys:
            assert table[key].isna().mean() > 0.001
            assert 0.001 < table[keys[name]].duplicated().mean() < 0.01


def test_names_and_ids_leave_ascii(business: Simulated) -> None:
    """Encodings break on the first real customer otherwise."""
    customers = master(business)
    assert 0 < (~customers.index.str.isascii()).mean() < 0.02
    assert "Österreich" in set(customers.country)


def test_attributes_are_static_and_consent_is_the_rule(business: Simulated) -> None:
    """About 92 of 100 customers may be contacted."""
    customers = master(business)
    assert customers.marketing_ok.mean() == pytest.approx(0.92, abs=0.02)
    assert customers[["country", "acquired_via"]].notna().all().all()


def test_refunds_are_later_negative_rows_of_their_own(shop: Simulated) -> None:
    """Netted into the purchase they would tell the future."""
    orders = read(shop.tables["orders"]).drop_duplicates("line_no")
    refunds, purchases = orders[orders.net_amount < 0], orders[orders.net_amount >= 0]
    assert set(refunds.order_ref).isdisjoint(purchases.order_ref)
    assert refunds.order_ref.str.startswith("R").all()
    days_of = purchases.groupby(purchases.order_ref.str[1:]).booked_at.min()
    delay = refunds.set_index(refunds.order_ref.str[1:]).booked_at.sub(days_of).dropna()
    assert delay.min() > pd.Timedelta(days=1)
    assert delay.max() < pd.Timedelta(days=21)
    assert 0.02 < len(refunds) / len(purchases) < 0.10


def test_mails_are_sent_then_opened_then_clicked(shop: Simulated) -> None:
    """Rates of opening count what follows a mail."""
    events = read(shop.tables["events"]).drop_duplicates("event_no").dropna(subset="client")
    mails = events[events.event_type.str.startswith("email")]
    first = mails.assign(day=mails.happened_at.dt.date).pivot_table(
        index=["client", "day"], columns="event_type", values="happened_at", aggfunc="min"
    )
    opened = first.dropna(subset=["email_sent", "email_open"])
    assert (opened.email_open > opened.email_sent).all()
    both = first.dropna(subset=["email_open", "email_click"])
    assert (both.email_click > both.email_open).all()
    assert 0.1 < first.email_open.notna().mean() < 0.5


def test_the_lines_of_an_order_are_booked_and_loaded_together(shop: Simulated) -> None:
    """An order whose lines arrived one by one would look like several orders."""
    orders = read(shop.tables["orders"]).drop_duplicates("line_no", keep="first")
    together = orders.groupby("order_ref")[["booked_at", "load_time"]].nunique()
    assert (together.booked_at == 1).all()
    assert np.allclose(orders.gross_amount - orders.discount_amount, orders.net_amount, atol=0.005)


def test_the_log_of_a_contract_carries_its_revenue_from_event_to_event(service: Simulated) -> None:
    """Revenue changes only where the log says so, and is nothing after the end."""
    log = read(service.tables["subscription_events"]).drop_duplicates("log_no").dropna(subset="account")
    log = log.sort_values(["contract", "effective_at"])
    assert (log.monthly_revenue[log.change == "end"] == 0).all()
    steady = log.change.isin(["renewal", "dunning"])
    before = log.groupby("contract").monthly_revenue.shift()
    assert (before[steady & before.notna()] == log.monthly_revenue[steady & before.notna()]).mean() > 0.99
    rises = (log.monthly_revenue / before)[log.change == "price"].dropna()
    assert (rises > 1.0).mean() > 0.98


def test_the_help_desk_writes_local_times_under_german_headings(business: Simulated) -> None:
    """Naive stamps in another zone than UTC are the commonest trap of all."""
    tickets = read(business.tables["tickets"])
    assert ";".join(tickets.columns) == TICKET_HEADINGS
    opened = pd.to_datetime(tickets["Eröffnet"])
    assert opened.dt.tz is None
    summer = opened[opened.dt.month == 7].dt.hour
    assert (summer.min(), summer.max()) == (9, 20), "seven to nineteen in UTC"
    resolved = pd.to_datetime(tickets["Gelöst"])
    assert (resolved - opened).min() > pd.Timedelta(0)
    rated = pd.to_datetime(tickets["Bewertet"])
    assert (rated[rated.notna()] > resolved[rated.notna()]).all()
    assert tickets["Zufriedenheit"].notna().equals(rated.notna())


def test_the_decoys_say_nothing(business: Simulated) -> None:
    """A model that leans on a lucky number has learnt noise."""
    truth = at(business, "2024-04-01").join(master(business), how="inner")
    assert auc(truth.lucky_number, truth.churned) == pytest.approx(0.5, abs=0.06)
    assert auc(truth.loyalty_tier.astype("category").cat.codes, truth.churned) == pytest.approx(0.5, abs=0.06)


def test_the_status_of_today_knows_the_future(business: Simulated) -> None:
    """It is the leak to be found: at the last complete cutoff it is nearly the outcome itself."""
    truth = at(business, "2024-10-01").join(master(business), how="inner")
    assert auc((truth.status_today == "lapsed").astype(float), truth.churned) > 0.9


def test_other_signals_than_recency_matter(business: Simulated) -> None:
    """If recency told all, nobody would need a model."""
    day = "2024-04-01"
    truth = at(business, day)
    tickets = read(business.tables["tickets"])
    local = pd.Timestamp(day)
    is_open = (pd.to_datetime(tickets["Eröffnet"]) < local) & ~(pd.to_datetime(tickets["Gelöst"]) < local)
    troubled = truth.index.isin(tickets.loc[is_open & (tickets["Priorität"] == "hoch"), "Kunde"])
    gap = truth.churned[troubled].mean() - truth.churned[~troubled].mean()
    assert gap > 0.05
    events = read(business.tables["events" if business.kind == "retail" else "usage"])
    key, stamp = KEYS[business.kind], "happened_at" if business.kind == "retail" else "used_at"
    cutoff = pd.Timestamp(day, tz="UTC")
    if business.kind == "retail":
        events = events[events.event_type == "visit"]
    month = events[(events[stamp] < cutoff) & (events[stamp] >= cutoff - pd.Timedelta(days=30))]
    lively = truth.index.isin(month[key])
    assert truth.churned[~lively].mean() > 1.3 * truth.churned[lively].mean()
