"""Where recipes are tried: rows and folds; and which recipe is the best there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock

import numpy as np

from holdfast.learning.binned_matrix import BinnedMatrix, LabelledRows
from holdfast.learning.boosting import TREES, BoostingRounds, FittedScore, Recipe, RidgeFit, fit_ridge, fit_rounds
from holdfast.learning.folds import Fold, Rows
from holdfast.learning.ridge import describe
from holdfast.models.additive import Linear
from holdfast.models.checks import Vector
from holdfast.timeline import Instants

_RATE_TO_COMPARE = 0.1  # of learning: which recipe is the best shows in half of the trees as well
_ROWS_TO_DESCRIBE = 200_000  # tell range, median and spread of columns as well as more do
_ROWS_TO_TRY = 25_000  # at a fold; more rows choose about the same and cost more


@dataclass(frozen=True)
class SearchData:
    """What recipes are tried on; ``only`` restricts learning and measuring to some rows (those with an amount)."""

    matrix: BinnedMatrix
    y: Vector
    weight: Vector | None = None
    cutoff: Instants | None = None
    only: Rows | None = None
    _descriptions: dict[tuple[int, ...], Linear] = field(default_factory=dict, repr=False)
    _one_at_a_time: Lock = field(default_factory=Lock, repr=False)

    @cached_property
    def counting(self) -> Rows:
        """All rows that count."""
        return np.arange(len(self.y)) if self.only is None else self.only

    def rows(self, of: Rows) -> Rows:
        """Those that count."""
        return of if self.only is None else of[np.isin(of, self.only)]

    def train(self, fold: Fold) -> LabelledRows:
        """What a fold learns from: of many rows some, evenly, so that every cutoff keeps its share."""
        train = self.rows(fold.train)
        return self._labelled(_evenly(train, _ROWS_TO_TRY))

    def later(self, fold: Fold) -> LabelledRows:
        """What a fold is tried on."""
        return self._labelled(self.rows(fold.test))

    def ridge(self, recipe: Recipe, rows: LabelledRows) -> RidgeFit:
        """The linear part of a recipe, from some rows; how its columns spread, the rows that count tell all alike."""
        return fit_ridge(recipe, rows, self._described(recipe.linear_columns(self.matrix.X.shape[1])))

    def _described(self, columns: tuple[int, ...]) -> Linear:
        with self._one_at_a_time:
            if columns not in self._descriptions:
                every = self._labelled(_evenly(self.counting, _ROWS_TO_DESCRIBE))
                self._descriptions[columns] = describe(every.features, columns, every.weight)
            return self._descriptions[columns]

    def tried(self, recipe: Recipe, fold: Fold) -> BoostingRounds:
        """The recipe at a fold, stopped by the fold's later rows."""
        ridge = self.ridge(recipe, self.train(fold))
        return fit_rounds(recipe, ridge, n_trees=recipe.n_estimators, later=self.later(fold))

    def learnt(self, recipe: Recipe, fold: Fold, like: BoostingRounds) -> FittedScore:
        """The recipe at a fold, with as many trees as its rows bear by what another fold showed."""
        train = self.train(fold)
        n_trees = like.borne_by(len(train))
        return fit_rounds(recipe, self.ridge(recipe, train), n_trees=n_trees).score

    def whole(self, recipe: Recipe, n_trees: int) -> FittedScore:
        """The recipe on all rows that count, with so many trees."""
        return fit_rounds(recipe, self.ridge(recipe, self._labelled(self.counting)), n_trees=n_trees).score

    def _labelled(self, rows: Rows) -> LabelledRows:
        return LabelledRows.some(self.matrix, rows, self.y, self.weight, self.cutoff)


@dataclass(frozen=True)
class ChosenRecipe:
    """The recipe that later cutoffs bear best, and how many trees.

    Attributes
    ----------
    models : sequence of FittedScore
        Of the folds.
    losses : dict of name to float
        The least loss at the latest fold of what a score may be made of; empty without folds.
    """

    recipe: Recipe
    n_trees: int
    models: Sequence[FittedScore]
    losses: dict[str, float]

    @property
    def named(self) -> str:
        """What the score is made of."""
        return TREES if self.n_trees else self.recipe.named


def best_recipe(recipes: Sequence[Recipe], data: SearchData, folds: Sequence[Fold]) -> ChosenRecipe:
    """The recipe with the least loss at the latest fold, which knows most; compared at a coarser learning rate.

    It has the least number of trees whose loss there is within a hair of the best. Earlier folds and all rows together
    have as many as their rows bear. Without folds nothing says that trees would help: the first recipe without any.
    """
    if not folds:
        return ChosenRecipe(recipes[0], 0, [], {})
    *earlier, last = folds
    train, later = data.train(last), data.later(last)
    # a fold is too small for threads of its own
    with ThreadPoolExecutor(folds_at_once(recipes[0])) as pool:
        ridges = {recipe.ridge: recipe for recipe in recipes}
        smooth = dict(zip(ridges, pool.map(data.ridge, ridges.values(), [train] * len(ridges)), strict=True))

        def at_last(recipe: Recipe) -> BoostingRounds:
            return fit_rounds(recipe, smooth[recipe.ridge], n_trees=recipe.n_estimators, later=later)

        several = sum(recipe.n_estimators > 0 for recipe in recipes) > 1
        compared = [recipe.coarser(_RATE_TO_COMPARE) for recipe in recipes] if several else recipes
        tried = list(pool.map(at_last, compared))
        best = min(range(len(recipes)), key=lambda i: float(tried[i].losses.min()))
        recipe, rounds = recipes[best], tried[best]
        if compared[best] != recipe and rounds.n_trees:
            rounds = at_last(recipe)
        models = [*pool.map(lambda fold: data.learnt(recipe, fold, rounds), earlier), rounds.score]
    losses: dict[str, float] = {}
    for each, record in zip((*recipes, recipe), (*tried, rounds), strict=True):
        for name, of in ((each.named, record.losses[:1]), (TREES, record.losses[1:])):
            if len(of):
                losses[name] = min(losses.get(name, np.inf), float(of.min()))
    return ChosenRecipe(recipe, rounds.borne_by(len(data.counting)), models, losses)


def _evenly(rows: Rows, most: int) -> Rows:
    return rows[:: max(1, -(-len(rows) // most))]


def folds_at_once(recipe: Recipe) -> int:
    """How many folds to fit at once: as the recipe says, but not beyond what the parent of a process allows it."""
    return min(recipe.n_jobs, int(os.environ.get("OMP_THREAD_LIMIT", "0")) or 64)
