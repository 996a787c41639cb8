"""The audit: it passes clean data and names each kind of planted leak."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from holdfast.audit import Audit, AuditSettings, audit
from holdfast.errors import AuditError
from holdfast.features.catalogue import Vocabulary, catalogue
from holdfast.features.feature import Feature
from holdfast.history.aggregates import Aggregate
from holdfast.history.arrays import Numbers
from holdfast.history.stream import View, Window
from holdfast.labels import ChurnSettings, LabelSettings, ValueSettings
from holdfast.snapshots import PopulationSettings, build_snapshots
from holdfast.sources import AttributeSettings, SourceSettings, open_sources
from tests.raw_business import CUTOFF, DAY, SOURCES, Frames, framed, raw_business

LABELS = LabelSettings(
    churn=ChurnSettings(kind="no_order", horizon_days=60), value=ValueSettings(of="revenue", horizon_days=60)
)
BOUGHT = PopulationSettings(bought_within_days=180)
CUTOFFS = [CUTOFF, CUTOFF + 30 * DAY, CUTOFF + 60 * DAY]


def audited(
    sources: Mapping[str, SourceSettings],
    frames: Frames,
    *,
    more: tuple[Feature, ...] = (),
    tamper: Mapping[str, float] | None = None,
    **settings: Any,
) -> Audit:
    """The audit of a training table over these sources, with these features beside the catalogue."""
    with open_sources(sources, base=Path(), frames=frames, now=CUTOFF + 2000 * DAY) as tables:
        features = (*catalogue(Vocabulary.of(tables)), *more)
        table = build_snapshots(tables, features, population=BOUGHT, cutoffs=CUTOFFS, labels=LABELS)
        for name, difference in (tamper or {}).items():
            table[name] += difference
        return audit(
            tables,
            table,
            features,
            population=BOUGHT,
            labels=LABELS,
            settings=AuditSettings(**{"sample": 60, "cutoffs": 2, **settings}),
        )


def shop(seed: int = 5) -> pd.DataFrame:
    """Orders of 60 customers over two years, at random, so that nothing foretells anything."""
    draw = random.Random(seed)
    rows = [
        {
            "customer_id": f"c{draw.randrange(60):02}",
            "event_time": CUTOFF + draw.randint(-600 * DAY, 200 * DAY),
            "amount": float(draw.randint(5, 100)),
        }
        for _ in range(500)
    ]
    return framed(rows)


def orders(**more: Any) -> SourceSettings:
    """The orders of the shop."""
    return SourceSettings(
        frame="orders", **{"columns": {name: name for name in ("customer_id", "event_time", "amount")}, **more}
    )


def names(found: Audit, check: str) -> list[str]:
    """What one check found."""
    return [finding.name for finding in found.findings if finding.check == check]


def people(orders: pd.DataFrame, **columns: list[Any]) -> pd.DataFrame:
    """One row per customer of the shop."""
    return pd.DataFrame({"customer_id": sorted(orders["customer_id"].unique()), **columns})


def churners(orders: pd.DataFrame) -> list[bool]:
    """Whether each customer of the shop has no order after the first cutoff, in the order of ``people``."""
    last = orders.groupby("customer_id")["event_time"].max().sort_index()
    return (last < pd.Timestamp(CUTOFF, unit="us", tz="UTC")).tolist()


def test_a_business_with_all_sources_passes() -> None:
    """Late rows, repeated ids and rows at the cutoff are no leaks; false alarms teach people to allow all."""
    found = audited(SOURCES, raw_business(2))
    assert found.findings == ()
    assert found.checks["snapshots rebuilt from cut data"] > 20
    assert found.checks["snapshots with injected future"] > 20
    found.require_clean()


def test_an_attribute_that_does_not_say_since_when_it_is_known_is_named() -> None:
    """A field that somebody fills when the customer has gone is the most common leak of all."""
    bought = shop()
    reasons = ["moved" if gone else None for gone in churners(bought)]
    customers = SourceSettings(
        frame="people",
        columns={"customer_id": "customer_id"},
        attributes={"closing_reason": AttributeSettings(column="closing_reason")},
    )
    frames = {"orders": bought, "people": people(bought, closing_reason=reasons)}
    found = audited({"orders": orders(), "customers": customers}, frames)
    assert "closing_reason" in names(found, "undated attribute")
    with pytest.raises(AuditError, match="closing_reason: the attribute 'closing_reason' does not say since when"):
        found.require_clean()


@pytest.mark.parametrize(("accounts_per_address", "named"), [(1, ["email"]), (12, [])])
def test_a_text_that_every_customer_has_alone_is_named(accounts_per_address: int, named: list[str]) -> None:
    """An address explains nobody else, and whoever stores the model would store persons; a shared one is a kind."""
    bought = shop()
    who = people(bought)
    addresses = [f"someone{number // accounts_per_address}@example.org" for number in range(len(who))]
    customers = SourceSettings(
        frame="people",
        columns={"customer_id": "customer_id"},
        attributes={"email": AttributeSettings(column="email", static=True)},
    )
    found = audited(
        {"orders": orders(), "customers": customers}, {"orders": bought, "people": who.assign(email=addresses)}
    )
    assert names(found, "names persons") == named
    assert not any("someone" in finding.detail for finding in found.findings)
    if named:
        with pytest.raises(AuditError, match=r"email: has \d+ different texts among \d+ customers.*leave it out"):
            found.require_clean()


def test_a_count_up_to_today_is_named() -> None:
    """A number of orders that the customer table keeps holds all orders to come."""
    bought = shop()
    counts = bought.groupby("customer_id").size().sort_index().astype(str).tolist()
    customers = SourceSettings(
        frame="people",
        columns={"customer_id": "customer_id"},
        attributes={"orders_total": AttributeSettings(column="orders_total")},
    )
    frames = {"orders": bought, "people": people(bought, orders_total=counts)}
    assert names(audited({"orders": orders(), "customers": customers}, frames), "undated attribute") == ["orders_total"]


def test_a_refund_netted_into_its_purchase_is_named() -> None:
    """The amount of an old order that is 0 because of a later refund knows of the refund."""
    bought = shop()
    refunded = np.arange(len(bought)) % 10 == 0
    bought.loc[refunded, "amount"] = 0.0
    bought["refunded_at"] = (bought["event_time"] + pd.Timedelta(days=20)).where(refunded)
    found = audited({"orders": orders()}, {"orders": bought})
    assert names(found, "changed later") == ["orders.refunded_at"]
    assert "10.0% of the rows" in found.findings[0].detail


def test_a_resolution_that_is_known_before_it_happened_is_named() -> None:
    """How long a ticket took is known when it is resolved, not when it is opened."""
    bought = shop()
    tickets = bought[["customer_id"]].assign(
        opened=bought["event_time"], solved=bought["event_time"] + pd.Timedelta(days=9)
    )
    settings = SourceSettings(
        frame="tickets",
        columns={"customer_id": "customer_id", "opened_time": "opened"},
        compute={"severity": "CASE WHEN solved > opened + INTERVAL 5 DAY THEN 'slow' ELSE 'quick' END"},
    )
    found = audited({"orders": orders(), "tickets": settings}, {"orders": bought, "tickets": tickets})
    assert names(found, "changed later") == ["tickets.solved"]


@dataclass(frozen=True)
class CountToTheCutoff(Aggregate):
    """A user's own aggregate that reads one row too far: events at the cutoff count as past."""

    def columns(self) -> frozenset[str]:
        """Times only."""
        return frozenset()

    def __call__(self, view: View, window: Window) -> Numbers:
        """How many events lie at or before the cutoff, past the range that the view allows."""
        counts = []
        for first, last, cutoff in zip(view.first, view.last, view.cutoffs, strict=True):
            while last < view.times.size and view.times[last] == cutoff:
                last += 1
            counts.append(float(last - first))
        return np.array(counts)


