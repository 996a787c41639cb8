"""The battery finds what is wrong, and says it so that one sees why."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from holdfast.features.feature import Feature
from holdfast.history.aggregates import Aggregate, Count, First, Last, Mean, Plus, Sum
from holdfast.history.arrays import Numbers
from holdfast.history.conditions import Where
from holdfast.history.stream import View, Window
from holdfast.testing import check_aggregate, check_feature, check_features, within
from holdfast.timeline import MICROSECONDS_PER_DAY, Days


@dataclass(frozen=True)
class Broken(Aggregate):
    """An aggregate over all that the arrays hold, in ways that no aggregate should use; NaN without events."""

    compute: Callable[[View], Numbers]

    def columns(self) -> frozenset[str]:
        return frozenset({"score"})

    def __call__(self, view: View, window: Window) -> Numbers:
        return np.where(view.last > view.first, self.compute(view).astype(np.float64), np.nan)


def calls(view: View) -> Numbers:
    """Another answer each time."""
    COUNTED.append(1)
    return np.full(view.cutoffs.size, float(len(COUNTED)))


COUNTED: list[int] = []


def peeks(view: View) -> Numbers:
    """The row behind the last visible one: the future, or another customer."""
    behind = np.minimum(view.last, max(view.times.size - 1, 0))
    return view.times[behind] if view.times.size else np.zeros(view.cutoffs.size)


def infinite(view: View) -> Numbers:
    """A division that nobody looked after."""
    return np.full(view.cutoffs.size, np.inf)


def of_all(view: View) -> Numbers:
    """How many snapshots there are: it depends on the chunk."""
    return np.full(view.cutoffs.size, float(view.cutoffs.size))


def failure(feature: Feature, by_hand: Any = None, examples: int = 60, **more: Any) -> str:
    """What the battery says against a feature."""
    with pytest.raises(AssertionError) as caught:
        check_feature(feature, by_hand, examples=examples, **more)
    return str(caught.value)


def of(aggregate: Aggregate, source: str = "surveys", **more: Any) -> Feature:
    """A feature of surveys."""
    return Feature("tried", source, aggregate, "score", "answers {value}", "own", **more)


@pytest.mark.parametrize(
    ("compute", "part"),
    [
        (calls, "when asked again"),
        (peeks, "tried gives "),
        (infinite, "wanted a finite float64 or NaN"),
        (of_all, "without the other customers and cutoffs"),
    ],
)
def test_what_depends_on_anything_but_the_known_events_is_found(compute: Any, part: str) -> None:
    """Chance, the future, neighbours, infinity."""
    assert part in failure(of(Broken(compute)))


def test_a_look_at_what_is_not_known_yet_is_found() -> None:
    """Rows that lie in the past and became known after the cutoff are the easiest to take for known."""

    @dataclass(frozen=True)
    class Whole(Aggregate):
        """Counts every event of the stream that lies before the cutoff, whoever's it is."""

        def columns(self) -> frozenset[str]:
            return frozenset()

        def __call__(self, view: View, window: Window) -> Numbers:
            return np.array([(view.times < cutoff).sum() for cutoff in view.cutoffs], dtype=np.float64)

    assert "when more happens or becomes known later; wanted the same" in failure(of(Whole()))


def test_a_dependence_on_the_codes_of_texts_is_found_in_the_database() -> None:
    """The code of a text depends on which other texts the data has."""
    assert "from the database" in failure(of(First("channel"), "contacts"), examples=2000)


def test_a_difference_from_the_twin_shows_the_smallest_history() -> None:
    """One event, its time, its values, and both answers."""

    def by_hand(events: list[dict[str, Any]], cutoff: int) -> float:
        return float(sum(e["time"] > cutoff - 90 * MICROSECONDS_PER_DAY for e in events))

    message = failure(of(Count(), window=Days(90)), by_hand, examples=200)
    assert message.startswith("tried gives 1.0, by hand it is 0.0, for customer ")
    assert message.count("\n") == 1
    assert "score=" in message
    wanted = Feature("tried", "surveys", Count(), "count", "answered {value} times", "own", Days(90))
    check_feature(wanted, lambda events, cutoff: float(len(within(events, cutoff, 90))), examples=60)


