"""Aggregates of your own: a function over the slice of one customer's events, registered under a name.

::

    @aggregate("weekend_share")
    def weekend_share(times, cutoff):
        days = times // 86_400_000_000
        return np.mean((days + 3) % 7 >= 5)

``weekend_share()`` is then an aggregate for :class:`holdfast.Feature`, and ``aggregate: weekend_share`` one for YAML.
"""

from __future__ import annotations

import hashlib
import inspect
import re
import textwrap
import threading
import traceback
import warnings
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numba
import numpy as np

from holdfast.errors import ConfigError
from holdfast.history.aggregates import Aggregate
from holdfast.history.arrays import Indices, Numbers
from holdfast.history.conditions import Condition
from holdfast.history.stream import View, Window
from holdfast.timeline import Instants

Function = Callable[..., float | None]
Loop = Callable[[Numbers, Instants, Indices, Indices, Instants], Numbers]

_OF_VALUES, _OF_TIMES = ("values", "times", "cutoff"), ("times", "cutoff")
_NO_VALUES = np.empty(0)


@dataclass(frozen=True)
class Own(Aggregate):
    """A registered function, over a column if it takes ``values``, in the rows of the window that satisfy ``where``.

    Attributes
    ----------
    digest : str
        Of the function's source: a model that learnt from one function is not asked to score with another.
    """

    name: str
    digest: str
    function: Function = field(repr=False, compare=False)
    column: str | None = None
    where: Condition | None = None

    def columns(self) -> frozenset[str]:
        """The function's column and those of the condition."""
        own = frozenset() if self.column is None else frozenset({self.column})
        return own | (self.where.columns if self.where else frozenset())

    def __call__(self, view: View, window: Window) -> Numbers:
        """Call the function for every snapshot that has rows; NaN for the others, and where the answer is infinite."""
        part = view.only(self.where)
        values = _NO_VALUES if self.column is None else part.columns[self.column]
        lo, hi = part.within(window)
        read_only = [_locked(array) for array in (values, part.times, lo, hi, part.cutoffs)]
        try:
            answers = _loop(self.function, reads_values=self.column is not None)(*read_only)
        except Exception as error:  # whatever a user's function raises
            raise ConfigError(
                f"The own aggregate '{self.name}' stopped with {type(error).__name__}{_place(error, self.function)}. "
                "Wanted a number, or NaN where there is none, for any customer's events; at least one event is always "
                f"there. Try it with holdfast.testing.check_aggregate.{_said(error)}"
            ) from None
        return np.where(np.isfinite(answers), answers, np.nan)


@dataclass(frozen=True)
class OwnFunction:
    """What :func:`aggregate` makes of a function; calling it gives the aggregate that a feature declares."""

    name: str
    digest: str
    function: Function = field(repr=False)

    @property
    def reads_values(self) -> bool:
        """Whether the function takes the values of a column."""
        return len(inspect.signature(self.function).parameters) == len(_OF_VALUES)

    def __call__(self, column: str | None = None, where: Condition | None = None) -> Own:
        """The aggregate over a column, if the function takes values, and under a condition.

        Raises
        ------
        ConfigError
            A column is given to a function that takes none, or the other way round.
        """
        if self.reads_values != (column is not None):
            wanted, found = ("a column", "none") if self.reads_values else ("no column", repr(column))
            raise ConfigError(
                f"The own aggregate '{self.name}' wants {wanted}, found {found}. A function of (values, times, cutoff) "
                "takes a column, a function of (times, cutoff) takes none."
            )
        return Own(self.name, self.digest, self.function, column, where)


REGISTERED: dict[str, OwnFunction] = {}
"""The own aggregates of this process by name."""


def aggregate(name: str) -> Callable[[Function], OwnFunction]:
    """Register a function of one customer's events as an aggregate; a decorator.

    Parameters
    ----------
    name : str
        Lower-case letters, digits and underscores; not the name of a built-in aggregate.

    Returns
    -------
    decorator
        It takes ``f(values, times, cutoff)``, or ``f(times, cutoff)`` for an aggregate that reads no column, and gives
        an :class:`OwnFunction`. ``values`` is a float64 array with NaN for an event without the value; of a category
        column it holds codes, of which only their being equal or not means something. ``times`` is an int64 array of
        microseconds since 1970 in UTC, ascending; ``cutoff`` such an instant. Both arrays are read-only and hold the
        rows of the window that satisfy the feature's condition, at least one. The answer is a number; NaN, None or
        something infinite says that there is none.

    Notes
    -----
    The function is compiled with numba where numba can, with index checks, and runs outside Python's lock; where numba
    cannot, it runs as plain Python, slower by a factor of 20 to 200. The answer is the same but for the last bits of
    sums that NumPy adds in another order. It must depend on its arguments alone.

    Raises
    ------
    ConfigError
        The name or the parameters are none of the above, or the name is taken by another function.
    """
    from holdfast.history.registry import BUILT_IN

    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in BUILT_IN:
        raise ConfigError(
            f"Wanted a new name for an own aggregate in lower-case letters, digits and underscores, found {name!r}. "
            f"Built in are {', '.join(BUILT_IN)}."
        )

    def register(function: Function) -> OwnFunction:
        parameters = tuple(inspect.signature(function).parameters)
        if parameters not in (_OF_VALUES, _OF_TIMES):
            raise ConfigError(
                f"Wanted the own aggregate '{name}' as a function of (values, times, cutoff) or (times, cutoff), found "
                f"({', '.join(parameters)}). Name the parameters so."
            )
        known = REGISTERED.get(name)
        if known is not None and _home(known.function) != _home(function):
            raise ConfigError(
                f"The own aggregate '{name}' is registered already, by {'.'.join(_home(known.function))}; "
                f"found it again in {'.'.join(_home(function))}. Rename one of them."
            )
        REGISTERED[name] = OwnFunction(name, _digest(function), function)
        return REGISTERED[name]

    return register


