"""Which windows are learnt from, and which are told: a grid of instants that ends now.

Windows of a third of the horizon have ended by now, several of them, each begun a step after the other: they are
learnt from. How well a third is carried to the whole is seen where the whole has ended as well: windows of nine, seven
and five steps that end now, told by models that had learnt windows of a third of that when these began. A step is a
twenty-first of the horizon, or of the history where that is shorter.
"""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.dataset import Dataset
from holdfast.errors import ConfigError, DataError
from holdfast.extrapolation.lesson import Lesson, Places
from holdfast.extrapolation.past import Past
from holdfast.features.feature import Feature
from holdfast.snapshots import observed_until
from holdfast.timeline import MICROSECONDS_PER_DAY, Days, show

_NEAR = 7  # steps of the windows that are learnt from, and so many windows at most
_TRIALS = (9, 7, 5)  # steps of the windows that are told to see who tells best
_BACK = 17  # steps that are looked back
_STEPS = _BACK + 4  # with some history before the first instant
_FEWEST_DAYS = 3 * _STEPS


@dataclass(frozen=True)
class Course:
    """All lessons of a horizon.

    Attributes
    ----------
    features : tuple of Feature
        What the models read, in the order of the matrix.
    places : Places
    past : Past
    horizon_days : float
    bought_within_days : float or None
    """

    features: tuple[Feature, ...]
    places: Places
    past: Past
    horizon_days: float
    bought_within_days: float | None

    @classmethod
    def of(cls, dataset: Dataset, at: int, horizon_days: float) -> Course:
        """Read what was known at an instant.

        Raises
        ------
        ConfigError
            The sources have no orders, or churn and value are not told by orders.
        DataError
            Less than 63 days of history.
        """
        settings = dataset.configuration
        if (settings.churn.kind, settings.value.of) != ("no_order", "revenue"):
            raise ConfigError(
                f"Wanted churn of kind no_order and value of revenue, found {settings.churn.kind} and "
                f"{settings.value.of}: beyond the outcomes at hand a history of purchases tells of purchases alone. "
                "Shorten the horizon until its outcomes are complete, and train."
            )
        offered = dataset.features()
        places = Places.of(offered)
        features = tuple(offered[place] for place in places.all)
        behind = max(0, at - observed_until(dataset.tables, settings.labels) - 1)
        end = at - behind // MICROSECONDS_PER_DAY * MICROSECONDS_PER_DAY  # whole days of orders that are missing
        history = (end - dataset.tables.data_from) / MICROSECONDS_PER_DAY
        if history < _FEWEST_DAYS:
            raise DataError(
                f"Wanted at least {_FEWEST_DAYS} days of history to learn from, found {max(history, 0):.0f} before "
                f"{show(end)}. Wait, or load older orders."
            )
        step = Days(max(1.0, min(horizon_days, history) // _STEPS))
        totals = tuple(offered[place] for place in (places.history[0], places.spend))
        past = Past.read(dataset, features, totals, end=end, step=step, back=_BACK)
        return cls(features, Places.of(features), past, horizon_days, settings.population.bought_within_days)

    def trials(self) -> list[Lesson]:
        """Lessons whose far window has ended by now."""
        return [self._lesson(far, -(-far // 3), far * self.past.step_days) for far in _TRIALS]

    def final(self) -> Lesson:
        """The lesson of today, whose far window nobody has seen."""
        return self._lesson(0, _NEAR, self.horizon_days)

    def _lesson(self, ago: int, near: int, far_days: float) -> Lesson:
        """What can be learnt for a window that began so many steps ago."""
        cutoffs = tuple(back for back in range(ago + near, _BACK + 1) if back in self.past.rows)[:_NEAR]
        lesson = Lesson(self.past, self.places, ago, near, far_days, cutoffs, self.bought_within_days)
        came = lesson.learnt[2] > 0 if cutoffs and ago in self.past.rows else ()
        if not 0 < sum(came) < len(came):
            raise DataError(
                f"Wanted customers who came back within {lesson.near_days:g} days and customers who did not, found "
                f"{sum(came)} of {len(came)} who did. Wait for more history, or widen the population."
            )
        return lesson
