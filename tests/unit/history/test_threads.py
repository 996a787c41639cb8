"""Work on several threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from holdfast.history.threads import in_order


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_the_order_of_the_tasks(threads: int) -> None:
    """Customers stay in order, whichever chunk is done first."""

    def work(task: int) -> int:
        time.sleep(0.002 * (task % 3))
        return task * 10

    assert list(in_order(work, range(20), threads)) == [task * 10 for task in range(20)]


def test_no_more_tasks_are_begun_than_threads_and_one() -> None:
    """Each holds a chunk; a fast start must not fill the memory."""
    begun, taken = [], []

    def tasks() -> Iterator[int]:
        for task in range(30):
            begun.append(task)
            assert len(begun) - len(taken) <= 4
            yield task

    for result in in_order(lambda task: task * 2, tasks(), 3):
        taken.append(result)  # noqa: PERF402 - the tasks look at it while they are handed out
    assert taken == list(range(0, 60, 2))


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_of_one_task_ends_the_work(threads: int) -> None:
    """Half a table is worse than none, and threads that go on would outlive the run."""
    before = threading.active_count()

    def work(task: int) -> int:
        if task == 3:
            raise RuntimeError("chunk 3")
        return task

    with pytest.raises(RuntimeError, match="chunk 3"):
        list(in_order(work, range(100), threads))
    assert threading.active_count() == before


def test_who_stops_listening_stops_the_work() -> None:
    """An interrupted build closes the generator."""
    done = []
    results = in_order(lambda task: done.append(task), range(1000), 2)
    next(results)
    results.close()  # type: ignore[attr-defined] # a generator
    assert len(done) < 10
