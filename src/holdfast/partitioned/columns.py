"""Columns of a table as names and types, the same in pandas, Arrow and Spark; and tables cut into equal pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd
import pyarrow as pa

from holdfast.errors import DataError
from holdfast.spark.session import named

Columns = Mapping[str, str]
"""Name to type, in order; a type is ``str``, ``float64`` or ``int64``."""

ROWS_AT_ONCE = 20_000
"""Rows of a piece, whatever the parts were: so files depend on contents and not on how the work was divided."""

_ARROW = {"str": pa.string(), "float64": pa.float64(), "int64": pa.int64()}
_DDL = {"str": "string", "float64": "double", "int64": "bigint"}


def conform(frame: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """Exactly these columns, in this order and of these types, with a fresh index."""
    taken = frame[list(columns)].reset_index(drop=True)
    other = {name: kind for name, kind in columns.items() if str(taken.dtypes[name]) != kind}
    return taken.astype(other) if other else taken


def no_rows(columns: Columns) -> pd.DataFrame:
    """An empty table of these columns."""
    return conform(schema(columns).empty_table().to_pandas(), columns)


def schema(columns: Columns) -> pa.Schema:
    """The columns as Arrow knows them."""
    return pa.schema([(name, _ARROW[kind]) for name, kind in columns.items()])


def ddl(columns: Columns) -> str:
    """The columns as Spark knows them."""
    return ", ".join(f"{named(name)} {_DDL[kind]}" for name, kind in columns.items())


def columns_of_spark(dtypes: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Our types of a Spark table's columns.

    Raises
    ------
    DataError
        A column has a type that we do not use; it is named.
    """
    ours = {theirs: kind for kind, theirs in _DDL.items()}
    found = dict(dtypes)
    other = [f"{name} ({kind})" for name, kind in found.items() if kind not in ours]
    if other:
        raise DataError(
            f"Wanted columns of {', '.join(sorted(ours))}, found {', '.join(other)}. Cast them before they come here."
        )
    return {name: ours[kind] for name, kind in found.items()}


def to_arrow(frame: pd.DataFrame, columns: Columns) -> pa.Table:
    """The frame as Arrow, in exactly these columns."""
    wanted = schema(columns)
    return pa.table([pa.array(frame[field.name], type=field.type) for field in wanted], schema=wanted)


def rebatched(frames: Iterable[pd.DataFrame], rows: int = ROWS_AT_ONCE) -> Iterator[pd.DataFrame]:
    """The same rows in pieces of ``rows``, the last one shorter; frames without rows leave no trace."""
    waiting: list[pd.DataFrame] = []
    held = 0
    for frame in frames:
        begin = 0
        while held + len(frame) - begin >= rows:
            piece = frame.iloc[begin : begin + rows - held]
            begin += len(piece)
            yield pd.concat([*waiting, piece], ignore_index=True)
            waiting, held = [], 0
        if begin < len(frame):
            waiting.append(frame.iloc[begin:])
            held += len(frame) - begin
    if held:
        yield pd.concat(waiting, ignore_index=True)
