"""Learn from the rows of a RelBench task and predict those of another split, in its order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from benchmarks.relbench.database import cutoffs_of, last_seen, open_database
from benchmarks.relbench.declaration import Declaration
from benchmarks.relbench.given import build_given
from benchmarks.relbench.interface import Task
from benchmarks.relbench.rows import TARGET, rows_in_our_words, rows_of, sampled, seeds_between
from holdfast.errors import ConfigError, DataError
from holdfast.features.catalogue import Vocabulary, catalogue
from holdfast.learning import AtRiskClassifier, ValueRegressor
from holdfast.models import categorical_columns, learn_categories, to_matrix
from holdfast.models.checks import Matrix, Vector
from holdfast.progress import SILENT, Progress
from holdfast.timeline import Days, Instants

MOST_ROWS = 500_000
_MOST_REJECTED = 0.05
_BEFORE = {"val": ("train",), "test": ("train", "val")}


@dataclass(frozen=True)
class Predicted:
    """Predictions of one split, and what they were learnt from.

    Attributes
    ----------
    values : array of shape (n_rows,)
        One per row of the task's table, in its order: a probability, or an amount.
    table : DataFrame
        The same beside the entity and the time of each row, as RelBench's leaderboard wants them.
    learnt_from : mapping of split to rows that were learnt from
    features : int
    """

    values: Vector
    table: pd.DataFrame
    learnt_from: Mapping[str, int]
    features: int


def predict(
    task: Task,
    declaration: Declaration,
    *,
    split: Literal["val", "test"] = "test",
    learn_from: Sequence[str] = ("train",),
    seeds_per_window: int = 1,
    rows_at_seed: bool = False,
    most: int | None = MOST_ROWS,
    seed: int = 0,
    progress: Progress = SILENT,
) -> Predicted:
    """Predict the rows of a split.

    Everything that is read lies before the first seed time of that split, so predictions of ``val`` never saw the time
    of its outcomes, and those of ``test`` never saw theirs.

    Parameters
    ----------
    learn_from : sequence of str
        Splits with labels: ``train``, or for the test ``train`` and ``val``.
    seeds_per_window : int
        1 learns from RelBench's own seed times, which lie one outcome window apart; 4 from three more in between,
        with rows and labels that our own code finds.
    most : int or None
        Learn from a random sample of so many rows, if there are more.
    seed : int
        Of the sample and the models.

    Raises
    ------
    ConfigError
        Learning from the split to predict or a later one, or more seed times than the declaration has words for.
    DataError
        The database does not fit the declaration, or all labels are the same.
    """
    _require_possible(declaration, split, learn_from, seeds_per_window)
    asked = rows_of(task, split)
    labelled = {name: rows_of(task, name) for name in learn_from}
    window = Days(task.timedelta / pd.Timedelta(days=1))
    first = cutoffs_of(asked["seed"].to_numpy(dtype=np.int64).min(), rows_at_seed=rows_at_seed)
    database = task.get_db().upto(last_seen(int(first)))
    everyone = pd.concat([asked, *labelled.values()])["customer_id"].unique()
    with closing(open_database(database, declaration.mapped, everyone, progress=progress)) as tables:
        tables.report.require(_MOST_REJECTED)
        if declaration.words is not None and seeds_per_window > 1:
            own = np.concatenate([rows["seed"].to_numpy(dtype=np.int64) for rows in labelled.values()])
            more = seeds_between(own, seeds_per_window, window)
            labelled["between"] = rows_in_our_words(tables, declaration.words, more)
        learnt = sampled(pd.concat(labelled, names=["split", "row"]).reset_index("split"), most, seed)
        features = catalogue(Vocabulary.of(tables))
        seen = build_given(tables, features, _at_cutoffs(learnt, rows_at_seed), progress=progress)
        to_score = build_given(tables, features, _at_cutoffs(asked, rows_at_seed), progress=progress)
    specs = learn_categories(seen, [feature.record() for feature in features])
    labels = learnt[TARGET].to_numpy(dtype=np.float64)
    with progress("Training"):
        model = _fitted(
            declaration,
            to_matrix(seen, specs),
            labels,
            cutoff=learnt["seed"].to_numpy(dtype=np.int64),
            purge_days=window.count,
            categorical_features=categorical_columns(specs),
            random_state=seed,
        )
    values = _answers(model, to_matrix(to_score, specs), counts=bool((labels == np.rint(labels)).all()))
    table = task.get_table(split, mask_input_cols=True).df[[task.entity_col, task.time_col]]
    counts = learnt["split"].value_counts()
    return Predicted(
        values,
        table.assign(**{task.target_col: values}).reset_index(drop=True),
        {name: int(counts.get(name, 0)) for name in labelled},
        len(features),
    )


def _at_cutoffs(rows: pd.DataFrame, rows_at_seed: bool) -> pd.DataFrame:
    """Who is asked about, and the cutoff before which everything about them must lie."""
    cutoffs = cutoffs_of(rows["seed"].to_numpy(dtype=np.int64), rows_at_seed=rows_at_seed)
    return rows[["customer_id"]].assign(cutoff=cutoffs)


def _require_possible(declaration: Declaration, split: str, learn_from: Sequence[str], seeds_per_window: int) -> None:
    allowed = _BEFORE.get(split, ())
    if not learn_from or not set(learn_from) <= set(allowed):
        raise ConfigError(
            f"Wanted to predict {split} from {' and '.join(learn_from) or 'nothing'}, found that it can be predicted "
            f"from {' or '.join(allowed) or 'no split'}: val from train, test from train and val."
        )
    if seeds_per_window < 1 or (seeds_per_window > 1 and declaration.words is None):
        raise ConfigError(
            f"Wanted {seeds_per_window} seed times per outcome window, found that {declaration.dataset} "
            f"{declaration.task} can be learnt from {'1' if declaration.words is None else '1 or more'}. "
            "Only tasks that the declaration has words for have labels between RelBench's own seed times."
        )


def _fitted(
    declaration: Declaration, X: Matrix, y: Vector, *, cutoff: Instants, **settings: Any
) -> AtRiskClassifier | ValueRegressor:
    if len(np.unique(y)) < 2:
        raise DataError(
            f"Wanted labels that differ, found {len(y):,} rows of one label in {declaration.dataset} "
            f"{declaration.task}. Learn from more rows, or look at the task's table."
        )
    estimator = AtRiskClassifier if declaration.kind == "classification" else ValueRegressor
    model: AtRiskClassifier | ValueRegressor = estimator(**settings).fit(X, y, cutoff=cutoff)
    return model


def _answers(model: AtRiskClassifier | ValueRegressor, X: Matrix, *, counts: bool) -> Vector:
    """The probability of label 1, or the median, which no other number beats in absolute errors.

    Of whole numbers the median is one too.
    """
    if isinstance(model, AtRiskClassifier):
        return model.predict_proba(X)[:, 1]
    return np.rint(median(model, X)) if counts else median(model, X)


def median(model: ValueRegressor, X: Matrix) -> Vector:
    """The median of each row's predictive distribution."""
    return model.predict_quantile(X, 0.5)
