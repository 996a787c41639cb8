"""The service's own tables, in its own words: accounts, the log of subscriptions, usage, surveys, contacts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from holdfast.simulate.billing import NO_DAY, STARTED
from holdfast.simulate.clock import END_DAY, at_hours, hours, midnight
from holdfast.simulate.common_tables import write_contacts, write_customers, write_surveys
from holdfast.simulate.export import numbered, save, soil, tickets_csv, timestamps
from holdfast.simulate.people import People
from holdfast.simulate.subscription import FEATURES, SubscriptionPast
from holdfast.simulate.terms import BILLING_HOUR
from holdfast.timeline import MICROSECONDS_PER_DAY

_CHANGES = ("start", "price", "renewal", "dunning", "seats", "end")
"""The log's own words for the kinds of events, in the order in which a billing run books them."""
_PLANS = ("Basis", "Plus", "Pro")
_PLAN_PRICES = (45.0, 110.0)
_TERMS = ("monthly", "yearly")


def write_subscription(past: SubscriptionPast, folder: Path, rng: np.random.Generator) -> dict[str, int]:
    """Write the raw tables into the folder; the number of rows of each file."""
    people, desk = past.people, past.desk
    left = np.ones(people.count, dtype=bool)
    left[np.flatnonzero(past.contracts[END_DAY].running)] = False
    return {
        "accounts.parquet": write_customers(people, left, "account", folder / "accounts.parquet", rng),
        "subscription_events.parquet": _log(past, folder / "subscription_events.parquet", rng),
        "usage.parquet": _usage(past, folder / "usage.parquet", rng),
        "tickets.csv": tickets_csv(desk.tickets(), people.ids, "Einrichtung", folder / "tickets.csv", rng),
        "surveys.parquet": write_surveys(desk.surveys.read(), people, "account", folder / "surveys.parquet", rng),
        "contacts.parquet": write_contacts(desk.contacts.read(), people, "account", folder / "contacts.parquet", rng),
    }


def _log(past: SubscriptionPast, path: Path, rng: np.random.Generator) -> int:
    """Every change of a subscription since it started; the log of before 2022 kept nothing but the starts."""
    events = past.events.read()
    people: People = past.people
    who, kind = events["customer"], events["kind"]
    first = (kind == STARTED) & (events["number"] == 1)
    day = np.where(first, people.joined[who], events["day"])
    # one billing run books its events second by second, in the order of their kinds
    billed = midnight(day) + hours(BILLING_HOUR) + kind.astype(np.int64) * hours(1 / 3600)
    at = np.where(first, at_hours(day, rng, 7, 20), billed)
    rows = soil(who, at, rng)
    take = rows.index
    term_end = events["renews"][take]
    columns = {
        "log_no": take + 1,
        "account": rows.customers(people.ids),
        "contract": numbered("S", who[take] * 100 + events["number"][take]),
        "effective_at": rows.times(at),
        "change": rows.words(kind, _CHANGES),
        "monthly_revenue": events["mrr"][take],
        "plan_name": rows.words(np.searchsorted(_PLAN_PRICES, events["mrr"]), _PLANS),
        "billing": rows.words(events["term"], _TERMS),
        "term_ends_on": pa.array(
            (midnight(term_end) // MICROSECONDS_PER_DAY).astype(np.int32), mask=term_end == NO_DAY
        ).cast(pa.date32()),
        "load_time": timestamps(rows.loaded),
    }
    return save(columns, path)


def _usage(past: SubscriptionPast, path: Path, rng: np.random.Generator) -> int:
    """One row per session: which part of the product, and how many steps were done in it."""
    usage = past.usage.read()
    at = at_hours(usage["day"], rng, 6, 20)
    rows = soil(usage["customer"], at, rng)
    columns = {
        "session_no": rows.index + 1,
        "account": rows.customers(past.people.ids),
        "used_at": rows.times(at),
        "feature": rows.words(usage["feature"], FEATURES),
        "steps": usage["units"][rows.index],
        "load_time": timestamps(rows.loaded),
    }
    return save(columns, path)
