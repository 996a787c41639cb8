"""How a long step tells that it moves: a seam with two ends, one silent and one that draws bars.

A stage takes ``progress: Progress = SILENT`` and writes::

    with progress("Sorting orders", total=n) as advance:
        for chunk in chunks:
            ...
            advance(len(chunk))
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]
_WORTH_TELLING = 10  # a step of few large parts shows its remaining time, and no speed


class Progress(Protocol):
    """Anything that can open a step with a label and, if known, a total."""

    def __call__(self, label: str, total: int | None = None) -> AbstractContextManager[Advance]:
        """Open the step; the context gives a function that takes the amount done since the last call."""


@contextmanager
def SILENT(label: str, total: int | None = None) -> Iterator[Advance]:  # noqa: N802, ARG001 - a constant of type Progress that ignores its arguments
    """Say nothing: the default of every stage, for notebooks' callers and tests."""
    yield lambda _: None


@contextmanager
def bars(label: str, total: int | None = None) -> Iterator[Advance]:
    """Draw a bar with speed, remaining and elapsed time on standard error; it disappears when the step ends.

    Where standard error is no terminal, nothing is drawn: a log file is no place for bars.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        ProgressColumn,
        SpinnerColumn,
        Task,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars
    from rich.text import Text

    class PerSecond(ProgressColumn):
        """How much is done in a second; empty while nobody can tell, or where it is less than a few."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed or 0
            return Text(f"{speed:,.0f}/s" if speed >= _WORTH_TELLING else "")

    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = [SpinnerColumn(), TextColumn("{task.description}"), BarColumn()]
    if total is not None:
        columns += [MofNCompleteColumn(), PerSecond(), TimeRemainingColumn()]
    with Bars(*columns, TimeElapsedColumn(), console=console, transient=True) as display:
        task = display.add_task(label, total=total)
        yield lambda done: display.update(task, advance=done)
