"""Chunks of whole customers, sorted, with coded texts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from holdfast.history.chunk import EVENTS_PER_CHUNK, Chunk
from holdfast.history.chunk_reader import worked
from holdfast.sources import AttributeSettings, DuckTables, SourceSettings, open_sources
from tests.raw_business import CUTOFF, DAY, framed, opened, opened_rows, raw_business

WANTED = {"orders": {"amount"}, "engagement": {"kind"}, "customers": set[str]()}


@pytest.fixture(scope="module")
def tables() -> Iterator[DuckTables]:
    """A business with all sources."""
    with opened(raw_business(7)) as opened_tables:
        yield opened_tables


def chunks(
    tables: DuckTables, wanted: Mapping[str, Collection[str]], *, events_per_chunk: int = EVENTS_PER_CHUNK
) -> Iterator[Chunk]:
    """The chunks themselves, one after the other."""
    return worked(tables, wanted, lambda chunk: chunk, events_per_chunk=events_per_chunk, threads=1)


def rows(found: list[Chunk], stream: str, column: str) -> list[tuple[int, int, float]]:
    """Customer, time and value of every event, in the order in which the chunks give them."""
    listed = []
    for chunk in found:
        part = chunk.streams[stream]
        for k in range(chunk.customers):
            span = slice(part.starts[k], part.starts[k + 1])
            listed += [
                (chunk.first + k, time, value)
                for time, value in zip(part.times[span].tolist(), part.columns[column][span].tolist(), strict=True)
            ]
    return listed


@pytest.mark.parametrize("events_per_chunk", [1, 50, 300])
def test_chunks_hold_whole_customers_and_together_all_events(tables: DuckTables, events_per_chunk: int) -> None:
    """Memory depends on the chunk; what the chunks say together does not."""
    (whole,) = chunks(tables, WANTED)
    found = list(chunks(tables, WANTED, events_per_chunk=events_per_chunk))
    assert len(found) > 1
    assert [chunk.first for chunk in found] == [0, *(chunk.stop for chunk in found[:-1])]
    assert found[-1].stop == tables.customer_count
    assert rows(found, "orders", "amount") == rows([whole], "orders", "amount")
    assert rows(found, "engagement", "kind") == rows([whole], "engagement", "kind")
    assert found[0].streams["engagement"].levels == whole.streams["engagement"].levels


def test_every_event_arrives(tables: DuckTables) -> None:
    """A customer at the edge of a chunk is the one to get lost."""
    for stream in WANTED:
        (count,) = tables.connection.execute(f"SELECT count(*) FROM {stream}").fetchone() or (0,)
        sizes = [chunk.streams[stream].times.size for chunk in chunks(tables, WANTED, events_per_chunk=40)]
        assert sum(sizes) == count > 0


def test_events_are_sorted_by_customer_and_time(tables: DuckTables) -> None:
    """The kernel walks; it does not sort."""
    (chunk,) = chunks(tables, {"orders": {"amount"}})
    stream = chunk.streams["orders"]
    assert stream.starts[0] == 0
    assert stream.starts[-1] == stream.times.size
    assert all(np.all(np.diff(stream.times[a:b]) >= 0) for a, b in zip(stream.starts, stream.starts[1:], strict=False))
    assert np.all(stream.known >= stream.times)


def test_ties_are_broken_alike_whatever_is_read() -> None:
    """Training reads what labels need too; scoring does not; both must see ties in one order."""
    ties = [
        {"customer_id": "a", "event_time": CUTOFF, "amount": amount, "discount": discount, "margin": margin}
        for amount, discount, margin in [(1.0, 5.0, 2.0), (2.0, 4.0, 1.0), (3.0, 6.0, 3.0)]
    ]
    with opened_rows(orders=ties) as tables:
        orders = [
            next(chunks(tables, {"orders": wanted})).streams["orders"].columns["margin"].tolist()
            for wanted in ({"margin"}, {"discount", "margin"}, {"amount", "margin"})
        ]
    assert orders == [[2.0, 1.0, 3.0]] * 3


def test_texts_are_coded_in_their_sorted_order_and_missing_ones_are_nan() -> None:
    """Codes are the same in every chunk, because the whole table decides on them."""
    visits = [
        {"customer_id": customer, "event_time": CUTOFF, "kind": kind}
        for customer, kind in [("a", "visit"), ("b", "Öffnen"), ("c", "app"), ("d", "visit")]
    ]
    tickets = [{"customer_id": "a", "opened_time": CUTOFF, "topic": None, "severity": "low"}]
    with opened_rows(engagement=visits, tickets=tickets) as tables:
        found = list(chunks(tables, {"engagement": {"kind"}, "tickets": {"topic", "severity"}}, events_per_chunk=1))
    codes = [chunk.streams["engagement"].columns["kind"].tolist() for chunk in found]
    assert codes == [[1.0], [2.0], [0.0], [1.0]]
    assert all(chunk.streams["engagement"].levels["kind"] == ("app", "visit", "Öffnen") for chunk in found)
    first = found[0].streams["tickets"]
    assert first.levels == {"topic": (), "severity": ("low",)}
    assert np.isnan(first.columns["topic"]).all()


def test_a_column_may_be_called_like_a_word_of_sql() -> None:
    """Users name attributes in their own words."""
    people = framed([{"customer_id": "a", "signup_time": CUTOFF - DAY, "group": "g", "order": "o"}])
    settings = SourceSettings(
        frame="people",
        columns={"customer_id": "customer_id", "signup_time": "signup_time"},
        attributes={name: AttributeSettings(column=name, static=True) for name in ("group", "order")},
    )
    with open_sources({"customers": settings}, base=Path(), frames={"people": people}) as tables:
        (chunk,) = chunks(tables, {"customers": {"group", "order", "moment"}})
    assert chunk.streams["customers"].levels["group"] == ("g",)


def test_a_customer_without_events_of_the_wanted_streams_is_still_there() -> None:
    """Somebody who only signed up may belong to the population of another rule."""
    with opened_rows(
        customers=[{"customer_id": name, "signup_time": CUTOFF} for name in ("a", "b", "z")],
        orders=[{"customer_id": "b", "event_time": CUTOFF, "amount": 1.0}],
    ) as tables:
        found = list(chunks(tables, {"orders": {"amount"}}, events_per_chunk=1))
        nothing = list(chunks(tables, {}))
    assert [(chunk.first, chunk.stop) for chunk in found] == [(0, 3)]
    assert found[0].streams["orders"].starts.tolist() == [0, 0, 1, 1]
    assert [(chunk.first, chunk.stop) for chunk in nothing] == [(0, 3)]
