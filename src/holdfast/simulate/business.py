"""``simulate``: one call from a kind and a seed to a folder of raw tables with their truth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from holdfast.errors import ConfigError
from holdfast.progress import SILENT, Progress
from holdfast.simulate import (
    retail,
    retail_orders,
    retail_tables,
    retail_truth,
    subscription,
    subscription_tables,
    subscription_truth,
)
from holdfast.simulate.clock import AS_OF, EXPORT_FROM
from holdfast.simulate.export import save
from holdfast.simulate.folder import MARK, is_complete, publish

Kind = Literal["retail", "subscription"]
KINDS: tuple[Kind, ...] = get_args(Kind)
VERSION = 3
"""Rises with every change of what a seed gives; folders of another version are built anew."""
FEWEST = 10


@dataclass(frozen=True)
class Simulated:
    """Where the simulated business lies.

    ``rows`` counts the rows of each raw table by file name. ``as_of`` is the day of the export: every table ends
    before it, and the truth's last cutoff is this day. ``reused`` says that the folder was there already.
    """

    kind: Kind
    folder: Path
    customers: int
    seed: int
    rows: dict[str, int]
    first_day: date
    as_of: date
    reused: bool

    def __str__(self) -> str:
        what = "is there already" if self.reused else "built"
        rows = sum(self.rows.values())
        return f"{what}: {rows:,} rows in {len(self.rows)} tables in {self.folder}, exported on {self.as_of}"

    @property
    def tables(self) -> dict[str, Path]:
        """The raw tables by name without suffix."""
        return {Path(name).stem: self.folder / name for name in self.rows}

    @property
    def truth(self) -> Path:
        """The truth as Parquet: expectations, cause, outcome and hidden state per ``customer_id`` and ``cutoff``."""
        return self.folder / "truth" / "truth.parquet"


def simulate(
    kind: Kind,
    folder: str | Path,
    *,
    customers: int = 20_000,
    seed: int = 7,
    season: float = 0.0,
    progress: Progress = SILENT,
) -> Simulated:
    """Build a business to practise on, with the truth beside its tables.

    The same arguments give the same bytes. The folder appears whole or not at all; one that is there already, built
    with the same arguments, is returned at once and left as it is; one built with others is replaced.

    Parameters
    ----------
    kind : "retail" or "subscription"
        A shop without contracts, or a service with monthly and yearly contracts.
    folder : path
        Where to build it.
    customers : int
        How many customers, over all years; about half of them are customers on any one day.
    seed : int
        Whole number from 0 that decides every draw.
    season : float
        From 0 to below 1: a wave of the year beside those that are there anyway. Around mid-December a shop's customers
        order so much more often and around mid-June so much less, as a share of their rate; a service's customers
        leave so much more and so much less often when a term is over.

    Raises
    ------
    ConfigError
        The kind or a number cannot be right, or the folder holds something that is not a simulated business.
    StorageError
        The disk refused; nothing was left behind.

    Notes
    -----
    The truth has one row for each member of the population at each first of a month from 2023-07-01 to 2025-01-01.
    Retail: whoever ordered in the last 180 days; churn is no order in the next 90, value the orders less refunds of
    these days. Subscription: whoever has a running contract; churn is an end in the next 90 days that is not followed
    by a restart within 14, value the monthly revenue times the months (of 365.25 / 12 days) under contract.
    ``p_churn`` and ``expected_value`` are exact expectations given everything hidden at the cutoff, which is in the
    columns after them: drift, ticket and sore, numbered as the simulation goes, and the traits of the customer's type.
    The last columns tell what the risk is made of. A shopper has gone, ``p_gone``, where the drift says so, and leaves
    where it says so by the end of the 90 days but not yet at the cutoff, ``p_leaving``; subscribers leave by churning.
    ``value_if_kept`` is the expected value given that the customer is still there after the 90 days, ``value_if_lost``
    what comes all the same: nothing of a shopper, and of a subscriber the revenue until the contract ends, and after it
    if there is another one.
    """
    if kind not in KINDS:
        raise ConfigError(f"Wanted a kind of business among {', '.join(KINDS)}; found {kind!r}. Choose one of them.")
    if customers < FEWEST:
        raise ConfigError(f"A business needs at least {FEWEST} customers; found {customers}. Ask for more customers.")
    if seed < 0:
        raise ConfigError(f"Wanted a seed from 0 upwards; found {seed}. Give a positive whole number.")
    if not 0 <= season < 1:
        raise ConfigError(f"Wanted a season from 0 to below 1; found {season}. 0.4 makes a wave of ±40 %.")
    folder = Path(folder)
    identity = {"kind": kind, "seed": seed, "customers": customers, "season": season, "version": VERSION}
    reused = is_complete(folder, identity)
    if not reused:
        with publish(folder) as stage:
            rows = _build(kind, stage, customers, seed, season, progress)
            text = json.dumps({**identity, "first_day": str(EXPORT_FROM), "as_of": str(AS_OF), "rows": rows}, indent=2)
            (stage / MARK).write_text(text + "\n", encoding="utf-8")
    rows = json.loads((folder / MARK).read_text(encoding="utf-8"))["rows"]
    return Simulated(kind, folder, customers, seed, rows, EXPORT_FROM, AS_OF, reused)


def _build(kind: Kind, stage: Path, customers: int, seed: int, season: float, progress: Progress) -> dict[str, int]:
    life, trade, paper = np.random.SeedSequence([seed, KINDS.index(kind)]).spawn(3)
    if kind == "retail":
        shop = retail.live(customers, life, progress, swing=season)
        orders = retail_orders.draw_orders(shop, np.random.default_rng(trade))
        truth = retail_truth.retail_truth(shop, orders, progress).table(shop.people.ids)
        with progress("Writing the tables of the shop"):
            rows = retail_tables.write_retail(shop, orders, stage, np.random.default_rng(paper))
    else:
        service = subscription.live(customers, life, progress, swing=season)
        truth = subscription_truth.subscription_truth(service, progress).table(service.people.ids)
        with progress("Writing the tables of the service"):
            rows = subscription_tables.write_subscription(service, stage, np.random.default_rng(paper))
    (stage / "truth").mkdir()
    save(truth, stage / "truth" / "truth.parquet")
    return rows
