"""Own aggregates: registered functions, compiled where that is possible."""

from __future__ import annotations

import pickle
import statistics
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import holdfast
from holdfast.errors import ConfigError
from holdfast.history import custom
from holdfast.history.conditions import Where
from holdfast.history.custom import Own, OwnFunction, aggregate
from holdfast.history.stream import View, Window, past
from holdfast.testing import check_aggregate, within
from holdfast.timeline import Days
from tests.strategies import DAY, stream_of

YEAR = Window.before(Days(365))
OUTSIDE = 5


@pytest.fixture(autouse=True)
def registry() -> Iterator[None]:
    """Each test registers for itself."""
    before = dict(custom.REGISTERED)
    yield
    custom.REGISTERED.clear()
    custom.REGISTERED.update(before)


def view(*amounts: float | None, cutoff: int = 1000 * DAY, customers: int = 1) -> View:
    """Customer 0 had these amounts on successive days; the others had nothing."""
    rows = [
        {"customer": 0, "time": i * DAY + 900 * DAY, "known": i * DAY + 900 * DAY, "amount": amount}
        for i, amount in enumerate(amounts)
    ]
    stream = stream_of(rows, ["amount"], customers=customers)
    return past(stream, np.arange(customers), np.full(customers, cutoff))


def range_of(values: Any, times: Any, cutoff: Any) -> Any:
    """Largest less smallest."""
    return np.max(values) - np.min(values)


def median_low(values: Any, times: Any, cutoff: Any) -> Any:
    """Something that numba does not compile."""
    return statistics.median_low(values.tolist())


def is_compiled(function: OwnFunction) -> bool:
    """Whether the loop of a function is machine code."""
    return hasattr(custom._loop(function.function, reads_values=function.reads_values), "signatures")


def test_the_decorator_is_a_public_name() -> None:
    """It is what a user's module imports."""
    assert holdfast.aggregate is aggregate


def test_a_function_becomes_an_aggregate_over_the_rows_of_the_window() -> None:
    """Those before the window are not among them."""
    found = aggregate("range_of")(range_of)
    assert is_compiled(found)
    assert found("amount")(view(5.0, 1.0, 9.0), YEAR).tolist() == [8.0]
    assert found("amount")(view(5.0, 1.0, 9.0), Window.before(Days(99))).tolist() == [8.0]
    assert found("amount")(view(5.0, 1.0, 9.0), Window.before(Days(98))).tolist() == [0.0]
    assert found("amount").columns() == {"amount"}


def test_a_condition_chooses_the_rows() -> None:
    """As for every aggregate."""
    found = aggregate("range_of")(range_of)("amount", Where("amount", "<", 6.0))
    assert found(view(5.0, 1.0, 9.0), YEAR).tolist() == [4.0]
    assert found.columns() == {"amount"}


def test_a_customer_without_events_has_no_answer_and_the_function_is_not_called() -> None:
    """So nobody needs to write what the largest of nothing is."""
    found = aggregate("range_of")(range_of)("amount")(view(5.0, 1.0, customers=3), YEAR)
    assert found[0] == 4.0
    assert np.isnan(found[1:]).all()


def test_a_function_of_times_reads_no_column() -> None:
    """Microseconds, ascending, and the cutoff."""

    @aggregate("days_covered")
    def days_covered(times: Any, cutoff: Any) -> Any:
        return (times[-1] - times[0]) / 86_400_000_000 + (cutoff - times[-1]) // 86_400_000_000

    assert is_compiled(days_covered)
    assert days_covered().columns() == set()
    assert days_covered(where=Where("amount", ">", 2.0)).columns() == {"amount"}
    assert days_covered()(view(1.0, None, 3.0), YEAR).tolist() == [2 + 98]


def test_what_numba_cannot_compile_runs_as_plain_python_and_answers_the_same() -> None:
    """A user should not need to know what numba knows."""
    found = aggregate("median_low")(median_low)
    assert not is_compiled(found)
    assert found("amount")(view(5.0, 1.0, 9.0), YEAR).tolist() == [5.0]
    lo, hi, at = np.array([0, 3]), np.array([3, 3]), np.array([5, 5])
    values, times = np.array([5.0, 1.0, 9.0]), np.array([1, 2, 3])
    compiled = custom._compiled(range_of, reads_values=True)
    assert compiled is not None
    for loop in (compiled, custom._plain(range_of, reads_values=True)):
        np.testing.assert_array_equal(loop(*map(custom._locked, (values, times, lo, hi, at))), [8.0, np.nan])


@pytest.mark.parametrize("compiles", [True, False])
def test_none_and_infinity_and_division_by_zero_say_that_there_is_no_number(compiles: bool) -> None:
    """The model takes NaN for unknown, and nothing else."""

    def answers(values: Any, times: Any, cutoff: Any) -> Any:
        if values[0] == 1.0:
            return None
        if values[0] == 2.0:
            return np.inf
        return 1.0 / (len(values) - 1)

    def in_python(values: Any, times: Any, cutoff: Any) -> Any:
        return {"answer": answers}["answer"](values, times, cutoff)

    found = aggregate("answers")(answers if compiles else in_python)
    assert is_compiled(found) == compiles
    for amounts in ((1.0, 0.0), (2.0, 0.0), (3.0,)):
        assert np.isnan(found("amount")(view(*amounts), YEAR)).all()
    assert found("amount")(view(3.0, 4.0, 5.0), YEAR).tolist() == [0.5]


