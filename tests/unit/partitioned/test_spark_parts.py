"""A table in parts on a cluster: what it says of itself, and how errors come back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from holdfast.errors import ConfigError, DataError
from holdfast.partitioned import LocalParts, SparkParts, conform
from tests.unit.partitioned.test_local_parts import COLUMNS, doubled, table

MOST = 40_000


def shuffled(spark: Any, rows: int, partitions: int = 5) -> Any:
    """The tests' table as Spark has it: in no order, in so many partitions."""
    mixed = table(rows).sample(frac=1, random_state=0)
    return spark.createDataFrame(mixed).repartition(partitions)


def remainder(rows: pd.DataFrame) -> np.ndarray:
    """A key to count by."""
    return rows["n"].to_numpy() % 3


def refuse(rows: pd.DataFrame) -> pd.DataFrame:
    """An error of ours, raised where the rows are."""
    raise DataError(f"Wanted fewer than {len(rows)} rows. Take some away.")


def stumble(rows: pd.DataFrame) -> pd.DataFrame:
    """An error that is not ours."""
    return rows["absent"]


@pytest.mark.parametrize("partitions", [1, 5, 30])
def test_a_cluster_answers_as_one_machine_does(spark: Any, partitions: int) -> None:
    """Rows, order, counts and types, also where most partitions are empty."""
    here = LocalParts.of(table(50)).map(doubled, COLUMNS)
    there = SparkParts(shuffled(spark, 50, partitions), most_rows=MOST).map(doubled, COLUMNS).keep()
    pd.testing.assert_frame_equal(next(there.frames()), next(here.frames()), check_exact=True)
    assert there.count() == here.count() == 25
    assert there.tally(remainder, reads=["n"]) == here.tally(remainder, reads=["n"])
    there.close()


def test_pieces_are_those_of_one_machine(spark: Any) -> None:
    """Ranges of the cluster are cut again, so that a file's row groups do not tell where it was made."""
    whole = spark.range(50_000).selectExpr("lpad(id, 6, '0') AS customer_id", "cast(id AS double) AS amount", "id AS n")
    pieces = list(SparkParts(whole.repartition(3), most_rows=MOST).frames())
    assert [len(piece) for piece in pieces] == [20_000, 20_000, 10_000]
    together = pd.concat(pieces, ignore_index=True)
    assert list(together["n"]) == list(range(50_000))
    pd.testing.assert_frame_equal(conform(together, COLUMNS), together)


def test_a_table_without_rows_has_no_pieces(spark: Any) -> None:
    """Nobody excluded, nobody to contact: both happen."""
    nobody = SparkParts(shuffled(spark, 10).where("n < 0"), most_rows=MOST)
    assert list(nobody.frames()) == []
    assert nobody.count() == 0
    assert nobody.tally(remainder, reads=["n"]) == {}


def test_names_with_dots_are_names(spark: Any) -> None:
    """Spark would read a dot as the way into a nested column."""
    columns = {"customer_id": "str", "a.b": "int64"}
    frame = spark.createDataFrame(pd.DataFrame({"customer_id": ["x"], "a.b": [1]}))
    parts = SparkParts(frame, most_rows=MOST)
    found = next(parts.map(pd.DataFrame.copy, columns, reads=list(columns)).frames())
    assert found.to_dict("records") == [{"customer_id": "x", "a.b": 1}]


def test_an_error_of_ours_comes_back_as_itself(spark: Any) -> None:
    """The exit code and the sentence are what a user acts on; a page of Java is not."""
    parts = SparkParts(shuffled(spark, 10, 1), most_rows=MOST).map(refuse, COLUMNS)
    for ask in (parts.count, lambda: list(parts.frames())):
        with pytest.raises(DataError) as caught:
            ask()
        assert str(caught.value) == "Wanted fewer than 10 rows. Take some away."
    with pytest.raises(Exception, match="KeyError"):
        SparkParts(shuffled(spark, 10, 1), most_rows=MOST).map(stumble, COLUMNS).count()


def test_what_cannot_be_is_refused_at_once(spark: Any) -> None:
    """Before the cluster has worked for an hour."""
    with pytest.raises(ConfigError, match="Wanted at least 40,000 rows"):
        SparkParts(shuffled(spark, 10), most_rows=10)
    with pytest.raises(DataError, match=r"found when \(timestamp\)"):
        SparkParts(spark.sql("SELECT 'x' AS customer_id, timestamp '2024-01-01' AS when"))
