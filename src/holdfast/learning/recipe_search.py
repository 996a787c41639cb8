"""Where recipes are tried: rows and folds; and which recipe is the best there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from holdfast.learning.boosting import TREES, BoostingRounds, FittedScore, Later, Recipe, fit_rounds
from holdfast.learning.folds import Fold, Rows
from holdfast.models.checks import Matrix, Vector
from holdfast.models.quantiles import of_rows
from holdfast.timeline import Instants

_ROWS_TO_TRY = 120_000  # at a fold; more rows choose about the same and cost more


@dataclass(frozen=True)
class SearchData:
    """What recipes are tried on; ``only`` restricts learning and measuring to some rows (those with an amount)."""

    X: Matrix
    y: Vector
    weight: Vector | None = None
    cutoff: Instants | None = None
    only: Rows | None = None

    def rows(self, of: Rows) -> Rows:
        """Those that count."""
        return of if self.only is None else of[np.isin(of, self.only)]

    def tried(self, recipe: Recipe, fold: Fold) -> BoostingRounds:
        """The recipe at a fold, stopped by the fold's later rows."""
        test = self.rows(fold.test)
        return self._fit(recipe, fold, recipe.n_estimators, (self.X[test], self.y[test], of_rows(self.weight, test)))

    def learnt(self, recipe: Recipe, fold: Fold, like: BoostingRounds) -> FittedScore:
        """The recipe at a fold, with as many trees as its rows bear by what another fold showed."""
        n_trees = like.borne_by(len(self._some(fold)))
        return self._fit(recipe, fold, n_trees).upto(n_trees)

    def _some(self, fold: Fold) -> Rows:
        train = self.rows(fold.train)
        return train[:: max(1, -(-len(train) // _ROWS_TO_TRY))]  # evenly, so that every cutoff keeps its share

    def _fit(self, recipe: Recipe, fold: Fold, n_trees: int, later: Later | None = None) -> BoostingRounds:
        train = self._some(fold)
        cutoff, weight = None if self.cutoff is None else self.cutoff[train], of_rows(self.weight, train)
        return fit_rounds(
            recipe, self.X[train], self.y[train], n_trees=n_trees, weight=weight, cutoff=cutoff, later=later
        )


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
    # a fold is too small for threads of its own
    with ThreadPoolExecutor(folds_at_once(recipes[0])) as pool:
        at_last = list(pool.map(data.tried, recipes, [last] * len(recipes)))
        best = min(range(len(recipes)), key=lambda i: float(at_last[i].losses.min()))
        recipe, rounds = recipes[best], at_last[best]
        models = [*pool.map(lambda fold: data.learnt(recipe, fold, rounds), earlier), rounds.upto(rounds.borne)]
    losses: dict[str, float] = {}
    for each, tried in zip(recipes, at_last, strict=True):
        for name, of in ((each.named, tried.losses[:1]), (TREES, tried.losses[1:])):
            if len(of):
                losses[name] = min(losses.get(name, np.inf), float(of.min()))
    return ChosenRecipe(recipe, rounds.borne_by(len(data.rows(np.arange(len(data.y))))), models, losses)


def folds_at_once(recipe: Recipe) -> int:
    """How many folds to fit at once: as the recipe says, but not beyond what the parent of a process allows it."""
    return min(recipe.n_jobs, int(os.environ.get("OMP_THREAD_LIMIT", "0")) or 64)
