"""Instants, windows and cutoffs: the only file that decides what lies before a cutoff.

An instant is an ``int``: microseconds since 1970-01-01 in UTC. A window is half-open, ``[cutoff - days, cutoff)``:
an event at the cutoff itself has not happened yet. A day is 86,400 seconds, whatever the clocks on the wall do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import ConfigError

MICROSECONDS_PER_DAY = 86_400_000_000
DAYS_PER_MONTH = 365.25 / 12
BEGINNING = -(2**61)  # earlier than any event, later than any lifetime began; far from the edge of 64 bits
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR, _LAST_YEAR = 1700, 9999  # within what a calendar can hold, in every zone

Instants = NDArray[np.int64]


@dataclass(frozen=True, order=True)
class Days:
    """A length of time in days; the unit of windows, horizons and gaps."""

    count: float

    @property
    def microseconds(self) -> int:
        """The same length in microseconds, rounded to the nearest one."""
        return round(self.count * MICROSECONDS_PER_DAY)


LIFETIME = Days(40_000_000)
"""The window that begins before every event, also before ``BEGINNING``."""


def instant(moment: str | date | datetime | int) -> int:
    """Microseconds since 1970 in UTC; a date is its midnight, and a time without a zone is taken as UTC.

    Raises
    ------
    ConfigError
        The text is no ISO 8601 date or time, or lies centuries away.
    """
    if isinstance(moment, int):
        return moment
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            raise ConfigError(
                f"Wanted a date such as 2024-03-01 or a time such as 2024-03-01T06:00:00+00:00, found {moment!r}. "
                "Write it in ISO 8601."
            ) from None
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment.year < _FIRST_YEAR or (moment.year == _LAST_YEAR and moment.utcoffset()):
        raise ConfigError(f"Wanted an instant between {_FIRST_YEAR} and {_LAST_YEAR}, found {moment.isoformat()}.")
    return (moment - _EPOCH) // timedelta(microseconds=1)


def moment(at: int) -> datetime:
    """The instant as an aware ``datetime`` in UTC."""
    return _EPOCH + timedelta(microseconds=int(at))


def show(at: int) -> str:
    """The instant as people read it: the date alone at midnight, date and time otherwise."""
    text = moment(at)
    return text.date().isoformat() if at % MICROSECONDS_PER_DAY == 0 else text.isoformat()


def every(days: float, first: int, last: int) -> list[int]:
    """Cutoffs from ``last`` backwards in steps of ``days``, none before ``first``; earliest first."""
    return sorted(range(last, first - 1, -Days(days).microseconds))


def month_starts(first: int, last: int) -> list[int]:
    """Midnights (UTC) of the first days of months from ``first`` to ``last``, both included."""
    years = range(moment(first).year, moment(last).year + 1)
    starts = (instant(date(year, month, 1)) for year in years for month in range(1, 13))
    return [start for start in starts if first <= start <= last]
