"""The shop's own tables, in its own words: customers, orders in lines with refunds, events, surveys, contacts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from holdfast.simulate.clock import END_DAY, at_hours, hours, midnight
from holdfast.simulate.common_tables import write_contacts, write_customers, write_surveys
from holdfast.simulate.export import numbered, save, soil, tickets_csv, timestamps
from holdfast.simulate.people import People
from holdfast.simulate.retail import CATEGORIES, CLICKED, EVENT_TYPES, OPENED, SENT, RetailPast
from holdfast.simulate.retail_orders import Orders

_LAPSED_AFTER = 90


def write_retail(past: RetailPast, orders: Orders, folder: Path, rng: np.random.Generator) -> dict[str, int]:
    """Write the raw tables into the folder; the number of rows of each file."""
    people, desk = past.people, past.desk
    recent = orders.between(END_DAY - _LAPSED_AFTER, END_DAY)
    lapsed = np.bincount(orders.customer[recent], minlength=people.count) == 0
    return {
        "customers.parquet": write_customers(people, lapsed, "client", folder / "customers.parquet", rng),
        "orders.parquet": _orders(orders, people, folder / "orders.parquet", rng),
        "events.parquet": _events(past, folder / "events.parquet", rng),
        "tickets.csv": tickets_csv(desk.tickets(), people.ids, "Lieferung", folder / "tickets.csv", rng),
        "surveys.parquet": write_surveys(desk.surveys.read(), people, "client", folder / "surveys.parquet", rng),
        "contacts.parquet": write_contacts(desk.contacts.read(), people, "client", folder / "contacts.parquet", rng),
    }


def _orders(orders: Orders, people: People, path: Path, rng: np.random.Generator) -> int:
    """One row per line of an order, and one negative row per refund, booked under its own number when it happened."""
    lines = orders.lines
    back = np.flatnonzero(orders.refund > 0)
    first_line = np.searchsorted(lines.order, back)
    of = np.concatenate([lines.order, back])
    is_refund = np.arange(of.size) >= lines.order.size
    gross = np.concatenate([lines.gross, -orders.refund[back]])
    discount = np.concatenate([lines.discount, np.zeros(back.size)])
    # goods that come back are sold again, so a refund takes the cost back in the same proportion
    cost_share = np.bincount(lines.order, lines.cost, orders.day.size)[back] / orders.net[back]
    cost = np.concatenate([lines.cost, -np.round(orders.refund[back] * cost_share, 2)])
    category = np.concatenate([lines.category, lines.category[first_line]])
    at = np.where(is_refund, orders.refund_at[of], orders.at[of])
    rows = soil(orders.customer[of], at, rng, batch=of + is_refund * orders.day.size)
    take = rows.index
    references = numbered("A", np.arange(orders.day.size)).to_numpy(zero_copy_only=False)
    reference = references[of[take]]
    reference[is_refund[take]] = numbered("R", of[take][is_refund[take]]).to_numpy(zero_copy_only=False)
    columns = {
        "line_no": take + 1,
        "order_ref": pa.array(reference, pa.string()),
        "client": rows.customers(people.ids),
        "booked_at": rows.times(at),
        "product_group": rows.words(category, CATEGORIES),
        "quantity": np.where(is_refund, -1, 1)[take],
        "gross_amount": gross[take],
        "discount_amount": discount[take],
        "net_amount": np.round(gross - discount, 2)[take],
        "cost_of_goods": cost[take],
        "currency_code": rows.words(np.zeros(of.size, dtype=np.int8), ("EUR",)),
        "load_time": timestamps(rows.loaded),
    }
    return save(columns, path)


def _events(past: RetailPast, path: Path, rng: np.random.Generator) -> int:
    """Visits and uses of the app through the day; e-mails go out in the morning and are opened and clicked later."""
    events = past.events.read()
    kind = events["kind"]
    at = at_hours(events["day"], rng, 5, 22)
    habit = hours(rng.uniform(0.1, 12.0, past.people.count))[events["customer"]]
    sent = midnight(events["day"]) + hours(6.0)
    at = np.where(kind == SENT, sent, at)
    at = np.where(kind == OPENED, sent + habit, at)
    at = np.where(kind == CLICKED, sent + habit + hours(0.1), at)
    rows = soil(events["customer"], at, rng)
    columns = {
        "event_no": rows.index + 1,
        "client": rows.customers(past.people.ids),
        "happened_at": rows.times(at),
        "event_type": rows.words(kind, EVENT_TYPES),
        "load_time": timestamps(rows.loaded),
    }
    return save(columns, path)
