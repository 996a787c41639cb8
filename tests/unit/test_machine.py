"""What the machine lends to a process."""

from __future__ import annotations

import pytest

from holdfast.machine import cores, free_memory


def test_a_process_that_was_started_as_one_of_many_uses_the_cores_it_was_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise every worker of a backtest, and every task of Spark, would take all cores."""
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")
    assert cores() == 1
    monkeypatch.delenv("OMP_THREAD_LIMIT")
    assert cores() >= 1


def test_free_memory_is_what_this_machine_can_give() -> None:
    """A fit is started for each part of it; a number in the wrong unit would start a thousand times too many."""
    assert 2**26 < free_memory() < 2**46