def test_an_event_of_the_cutoff_on_the_wrong_side_is_named() -> None:
    """Times that are dates put a whole day on one instant; a ≤ in somebody's own aggregate then sees tomorrow."""
    wrong = Feature("orders_so_far", "orders", CountToTheCutoff(), "count", "placed {value} orders", "frequency")
    found = audited({"orders": orders()}, {"orders": shop()}, more=(wrong,))
    assert {finding.name for finding in found.findings} == {"orders_so_far"}
    assert names(found, "injected") == ["orders_so_far"]


def test_a_table_that_was_not_built_from_this_data_is_named() -> None:
    """A feature that was changed after it was built cannot be rebuilt."""
    found = audited({"orders": orders()}, {"orders": shop()}, tamper={"spend_90d": 0.01})
    assert names(found, "rebuilt") == ["spend_90d"]


def test_a_feature_that_alone_separates_churners_is_named() -> None:
    """A static field that only churners have is too good to be true, whatever its declaration says."""
    bought = shop()
    bought = bought[bought["event_time"] < pd.Timestamp(CUTOFF, unit="us", tz="UTC")]
    stays = [f"c{i:02}" for i in range(0, 60, 2)]
    later = framed(
        [{"customer_id": name, "event_time": CUTOFF + i * 45 * DAY, "amount": 5.0} for name in stays for i in range(5)]
    )
    bought = pd.concat([bought, later], ignore_index=True)
    status = ["live" if name in stays else "closed" for name in people(bought)["customer_id"]]
    customers = SourceSettings(
        frame="people",
        columns={"customer_id": "customer_id"},
        attributes={"status": AttributeSettings(column="status", static=True)},
    )
    found = audited(
        {"orders": orders(), "customers": customers}, {"orders": bought, "people": people(bought, status=status)}
    )
    assert "status" in names(found, "too good alone")


def test_what_a_person_allows_by_name_does_not_stop_training() -> None:
    """The report keeps it, so that the next reader sees what was accepted."""
    bought = shop()
    bought["exported_at"] = pd.Timestamp(CUTOFF + 900 * DAY, unit="us", tz="UTC")
    found = audited({"orders": orders()}, {"orders": bought}, allow=("orders.exported_at",))
    assert found.findings == ()
    assert [finding.name for finding in found.allowed] == ["orders.exported_at"]
    found.require_clean()
    assert json.loads(json.dumps(found.to_dict()))["allowed"][0]["name"] == "orders.exported_at"
