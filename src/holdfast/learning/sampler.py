"""Which recipe to try next: the tree-structured Parzen estimator of Bergstra et al. (2011), as optuna has it.

Parameters of the better trials and of the others are two densities; the next trial is drawn where the ratio of both is
high. A draw depends on the record, the seed and its own number, and on no generator that has a past: so a search that
was interrupted goes on as if it had not been.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.errors import ConfigError

_AT_RANDOM = 10  # trials before the densities say anything
Parameters = Mapping[str, float]


@dataclass(frozen=True)
class Range:
    """Where a parameter may lie, on a logarithmic scale unless it is a share."""

    low: float
    high: float
    whole: bool = False
    log: bool = True

    def nearest(self, value: float) -> float:
        """The value, or the end of the range on its side: a default may lie outside."""
        found = min(max(value, self.low), self.high)
        return int(found) if self.whole else float(found)


@dataclass(frozen=True)
class Known:
    """A finished trial: its loss over all folds, or at the latest alone where it was stopped there."""

    parameters: Parameters
    loss: float
    stopped: bool


def required() -> Any:
    """The package that draws.

    Raises
    ------
    ConfigError
        It is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise ConfigError(
            "Tuning needs optuna, which is not installed. Install it with: pip install 'holdfast[tune]', or leave "
            "tuning out."
        ) from None
    return optuna


class RecipeSampler:
    """Draws the parameters of trials.

    Raises
    ------
    ConfigError
        optuna is not installed.
    """

    def __init__(self, space: Mapping[str, Range], seed: int) -> None:
        optuna = required()
        self._optuna = optuna
        self._seed = seed
        self._space = space
        self._distributions = {
            name: optuna.distributions.IntDistribution(int(at.low), int(at.high), log=at.log)
            if at.whole
            else optuna.distributions.FloatDistribution(at.low, at.high, log=at.log)
            for name, at in space.items()
        }

    def draw(self, number: int, past: Sequence[Known]) -> dict[str, float]:
        """The parameters of a trial, given what came of earlier ones."""
        seed = int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0])
        sampler = self._optuna.samplers.TPESampler(seed=seed, n_startup_trials=_AT_RANDOM)
        with self._quiet():
            study = self._optuna.create_study(sampler=sampler)
            study.add_trials([self._trial(known) for known in past])
            return dict(study.ask(self._distributions).params)

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Without a line of log for each trial."""
        log = self._optuna.logging
        before = log.get_verbosity()
        log.set_verbosity(log.WARNING)
        try:
            yield
        finally:
            log.set_verbosity(before)

    def _trial(self, known: Known) -> Any:
        create, states = self._optuna.trial.create_trial, self._optuna.trial.TrialState
        parameters = {name: self._space[name].nearest(value) for name, value in known.parameters.items()}
        how: dict[str, Any] = {"params": parameters, "distributions": self._distributions}
        if known.stopped:
            return create(state=states.PRUNED, intermediate_values={0: known.loss}, **how)
        return create(state=states.COMPLETE, value=known.loss, **how)
