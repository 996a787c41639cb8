"""Tasks in our own words: the same rows and labels as RelBench's, at its seed times and between them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.relbench import declared, load_task
from benchmarks.relbench.database import open_database, seeds_of
from benchmarks.relbench.rows import TARGET, rows_in_our_words, rows_of, seeds_between
from holdfast.timeline import Days
from tests.benchmarks.relbench.conftest import Database

WITH_WORDS = [
    ("shop", "user-churn"),
    ("reviews", "user-churn"),
    ("reviews", "user-ltv"),
    ("forum", "user-engagement"),
]


def agree(ours: pd.DataFrame, task: object, theirs: pd.DataFrame) -> None:
    """Compare rows and labels, in whatever order."""
    theirs = pd.DataFrame(
        {
            "customer_id": theirs[task.entity_col].astype(int).astype(str),
            "seed": seeds_of(theirs[task.time_col]),
            TARGET: theirs[task.target_col].astype(float),
        }
    ).sort_values(["seed", "customer_id"], ignore_index=True)
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(("name", "wanted"), WITH_WORDS)
def test_our_words_find_the_rows_and_labels_of_every_split(database: Database, name: str, wanted: str) -> None:
    """Labels that differ in one row at the edge of a window would teach another task than the one that is judged."""
    dataset, task = load_task(str(database(name)), wanted)
    declaration = declared(dataset, wanted)
    tables = open_database(task.get_db(upto_test_timestamp=False), declaration.mapped)
    for split in ("train", "val", "test"):
        theirs = task.get_table(split, mask_input_cols=False).df
        seeds = np.unique(rows_of(task, split)["seed"])
        assert theirs[task.target_col].min() < theirs[task.target_col].max()
        agree(rows_in_our_words(tables, declaration.words, seeds), task, theirs)
    tables.close()


@pytest.mark.parametrize(("name", "wanted"), WITH_WORDS)
def test_our_words_find_what_relbench_would_find_between_its_seed_times(
    database: Database, name: str, wanted: str
) -> None:
    """More seed times are worth learning from only if they ask the same question."""
    dataset, task = load_task(str(database(name)), wanted)
    declaration = declared(dataset, wanted)
    db = task.get_db().upto(task.dataset.val_timestamp)
    tables = open_database(db, declaration.mapped)
    window = Days(task.timedelta / pd.Timedelta(days=1))
    more = seeds_between(rows_of(task, "train")["seed"].to_numpy(), 3, window)
    ours = rows_in_our_words(tables, declaration.words, more)
    seeds = pd.to_datetime(more, unit="us")
    agree(ours, task, task.filter_dangling_entities(task.make_table(db, seeds), db).df)
    tables.close()


def test_seed_times_between_end_no_later_than_relbench_own() -> None:
    """The window of a later one would reach behind the time at which the model must predict."""
    own = np.array([0, 7, 14, 21], dtype=np.int64) * 86_400_000_000
    more = seeds_between(own, 2, Days(7))
    assert (more / 86_400_000_000).tolist() == [3.5, 10.5, 17.5]
    assert seeds_between(own, 1, Days(7)).size == 0
    assert seeds_between(own[:0], 4, Days(7)).size == 0
