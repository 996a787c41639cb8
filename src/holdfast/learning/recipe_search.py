"""Where recipes are tried: rows and folds; and which recipe is the best there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from holdfast.learning.binned_matrix import BinnedMatrix, LabelledRows
from holdfast.learning.boosting import TREES, BoostingRounds, FittedScore, Recipe, fit_ridge, fit_rounds
from holdfast.learning.folds import Fold, Rows
from holdfast.models.checks import Vector
from holdfast.timeline import Instants

_ROWS_TO_TRY = 120_000  # at a fold; more rows choose about the same and cost more


@dataclass(frozen=True)
class SearchData:
    """What recipes are tried on; ``only`` restricts learning and measuring to some rows (those with an amount)."""

    matrix: BinnedMatrix
    y: Vector
    weight: Vector | None = None
    cutoff: Instants | None = None
    only: Rows | None = None

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
        return self._labelled(train[:: max(1, -(-len(train) // _ROWS_TO_TRY))])

    def later(self, fold: Fold) -> LabelledRows:
        """What a fold is tried on."""
        return self._labelled(self.rows(fold.test))

    def tried(self, recipe: Recipe, fold: Fold) -> BoostingRounds:
        """The recipe at a fold, stopped by the fold's later rows."""
        ridge = fit_ridge(recipe, self.train(fold))
        return fit_rounds(recipe, ridge, n_trees=recipe.n_estimators, later=self.later(fold))

    def learnt(self, recipe: Recipe, fold: Fold, like: BoostingRounds) -> FittedScore:
        """The recipe at a fold, with as many trees as its rows bear by what another fold showed."""
        train = self.train(fold)
        n_trees = like.borne_by(len(train))
        return fit_rounds(recipe, fit_ridge(recipe, train), n_trees=n_trees).upto(n_trees)

    def whole(self, recipe: Recipe, n_trees: int) -> FittedScore:
        """The recipe on all rows that count, with so many trees."""
        return fit_rounds(recipe, fit_ridge(recipe, self._labelled(self.counting)), n_trees=n_trees).upto(n_trees)

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
    """The recipe with the least loss at the latest fold, which knows most.

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
        smooth = dict(zip(ridges, pool.map(fit_ridge, ridges.values(), [train] * len(ridges)), strict=True))
        at_last = list(
            pool.map(
                lambda recipe: fit_rounds(recipe, smooth[recipe.ridge], n_trees=recipe.n_estimators, later=later),
                recipes,
            )
        )
        best = min(range(len(recipes)), key=lambda i: float(at_last[i].losses.min()))
        recipe, rounds = recipes[best], at_last[best]
        models = [*pool.map(lambda fold: data.learnt(recipe, fold, rounds), earlier), rounds.upto(rounds.borne)]
    losses: dict[str, float] = {}
    for each, tried in zip(recipes, at_last, strict=True):
        for name, of in ((each.named, tried.losses[:1]), (TREES, tried.losses[1:])):
            if len(of):
                losses[name] = min(losses.get(name, np.inf), float(of.min()))
    return ChosenRecipe(recipe, rounds.borne_by(len(data.counting)), models, losses)


def folds_at_once(recipe: Recipe) -> int:
    """How many folds to fit at once: as the recipe says, but not beyond what the parent of a process allows it."""
    return min(recipe.n_jobs, int(os.environ.get("OMP_THREAD_LIMIT", "0")) or 64)
