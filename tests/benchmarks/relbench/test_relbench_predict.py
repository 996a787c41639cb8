"""Predictions of a split: RelBench's rows in its order, from nothing that lies at or behind their seed time."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.relbench import DECLARED, declared, load_task, predict
from benchmarks.relbench.interface import Task
from benchmarks.relbench.prediction import median
from holdfast.errors import ConfigError, DataError
from holdfast.learning import ValueRegressor
from tests.benchmarks.relbench.conftest import Database

ALL = [
    ("shop", "user-churn"),
    ("reviews", "user-churn"),
    ("reviews", "user-ltv"),
    ("forum", "user-engagement"),
    ("advertisements", "user-visits"),
    ("gatherings", "user-attendance"),
]


@pytest.mark.parametrize(("name", "wanted"), ALL)
def test_relbench_judges_our_predictions_of_every_kind_of_task(database: Database, name: str, wanted: str) -> None:
    """Its own evaluation takes them, and finds more in them than in a guess."""
    dataset, task = load_task(str(database(name)), wanted)
    found = predict(task, declared(dataset, wanted))
    truth = task.get_table("test", mask_input_cols=False).df[task.target_col].to_numpy(dtype=float)
    assert found.values.shape == truth.shape
    assert np.isfinite(found.values).all()
    metrics = task.evaluate(found.values)
    if declared(dataset, wanted).kind == "classification":
        assert ((found.values > 0) & (found.values < 1)).all()
        assert metrics["roc_auc"] > 0.6
    else:
        middle = np.full(truth.size, np.median(task.get_table("train").df[task.target_col]))
        assert metrics["nmae"] < task.evaluate(middle)["nmae"]


def hosted(source: Path, wanted: str, folder: Path) -> Path:
    """The database with label files beside it, as RelBench hosts them: nothing computes them anew."""
    shutil.copytree(source, folder)
    _, task = load_task(str(folder), wanted)
    for split in ("train", "val", "test"):
        table = task.get_table(split, mask_input_cols=False).df
        table.to_parquet(folder / "tasks" / wanted / f"{split}.parquet")
    return folder


def cut(folder: Path, table: str, time: str, last: pd.Timestamp) -> None:
    """Take the rows behind an instant out of the database, as if they had never happened."""
    path = folder / "db" / f"{table}.parquet"
    rows = pd.read_parquet(path)
    assert (rows[time] > last).any()
    rows[rows[time] <= last].to_parquet(path)


EDGES = pytest.mark.parametrize(
    ("split", "rows_at_seed"), [("val", False), ("test", False), ("val", True), ("test", True)]
)


def last_allowed(task: Task, split: str, rows_at_seed: bool) -> pd.Timestamp:
    """The latest time that a prediction of the split may know of."""
    seed = {"val": task.dataset.val_timestamp, "test": task.dataset.test_timestamp}[split]
    return seed if rows_at_seed else seed - pd.Timedelta(1, unit="us")


@EDGES
def test_nothing_from_the_seed_time_on_touches_a_prediction(
    database: Database, tmp_path: Path, split: str, rows_at_seed: bool
) -> None:
    """A benchmark's figure is worth nothing if the answers were in the question; so the answers go, and all stays.

    Rows at the seed time go with them, unless they were asked for.
    """
    folder = hosted(database("shop"), "user-churn", tmp_path / "shop")
    dataset, task = load_task(str(folder), "user-churn")
    before = predict(task, declared(dataset, "user-churn"), split=split, rows_at_seed=rows_at_seed)
    cut(folder, "transactions", "t_dat", last_allowed(task, split, rows_at_seed))
    _, task = load_task(str(folder), "user-churn")
    after = predict(task, declared(dataset, "user-churn"), split=split, rows_at_seed=rows_at_seed)
    np.testing.assert_array_equal(before.values, after.values)


@EDGES
def test_what_comes_up_from_the_seed_time_on_makes_no_feature(
    database: Database, tmp_path: Path, split: str, rows_at_seed: bool
) -> None:
    """A status that nobody has seen yet would be a feature of its own, and tell the model what year it is."""
    folder = hosted(database("gatherings"), "user-attendance", tmp_path / "gatherings")
    dataset, task = load_task(str(folder), "user-attendance")
    before = predict(task, declared(dataset, "user-attendance"), split=split, rows_at_seed=rows_at_seed)
    path = folder / "db" / "event_attendees.parquet"
    rows = pd.read_parquet(path)
    rows.loc[rows["start_time"] > last_allowed(task, split, rows_at_seed), "status"] = "cancelled"
    rows.to_parquet(path)
    _, task = load_task(str(folder), "user-attendance")
    after = predict(task, declared(dataset, "user-attendance"), split=split, rows_at_seed=rows_at_seed)
    assert after.features == before.features
    np.testing.assert_array_equal(before.values, after.values)


def test_predictions_follow_the_order_of_the_table(database: Database, tmp_path: Path) -> None:
    """A prediction on the row of another customer is a wrong one, and no length check would notice."""
    folder = hosted(database("shop"), "user-churn", tmp_path / "shop")
    dataset, task = load_task(str(folder), "user-churn")
    straight = predict(task, declared(dataset, "user-churn"))
    path = folder / "tasks" / "user-churn" / "test.parquet"
    rows = pd.read_parquet(path)
    places = np.random.default_rng(0).permutation(len(rows))
    rows.iloc[places].reset_index(drop=True).to_parquet(path)
    shuffled = predict(task, declared(dataset, "user-churn"))
    np.testing.assert_array_equal(straight.values[places], shuffled.values)
    assert shuffled.table["customer_id"].tolist() == rows["customer_id"].to_numpy()[places].tolist()
    assert task.evaluate(straight.values[places]) == task.evaluate(shuffled.values)


def test_customers_whom_no_table_knows_at_the_seed_time_are_predicted(database: Database) -> None:
    """Some tasks ask about those who come, and some of these come for the first time."""
    dataset, task = load_task(str(database("advertisements")), "user-visits")
    asked = task.get_table("test").df["UserID"]
    db = task.get_db()
    known = pd.concat([db.table_dict[name].df["UserID"] for name in ("VisitStream", "SearchInfo")])
    new = ~asked.isin(known)
    assert new.any()
    values = predict(task, declared(dataset, "user-visits")).values
    assert values[new].mean() < values[~new].mean()


def test_more_seed_times_and_later_labels_are_learnt_from_on_request(database: Database) -> None:
    """And the account says how many rows came from where."""
    dataset, task = load_task(str(database("reviews")), "user-churn")
    rows = {split: len(task.get_table(split, mask_input_cols=False)) for split in ("train", "val")}
    found = predict(task, declared(dataset, "user-churn"), learn_from=("train", "val"), seeds_per_window=2)
    between = found.learnt_from["between"]
    assert found.learnt_from == {**rows, "between": between}
    assert 0.5 * rows["train"] < between < 2 * rows["train"]


def test_a_sample_is_drawn_by_its_seed(database: Database) -> None:
    """The same seed gives the same bits, another one another sample."""
    dataset, task = load_task(str(database("shop")), "user-churn")

    def values(seed: int) -> np.ndarray:
        found = predict(task, declared(dataset, "user-churn"), most=1_000, seed=seed)
        assert sum(found.learnt_from.values()) == 1_000
        return found.values

    np.testing.assert_array_equal(values(0), values(0))
    assert (values(0) != values(1)).any()


def test_an_amount_is_predicted_by_its_median() -> None:
    """RelBench counts absolute errors, and the mean of many who buy nothing and a few who buy much is far off."""
    draw = np.random.default_rng(0)
    X = draw.normal(size=(3_000, 3))
    y = np.where(draw.random(3_000) < 1 / (1 + np.exp(-2 * X[:, 0])), np.exp(3 + X[:, 1] + draw.normal(size=3_000)), 0)
    model = ValueRegressor().fit(X, y)
    middle = median(model, X)
    some = middle > 0
    assert 0.2 < some.mean() < 0.8
    np.testing.assert_allclose(model.probability_above(X[some], middle[some]), 0.5, atol=0.005)
    assert (model.probability_above(X[~some], 0.0) <= 0.5 + 1e-9).all()
    assert np.abs(y - middle).mean() < np.abs(y - model.predict(X)).mean()


def test_what_cannot_be_predicted_is_refused_in_words(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong wish costs seconds, not a download and a training."""
    dataset, task = load_task(str(database("advertisements")), "user-visits")
    declaration = declared(dataset, "user-visits")
    with pytest.raises(ConfigError, match="rel-f1 driver-dnf, which is not declared"):
        declared("rel-f1", "driver-dnf")
    with pytest.raises(ConfigError, match="Wanted to predict val from train and val"):
        predict(task, declaration, split="val", learn_from=("train", "val"))
    with pytest.raises(ConfigError, match="Wanted 2 seed times per outcome window"):
        predict(task, declaration, seeds_per_window=2)
    with pytest.raises(ConfigError, match="Wanted a table transactions in the RelBench database, found AdsInfo"):
        predict(task, declared("rel-hm", "user-churn"))
    with pytest.raises(ConfigError, match=r"cannot load it: .* is not a RelBench dataset directory"):
        load_task("./nowhere", "user-churn")