@pytest.mark.parametrize("compiles", [True, False])
def test_an_index_outside_of_the_rows_is_an_error_and_no_look_at_other_customers(compiles: bool) -> None:
    """In machine code an index beyond the slice reads the neighbour's rows, or the future, and nobody notices."""

    def beyond(values: Any, times: Any, cutoff: Any) -> Any:
        return values[5]

    def in_python(values: Any, times: Any, cutoff: Any) -> Any:
        return {"answer": values}["answer"].tolist()[OUTSIDE]

    found = aggregate("beyond")(beyond if compiles else in_python)
    assert is_compiled(found) == compiles
    with pytest.raises(ConfigError, match=r"'beyond' stopped with IndexError.*at least one event is always there"):
        found("amount")(view(1.0, 2.0), YEAR)


def test_a_function_that_writes_into_its_rows_is_stopped() -> None:
    """Other features read the same rows."""

    @aggregate("writes")
    def writes(values: Any, times: Any, cutoff: Any) -> Any:
        values[0] = 0.0
        return 1.0

    with pytest.raises(ConfigError, match=r"'writes' stopped with ValueError in line \d+ of test_custom\.py"):
        writes("amount")(view(1.0), YEAR)


def test_a_message_of_the_function_is_not_repeated() -> None:
    """It may quote a customer's data."""

    @aggregate("tells")
    def tells(values: Any, times: Any, cutoff: Any) -> Any:
        raise ValueError(f"the secret {values[0]}")

    with pytest.raises(ConfigError) as caught:
        tells("amount")(view(4711.0), YEAR)
    assert "4711" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", ["Range", "range of", "2nd", "", "count", "mean", "trend"])
def test_a_name_is_plain_and_not_that_of_a_built_in(name: str) -> None:
    """YAML would mean another aggregate by it."""
    with pytest.raises(ConfigError, match="Wanted a new name for an own aggregate"):
        aggregate(name)


def test_parameters_say_what_the_function_reads() -> None:
    """Anything else would be called wrongly in the middle of a night's work."""

    def other(amounts: Any, cutoff: Any) -> Any:
        return 1.0

    with pytest.raises(ConfigError, match=r"a function of .* found \(amounts, cutoff\)"):
        aggregate("other")(other)


def test_a_column_is_given_where_the_function_takes_values_and_only_there() -> None:
    """The mistake shows when the feature is declared."""
    with pytest.raises(ConfigError, match="'range_of' wants a column, found none"):
        aggregate("range_of")(range_of)()
    found = aggregate("latest")(lambda times, cutoff: 1.0)
    with pytest.raises(ConfigError, match="'latest' wants no column, found 'amount'"):
        found("amount")


def test_a_name_belongs_to_one_function_which_may_be_defined_again() -> None:
    """A cell of a notebook runs twice; two modules that use one name are a mistake."""
    first = aggregate("range_of")(range_of)
    assert aggregate("range_of")(range_of) == first
    with pytest.raises(ConfigError, match=r"registered already, by .*range_of; found it again in .*median_low"):
        aggregate("range_of")(median_low)


def test_the_digest_follows_the_source() -> None:
    """A model that learnt from one function must not be scored with another."""
    one, other = aggregate("range_of")(range_of), aggregate("median_low")(median_low)
    assert one.digest != other.digest
    assert one.digest in repr(one("amount"))
    bare: dict[str, Any] = {}
    exec("def f(times, cutoff): return 1.0\ndef g(times, cutoff): return 2.0", bare)
    assert aggregate("f")(bare["f"]).digest != aggregate("g")(bare["g"]).digest


def test_it_travels_to_executors_and_is_compiled_there_once() -> None:
    """Spark hands a copy to every task; the tenth must not compile for the tenth time."""
    cloudpickle = pytest.importorskip("pyspark.cloudpickle", reason="it comes with the extra 'spark'")
    found = aggregate("travels")(range_of)("amount", Where("amount", ">", 0.0))
    wanted = found(view(5.0, 1.0), YEAR)
    copies = [pickle.loads(cloudpickle.dumps(found)) for _ in range(2)]
    assert all(isinstance(copy, Own) and copy == found and hash(copy) == hash(found) for copy in copies)

    @aggregate("moves")
    def moves(values: Any, times: Any, cutoff: Any) -> Any:
        return np.max(values) - np.min(values) + 1.0

    assert moves("amount")(view(5.0, 1.0), YEAR).tolist() == [5.0]
    made = len(custom._loops)
    copy = pickle.loads(cloudpickle.dumps(moves("amount")))
    assert copy.function is not moves.function
    assert copy(view(5.0, 1.0), YEAR).tolist() == [5.0]
    assert len(custom._loops) == made
    assert copies[0](view(5.0, 1.0), YEAR).tolist() == wanted.tolist()


@pytest.mark.parametrize("function", [range_of, median_low], ids=lambda function: function.__name__)
def test_an_own_aggregate_passes_the_battery(function: Any) -> None:
    """Compiled or not, it is held to what holds for the package's own."""

    def by_hand(events: list[dict[str, Any]], cutoff: int) -> float | None:
        values = [e["score"] for e in within(events, cutoff, 90) if e["score"] is not None and e["score"] >= 0]
        if not values:
            return None
        return max(values) - min(values) if function is range_of else sorted(values)[(len(values) - 1) // 2]

    asked = aggregate(function.__name__)(function)("score", Where("score", ">=", 0.0))
    check_aggregate(asked, "surveys", by_hand, window=Days(90), examples=40, relative=0.0)
