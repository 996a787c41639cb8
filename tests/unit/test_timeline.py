"""Instants, windows and cutoffs."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from holdfast.errors import ConfigError
from holdfast.timeline import Days, every, instant, moment, month_starts, show


@pytest.mark.parametrize(
    "written",
    [
        "2024-03-01",
        "2024-03-01T00:00:00",
        "2024-03-01T01:00:00+01:00",
        date(2024, 3, 1),
        datetime(2024, 3, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        1_709_251_200_000_000,
    ],
)
def test_one_instant_has_many_spellings(written: str | date | int) -> None:
    """Configurations, notebooks and commands write dates in their own ways and must mean the same."""
    assert instant(written) == 1_709_251_200_000_000
    assert show(instant(written)) == "2024-03-01"


@pytest.mark.parametrize(
    "written", ["yesterday", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-14:00", date(1, 1, 1)]
)
def test_what_is_no_usable_date_is_refused(written: str | date) -> None:
    """A slip of the keyboard gets one sentence, not an overflow somewhere later."""
    with pytest.raises(ConfigError, match="Wanted"):
        instant(written)


def test_a_day_has_86400_seconds_over_a_clock_change() -> None:
    """Windows in UTC never gain or lose an hour."""
    assert moment(instant("2024-03-30") + Days(2).microseconds) == moment(instant("2024-04-01"))


def test_cutoffs_count_back_from_the_last_or_stand_at_month_starts() -> None:
    """Training and test stand at the same phase."""
    first, last = instant("2024-01-15"), instant("2024-03-01")
    assert [show(at) for at in every(20, first, last)] == ["2024-01-21", "2024-02-10", "2024-03-01"]
    assert [show(at) for at in month_starts(first, last)] == ["2024-02-01", "2024-03-01"]
