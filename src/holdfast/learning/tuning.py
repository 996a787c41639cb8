"""A search for a better recipe on the folds that choose the default one; :mod:`tuning_rule` says if it is used.

Every trial goes through the forward folds, the latest first, and is measured as the default is: by its loss on the
later rows after the best shift, with the number of trees that the latest fold bears. A trial that is worse than the
default there is stopped: whatever earlier folds say, the rule would refuse it.

Where the customer base alone is the default, which has no parameters worth a search, the first of the recipes with a
ridge and trees is varied instead.

One fold cannot both choose and judge: then, and without folds, there is no search.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import Any, TypeVar

import numpy as np

from holdfast.fingerprint import code_fingerprint
from holdfast.learning.boosting import FittedScore, Recipe
from holdfast.learning.folds import Fold
from holdfast.learning.recipe_search import ChosenRecipe, SearchData, best_recipe, folds_at_once
from holdfast.learning.trial_study import Range, Trial, TrialStudy, opened, require_optuna
from holdfast.learning.tuning_rule import FoldLosses, judge
from holdfast.learning.tuning_settings import Tuning

SPACE: Mapping[str, Range] = {
    "learning_rate": Range(0.01, 0.1),
    "num_leaves": Range(4, 31, whole=True),  # reasons take time in proportion to the leaves, and more
    "min_child_samples": Range(20, 1000, whole=True),
    "feature_fraction": Range(0.1, 1.0, log=False),
    "bagging_fraction": Range(0.3, 1.0, log=False),
    "reg_lambda": Range(0.1, 100.0),
    "linear_penalty": Range(0.3, 300.0),
}
"""Where recipes are looked for; all else stays as the estimator has it."""

_FEWEST_FOLDS = 2
_AT_ONCE = 2  # trials drawn from one record, so that two cores have work at the first fold; the same on one core
_LIBRARIES = ("lightgbm", "numpy", "optuna", "scipy")
_log = logging.getLogger("holdfast.tuning")

T = TypeVar("T")
Outcome = tuple[tuple[float, ...], bool]
"""Losses of a trial, the latest fold first, and whether it was stopped there."""


def choose_recipe(
    recipes: Sequence[Recipe], data: SearchData, folds: Sequence[Fold], tuning: Tuning | None, *, what: str
) -> tuple[ChosenRecipe, dict[str, Any] | None]:
    """The best of the recipes, or a better one, if a search is wanted and finds one; and the record of the search.

    Parameters
    ----------
    what : str
        Names the score in the log.

    Raises
    ------
    ConfigError
        optuna is not installed.
    StorageError
        The folder of the trials refuses.
    """
    if tuning is not None:
        require_optuna()
    default = best_recipe(recipes, data, folds)
    if tuning is None or len(folds) < _FEWEST_FOLDS:
        return default, None
    before = _measured(data, folds, default)
    varied = default.recipe if default.recipe.columns is None else recipes[0]
    search = _Search(default.recipe, varied, data, folds, before, tuning)
    with opened(tuning.folder, search.key(), SPACE, recipes[0].random_state) as study, _timed(what, study):
        search.run(study)
        trials = study.trials[: tuning.trials]
    stopped = sum(trial.stopped for trial in trials)
    eligible = [trial for trial in trials if not trial.stopped and trial.losses[0] <= trials[0].losses[0]]
    best = min(eligible, key=lambda trial: trial.loss)
    tuned = default if best is trials[0] else best_recipe([_with(varied, best.parameters)], data, folds)
    after = _measured(data, folds, tuned)
    verdict = judge(before, after, [trial.losses for trial in eligible])
    chosen = tuned if verdict.accepted else default
    record = {
        "chosen": "tuned" if verdict.accepted else "default",
        "why": verdict.why,
        "parameters": _of(chosen.recipe),
        "trials": len(trials),
        "stopped": stopped,
        "folds": len(folds),
        "loss": {"default": before.loss, "tuned": after.loss},
        "gain": verdict.to_dict(),
    }
    return replace(chosen, losses=default.losses | chosen.losses), record


def _measured(data: SearchData, folds: Sequence[Fold], chosen: ChosenRecipe) -> FoldLosses:
    return FoldLosses.of(data, chosen.recipe.objective, folds, [model.score for model in chosen.models])


def _of(recipe: Recipe) -> dict[str, float]:
    return {name: (int if at.whole else float)(getattr(recipe, name)) for name, at in SPACE.items()}


def _with(recipe: Recipe, parameters: Mapping[str, float]) -> Recipe:
    return replace(recipe, **parameters)  # type: ignore[arg-type] # the space names fields of the recipe


def tuning_sentence(name: str, record: Mapping[str, Any] | None) -> str:
    """The record of a score in a sentence."""
    score = name.replace("_", " ")
    if record is None:
        why = "fewer than two earlier cutoffs could judge, or at one of them all customers did the same"
        return f"tuning: {score} keeps its defaults: {why}"
    tried = f"{record['trials']} trials, {record['stopped']} of them stopped early"
    what = "keeps its defaults" if record["chosen"] == "default" else f"is tuned to {_listed(record['parameters'])}"
    return f"tuning: {score} {what}: {record['why']}; {tried}"


def _listed(parameters: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in parameters.items())


@contextmanager
def _timed(what: str, study: TrialStudy) -> Iterator[None]:
    """Log how many trials it took and how long: times are no part of a bundle, which repeats to the byte."""
    known, spent = len(study.trials), study.seconds
    yield
    _log.info(
        "%s: %d trials in %.1f s, after %d trials in %.1f s",
        *(what, len(study.trials) - known, study.seconds - spent, known, spent),
    )


@dataclass(frozen=True)
class _Search:
    """The loop over trials, two at once, until the budget ends."""

    default: Recipe
    varied: Recipe
    data: SearchData
    folds: Sequence[Fold]
    before: FoldLosses
    tuning: Tuning

    def key(self) -> str:
        """A digest of all that decides what comes of a trial; budget and number of threads do not."""
        about = {
            "recipes": [asdict(replace(recipe, n_jobs=1)) for recipe in (self.default, self.varied)],
            "space": {name: asdict(at) for name, at in SPACE.items()},
            "shape": self.data.matrix.X.shape,
            "code": code_fingerprint(),
            "libraries": {name: version(name) for name in _LIBRARIES},
        }
        whole = hashlib.sha256(json.dumps(about, sort_keys=True, default=list).encode())
        data = (self.data.matrix.X, self.data.y, self.data.weight, self.data.cutoff, self.data.only)
        for array in (*data, *(rows for fold in self.folds for rows in (fold.train, fold.test))):
            raw = b"" if array is None else np.ascontiguousarray(array).view(np.uint8).data
            whole.update(f"{array is None}{len(raw)}".encode())
            whole.update(raw)
        return whole.hexdigest()

    def run(self, study: TrialStudy) -> None:
        """Add trials to the study. The first is the default, which takes no time: it is fitted in any case."""
        if not study.trials:
            study.add(Trial(_of(self.default), self.before.losses, stopped=False), seconds=0.0)
        limit = math.inf if self.tuning.trials is None else self.tuning.trials
        seconds = math.inf if self.tuning.minutes is None else self.tuning.minutes * 60
        with ThreadPoolExecutor(folds_at_once(self.default)) as pool:
            while (known := len(study.trials)) < limit and study.seconds < seconds:
                begun = time.monotonic()
                first = known - (known - 1) % _AT_ONCE  # of its pair, both drawn from the record before it
                drawn = [study.draw(number, first) for number in range(known, int(min(first + _AT_ONCE, limit)))]
                outcomes = self._outcomes(pool, drawn, until=begun + seconds - study.seconds)
                each = (time.monotonic() - begun) / len(drawn)
                for number, (parameters, outcome) in enumerate(zip(drawn, outcomes, strict=True), known):
                    if outcome is None or number > len(study.trials):  # what comes after an unfinished one
                        study.spend(each)  # is drawn again
                    else:
                        study.add(Trial(parameters, *outcome), seconds=each)

    def _outcomes(
        self, pool: ThreadPoolExecutor, drawn: Sequence[Mapping[str, float]], until: float
    ) -> list[Outcome | None]:
        """What came of each; None where time ended before."""
        recipes = [_with(self.varied, parameters) for parameters in drawn]
        *earlier, last = self.folds
        at_last = list(pool.map(lambda recipe: self._in_time(until, self.data.tried, recipe, last), recipes))
        first = [None if rounds is None else self._losses([last], [rounds.score]) for rounds in at_last]
        stopped = [losses is None or losses[0] > self.before.losses[0] for losses in first]
        pairs = [(i, fold) for i in range(len(recipes)) if not stopped[i] for fold in earlier]
        rest = list(
            pool.map(
                lambda pair: self._in_time(until, self.data.learnt, recipes[pair[0]], pair[1], at_last[pair[0]]), pairs
            )
        )

        def outcome(i: int) -> Outcome | None:
            losses, rounds = first[i], at_last[i]
            if losses is None or rounds is None or stopped[i]:
                return None if losses is None else (losses, True)
            models = [learnt for (of, _), learnt in zip(pairs, rest, strict=True) if of == i]
            there = [*(learnt for learnt in models if learnt is not None), rounds.score]
            return (self._losses(self.folds, there), False) if len(there) == len(self.folds) else None

        return [outcome(i) for i in range(len(recipes))]

    def _in_time(self, until: float, fit: Callable[..., T], *what: Any) -> T | None:
        """A fit; None once time is up, so that no more than what has begun goes on."""
        return fit(*what) if time.monotonic() < until else None

    def _losses(self, folds: Sequence[Fold], models: Sequence[FittedScore]) -> tuple[float, ...]:
        return FoldLosses.of(self.data, self.default.objective, folds, [each.score for each in models]).losses
