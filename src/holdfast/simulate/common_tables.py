"""Tables that both businesses export alike, each under its own name for the customer."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from holdfast.simulate.clock import END_DAY, FIRST_DAY, Flags, at_hours
from holdfast.simulate.desk import CONTACT_CHANNELS, NEVER
from holdfast.simulate.export import save, soil, timestamps
from holdfast.simulate.journal import Table
from holdfast.simulate.people import CHANNELS, COUNTRIES, TIERS, People

STATUSES = ("active", "lapsed")


def write_customers(people: People, lapsed: Flags, key: str, path: Path, rng: np.random.Generator) -> int:
    """Write the master data: attributes, decoys, and ``status_today``, which only the day of the export knows."""
    registered = at_hours(people.joined, rng, 0, 5)
    rows = soil(np.arange(people.count), registered, rng)
    columns = {
        key: rows.customers(people.ids),
        "registered_at": rows.times(registered),
        "marketing_ok": people.consent[rows.index],
        "country": rows.words(people.country, COUNTRIES),
        "acquired_via": rows.words(people.channel, CHANNELS),
        "loyalty_tier": rows.words(people.tier, TIERS),
        "lucky_number": people.lucky[rows.index],
        "status_today": rows.words(lapsed.astype(np.int8), STATUSES),
    }
    return save(columns, path)


def write_surveys(surveys: Table, people: People, key: str, path: Path, rng: np.random.Generator) -> int:
    """Write the answers to the question whether one would recommend us, 0 to 10."""
    surveys = exported(surveys)
    at = at_hours(surveys["day"], rng, 6, 21)
    rows = soil(surveys["customer"], at, rng)
    columns = {
        "answer_no": rows.index + 1,
        key: rows.customers(people.ids),
        "answered_at": rows.times(at),
        "nps": surveys["score"][rows.index],
    }
    return save(columns, path)


def write_contacts(contacts: Table, people: People, key: str, path: Path, rng: np.random.Generator) -> int:
    """Write the log of marketing contacts; the reply is empty until it comes."""
    contacts = exported(contacts)
    at = at_hours(contacts["day"], rng, 7, 12)
    comes = contacts["delay"] < NEVER
    replied = np.where(comes, at + np.where(comes, contacts["delay"], 0), NEVER)
    rows = soil(contacts["customer"], at, rng)
    columns = {
        "contact_no": rows.index + 1,
        key: rows.customers(people.ids),
        "sent_at": rows.times(at),
        "medium": rows.words(contacts["channel"], CONTACT_CHANNELS),
        "measure": rows.words(contacts["offer"].astype(np.int8), ("newsletter", "voucher")),
        "with_voucher": contacts["offer"][rows.index],
        "reply_at": rows.times(replied),
        "load_time": timestamps(rows.loaded),
    }
    return save(columns, path)


def exported(table: Table) -> Table:
    """The rows of the exported days."""
    keep = (table["day"] >= FIRST_DAY) & (table["day"] < END_DAY)
    return {name: values[keep] for name, values in table.items()}
