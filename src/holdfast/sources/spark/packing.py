"""Rows of all sources in one table, so that one shuffle brings everything of a customer together.

Columns of the same type share slots: the first number of an order and the first number of a survey stand in one column.
The table is as wide as the widest source, not as all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from holdfast.sources.connection import quoted
from holdfast.sources.mapping import SourceMapping
from holdfast.sources.validation import column_type, mapped

_SLOTS = {"BIGINT": ("long", pa.int64()), "DOUBLE": ("double", pa.float64()), "VARCHAR": ("text", pa.string())}


@dataclass(frozen=True)
class Packing:
    """Where each column of each source stands: by source our column's name, its slot and its DuckDB type."""

    mappings: tuple[SourceMapping, ...]
    places: tuple[tuple[tuple[str, str, str], ...], ...]

    @classmethod
    def of(cls, mappings: Sequence[SourceMapping]) -> Packing:
        """Give every column that streams may read a slot; ids of rows and currencies have done their work."""
        return cls(tuple(mappings), tuple(_places(mapping) for mapping in mappings))

    @property
    def schema(self) -> pa.Schema:
        """The types of the packed table."""
        widest = Counter[str]()
        for places in self.places:
            widest |= Counter(kind for _, _, kind in places)
        fields = [pa.field("customer_id", pa.string()), pa.field("source", pa.int32())]
        for kind, (word, arrow) in _SLOTS.items():
            fields += [pa.field(f"{word}_{i}", arrow) for i in range(widest[kind])]
        return pa.schema(fields)

    def slots(self, source: int) -> dict[str, str]:
        """For one source: the slot and the column of ours that fills it."""
        return {slot: own for own, slot, _ in self.places[source]}

    def unpacked(self, source: int, packed: str) -> str:
        """The statement that makes the mapped table of one source, all rows good, from the packed table."""
        columns = ", ".join(f"{slot} AS {quoted(own)}" for own, slot, _ in self.places[source])
        return (
            f"CREATE TABLE {mapped(self.mappings[source].name)} AS "
            f"SELECT customer_id, {columns}, CAST(NULL AS VARCHAR) AS reason FROM {packed} WHERE source = {source}"
        )


def _places(mapping: SourceMapping) -> tuple[tuple[str, str, str], ...]:
    counts = Counter[str]()
    places = []
    for column in mapping.kind.columns:
        if column.name in ("customer_id", mapping.kind.unique) or column.role == "currency":
            continue
        kind = column_type(column)
        places.append((column.name, f"{_SLOTS[kind][0]}_{counts[kind]}", kind))
        counts[kind] += 1
    return tuple(places)