def test_a_database_of_another_version_is_told_by_its_columns(database: Database, tmp_path: Path) -> None:
    """The hosted databases change; the message says what is gone."""
    folder = hosted(database("shop"), "user-churn", tmp_path / "shop")
    path = folder / "db" / "article.parquet"
    pd.read_parquet(path).rename(columns={"product_group_name": "group"}).to_parquet(path)
    dataset, task = load_task(str(folder), "user-churn")
    with pytest.raises(ConfigError, match="Wanted the columns product_group_name in table article"):
        predict(task, declared(dataset, "user-churn"))


def test_labels_that_are_all_the_same_teach_nothing(database: Database, tmp_path: Path) -> None:
    """A model of them would answer, and mean nothing."""
    folder = hosted(database("shop"), "user-churn", tmp_path / "shop")
    path = folder / "tasks" / "user-churn" / "train.parquet"
    pd.read_parquet(path).assign(churn=1).to_parquet(path)
    dataset, task = load_task(str(folder), "user-churn")
    with pytest.raises(DataError, match="Wanted labels that differ"):
        predict(task, declared(dataset, "user-churn"))


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody needs it for their own customers."""
    monkeypatch.setitem(__import__("sys").modules, "relbench", None)
    with pytest.raises(ConfigError, match=r"pip install relbench"):
        load_task("rel-hm", "user-churn")


def test_every_declaration_has_a_name_of_its_own_and_reads_what_its_queries_name() -> None:
    """Two of one name, and the second is never found."""
    assert len({(each.dataset, each.task) for each in DECLARED}) == len(DECLARED)
    for each in DECLARED:
        queries = " ".join(each.mapped.sources.values()).lower()
        assert "customers" in each.mapped.sources
        for table, columns in each.mapped.reads.items():
            assert table.lower() in queries
            assert all(column.lower() in queries for column in columns)