def test_numbers_of_conditions_are_drawn_so_that_their_edge_is_seen() -> None:
    """> and >= differ in one point only."""
    strict = of(Count(Where("score", ">", 123.0)))
    by_hand = lambda events, cutoff: float(sum((e["score"] or 0) >= 123 for e in events))  # noqa: E731
    assert "score=123.0" in failure(strict, by_hand)


def test_texts_of_conditions_and_columns_of_your_own_are_drawn() -> None:
    """Otherwise the condition would never be met, and nothing would be tested."""
    feature = of(Count(Where("region", "==", "north")), "customers")
    assert "region='north'" in failure(feature, lambda events, cutoff: 0.0)
    check_feature(feature, lambda e, _: float(sum(x["region"] == "north" for x in e)), examples=30)
    weight = of(Mean("weight"), "orders")
    message = failure(weight, lambda events, cutoff: None, columns={"weight": [41.5]})
    assert "weight=" in message


def test_a_category_is_checked_by_its_texts() -> None:
    """Texts, not codes."""
    plan = Feature("plan", "subscriptions", Last("plan"), "category", "is on {value}", "own")

    def by_hand(events: list[dict[str, Any]], cutoff: int) -> str | None:
        return next((e["plan"] for e in reversed(events) if e["plan"] is not None), None)

    check_feature(plan, by_hand, examples=60)
    assert "by hand it is 'gold'" in failure(plan, lambda events, cutoff: "gold" if events else None)
    unknown = Feature("region", "customers", Last("region"), "category", "lives in {value}", "own")
    assert "region='a'" in failure(unknown, lambda events, cutoff: "north" if events else None)


def test_the_declared_empty_value_is_asked_for() -> None:
    """What a customer without events gets must be what the record says."""
    assert "wanted 3.0, its declared empty value" in failure(of(Plus(Count(), 1.0), when_empty=3.0))
    check_feature(of(Sum("score")), examples=5)
    check_feature(of(Mean("score"), when_empty=5.0), examples=5)
    assert "for a customer without events; wanted 7.0" in failure(of(Mean("score")), lambda events, cutoff: 7.0)


def test_differences_of_the_last_bits_are_allowed_unless_the_bits_are_asked_for() -> None:
    """Python adds one after the other; another order of the same sum is no mistake."""
    by_hand = lambda events, cutoff: sum((e["amount"] or 0.0) for e in reversed(events)) * (1 + 1e-13)  # noqa: E731
    check_aggregate(Sum("amount"), "orders", by_hand, examples=60)
    with pytest.raises(AssertionError, match="by hand"):
        check_aggregate(Sum("amount"), "orders", by_hand, examples=60, relative=0.0)


def test_the_same_seed_finds_the_same_history() -> None:
    """A failure that cannot be repeated cannot be mended."""
    found = [failure(of(Count()), lambda events, cutoff: float(len(events[:2])), seed=seed) for seed in (5, 5)]
    assert found[0] == found[1]


def test_features_of_several_sources_are_refused() -> None:
    """Each source has its own events."""
    with pytest.raises(ValueError, match="Wanted features of one source, found 2"):
        check_features([of(Count()), of(Count(), "orders")])


def test_the_module_loads_without_hypothesis_and_says_how_to_install_it() -> None:
    """Whoever only scores does not need it."""
    program = (
        "import sys\nsys.modules['hypothesis'] = None\n"
        "from holdfast.testing import check_aggregate\nfrom holdfast.history.aggregates import Count\n"
        "assert 'pytest' not in sys.modules\n"
        "try: check_aggregate(Count(), 'orders')\nexcept Exception as error: print(type(error).__name__, error)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("ConfigError holdfast.testing draws its examples with Hypothesis")
    assert "pip install 'holdfast[testing]'" in result.stdout
