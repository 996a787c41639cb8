"""Which windows are learnt from, and which are told: a grid of instants that ends now.

Windows of a third of the horizon (of the history, where that is shorter) have ended by now, up to seven of them, each
begun a step after the other: they are learnt from. How well a third is carried to a whole is seen where the whole has
ended as well: windows about as long as those, told by models that had learnt windows of a third of that when these
began. What is now, and how long the history is, is read off the orders that were known at the instant, never off those
that came later.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.dataset import Dataset
from holdfast.errors import ConfigError, DataError
from holdfast.extrapolation.panel import Panel, everyone_ever
from holdfast.extrapolation.training_window import FeaturePlaces, TrainingWindow
from holdfast.features.feature import Feature
from holdfast.models.checks import InputError
from holdfast.timeline import Days, show

_WINDOWS = 7  # that are learnt from at most, and so many steps at least is each of them long
_TRIALS = (9 / 7, 1.0, 5 / 7)  # lengths of the told windows that have ended, in windows that are learnt from
_SHORTEST_DAYS = 3 * _WINDOWS
_FEWEST_DAYS = 63
_FEWEST_CUSTOMERS = 50
_OF_HISTORY = 4  # steps before the first instant at least


@dataclass(frozen=True)
class WindowGrid:
    """All windows of a horizon.

    Attributes
    ----------
    features : tuple of Feature
        What the models read, in the order of the matrix.
    places : FeaturePlaces
    panel : Panel
    near : int
        Steps of the windows that are learnt from.
    horizon_days : float
    bought_within_days : float
        The population is customers who bought so lately.
    """

    features: tuple[Feature, ...]
    places: FeaturePlaces
    panel: Panel
    near: int
    horizon_days: float
    bought_within_days: float

    @classmethod
    def of(cls, dataset: Dataset, at: int, horizon_days: float) -> WindowGrid:
        """Read what was known at an instant.

        Raises
        ------
        ConfigError
            The sources have no orders, or population, churn or value is not told by orders.
        InputError
            A horizon of less than 21 days.
        DataError
            Less than 63 days of orders.
        """
        lookback = _told_by_orders(dataset)
        if horizon_days < _SHORTEST_DAYS:
            raise InputError(
                f"Wanted a horizon of at least {_SHORTEST_DAYS} days, found {horizon_days:g}. "
                "Outcomes of a shorter one are soon complete: train on them."
            )
        offered = dataset.features()
        places = FeaturePlaces.of(offered)
        features = tuple(offered[place] for place in places.all)
        _, last, first = (offered[place] for place in places.history)
        ever = everyone_ever(dataset, [last, first], at)
        missing = Days(max(0.0, np.ceil(ever[last.name].min()) - 1))  # days after that of the last order: not loaded
        end, history = at - missing.microseconds, float(ever[first.name].max()) - missing.count
        if history < _FEWEST_DAYS:
            raise DataError(
                f"Wanted at least {_FEWEST_DAYS} days of orders to learn from, found {history:.0f} before {show(end)}. "
                "Wait, or load older orders."
            )
        third = min(horizon_days, history) / 3
        step = max(1.0, third // _WINDOWS)
        near = round(third / step)
        longest = round(max(_TRIALS) * near)
        back = min(longest + _third(longest) + _WINDOWS - 1, 3 * near - _OF_HISTORY)
        panel = Panel.read(dataset, features, offered, end=end, step=Days(step), back=back)
        return cls(features, FeaturePlaces.of(features), panel, near, horizon_days, lookback)

    def trials(self) -> list[TrainingWindow]:
        """Lessons whose far window has ended by now, of those that there is something to learn from.

        Raises
        ------
        DataError
            There is nothing to learn from in any of them.
        """
        steps = [round(share * self.near) for share in _TRIALS]
        windows = [self._window(far, _third(far), far * self.panel.step_days) for far in steps]
        return [window for window in windows if window.teaches] or [_teaching(windows[0])]

    def final(self) -> TrainingWindow:
        """The window of today, whose far window nobody has seen.

        Raises
        ------
        DataError
            Fewer than 50 customers, or all or none of those learnt from came back.
        """
        window = _teaching(self._window(0, self.near, self.horizon_days))
        if len(window.customers) < _FEWEST_CUSTOMERS:
            raise DataError(
                f"Wanted at least {_FEWEST_CUSTOMERS} customers to learn from, found {len(window.customers)}. "
                "Take a wider population, or rank customers by hand."
            )
        return window

    def _window(self, ago: int, near: int, far_days: float) -> TrainingWindow:
        """What can be learnt for a window that began so many steps ago."""
        cutoffs = tuple(back for back in sorted(self.panel.rows) if back >= ago + near)[:_WINDOWS]
        return TrainingWindow(self.panel, self.places, ago, near, far_days, cutoffs, self.bought_within_days)


def _third(steps: int) -> int:
    return -(-steps // 3)


def _told_by_orders(dataset: Dataset) -> float:
    """Days within which the population bought, where orders tell all that is asked."""
    settings = dataset.settings
    lookback = settings.population.bought_within_days
    found = (settings.churn.kind, settings.value.of, "bought_within_days" if lookback else "another")
    if lookback is None or found[:2] != ("no_order", "revenue"):
        raise ConfigError(
            "Wanted churn of kind no_order, value of revenue and a population that bought_within_days; found "
            f"{found[0]}, {found[1]} and {found[2]}. Beyond the outcomes at hand a history of orders tells of those "
            "who order, and of nothing else. Shorten the horizon until its outcomes are complete, and train."
        )
    return lookback


def _teaching(window: TrainingWindow) -> TrainingWindow:
    """The window, if there is something to learn from it."""
    if window.teaches:
        return window
    came, asked = window.came_back
    found = f"{came} of {asked} who did" if asked else "nobody in the population before"
    raise DataError(
        f"Wanted customers who came back within {window.near_days:g} days and customers who did not, found {found}. "
        "Wait for more history, or choose another population or horizon."
    )