def _home(function: Function) -> tuple[str, str]:
    return function.__module__, function.__qualname__


def _digest(function: Function) -> str:
    """A short hash of the function's source, or of its byte code where there is no source, as in a bare shell."""
    try:
        text = textwrap.dedent(inspect.getsource(function)).encode()
    except (OSError, TypeError):
        code = function.__code__
        text = repr((code.co_code, [part for part in code.co_consts if not isinstance(part, CodeType)])).encode()
    return hashlib.sha256(text).hexdigest()[:16]


# Compiling. The loops of a function are made once per process: executors get the function anew with every task.

_loops: dict[Hashable, Loop] = {}
_making = threading.Lock()


def _loop(function: Function, *, reads_values: bool) -> Loop:
    key = (_key(function), reads_values)
    with _making:
        if key not in _loops:
            _loops[key] = _compiled(function, reads_values) or _plain(function, reads_values)
        return _loops[key]


def _key(function: Function) -> Hashable:
    """Two copies of one function share a key if nothing but code, modules and constants goes into them."""
    code = function.__code__
    around = [(name, function.__globals__[name]) for name in code.co_names if name in function.__globals__]
    simple = all(type(value) in (ModuleType, int, float, str, bool) for _, value in around)
    nested = any(isinstance(part, CodeType) for part in code.co_consts)
    if not simple or nested or function.__closure__:
        return function
    return code, tuple((name, type(value).__name__, value) for name, value in around)


def _compiled(function: Function, reads_values: bool) -> Loop | None:
    """The loop in machine code; None where numba cannot follow the function."""
    options = {"nogil": True, "boundscheck": True, "error_model": "numpy"}  # without checks [-1] reads other customers
    one = numba.njit(**options)(function)

    def of_values(values: Any, times: Any, lo: Any, hi: Any, cutoffs: Any) -> Any:
        out = np.full(lo.size, np.nan)
        for i in range(lo.size):
            if hi[i] > lo[i]:
                answer = one(values[lo[i] : hi[i]], times[lo[i] : hi[i]], cutoffs[i])
                if answer is not None:
                    out[i] = answer
        return out

    def of_times(_: Any, times: Any, lo: Any, hi: Any, cutoffs: Any) -> Any:
        out = np.full(lo.size, np.nan)
        for i in range(lo.size):
            if hi[i] > lo[i]:
                answer = one(times[lo[i] : hi[i]], cutoffs[i])
                if answer is not None:
                    out[i] = answer
        return out

    numbers, integers = (numba.types.Array(kind, 1, "C", readonly=True) for kind in (numba.float64, numba.int64))
    loop = numba.njit(**options)(of_values if reads_values else of_times)
    try:
        with warnings.catch_warnings():  # plain Python is the answer to whatever numba warns of
            warnings.simplefilter("ignore")
            loop.compile((numbers, integers, integers, integers, integers))
    except Exception:  # numba raises many kinds, also ones that are not its own
        return None
    return loop  # type: ignore[no-any-return]


def _plain(function: Function, reads_values: bool) -> Loop:
    """The same loop in Python; a division by zero says that there is no number, as in the compiled one."""

    def loop(values: Numbers, times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
        out = np.full(lo.size, np.nan)
        with np.errstate(all="ignore"):
            for i, (first, last, cutoff) in enumerate(zip(lo.tolist(), hi.tolist(), cutoffs.tolist(), strict=True)):
                if last > first:
                    rows = (values[first:last], times[first:last]) if reads_values else (times[first:last],)
                    try:
                        answer = function(*rows, cutoff)
                    except ZeroDivisionError:
                        continue
                    out[i] = np.nan if answer is None else answer
        return out

    return loop


def _locked(array: Any) -> Any:
    """A read-only view: a function that wrote into its rows would change them for other features."""
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _place(error: Exception, function: Function) -> str:
    """The line of the user's function, if Python knows it; a compiled function does not tell."""
    file = function.__code__.co_filename
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f" in line {lines[-1]} of {Path(file).name}" if lines else ""


def _said(error: Exception) -> str:
    """What numpy and Python say about indices and types; a text of the function's own may quote a customer."""
    return f" Python says: {error}." if isinstance(error, IndexError | TypeError) else ""
