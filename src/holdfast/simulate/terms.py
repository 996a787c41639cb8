"""The rules of a service under contract: who renews, whose price rises, whose payment fails.

Two walkers read them: ``subscription`` draws one history, and ``subscription_truth`` calculates what to expect from it.
"""

from __future__ import annotations

import numpy as np

from holdfast.simulate.clock import Reals, Whole, calendar_day, winter_wave
from holdfast.simulate.mood import Moods
from holdfast.simulate.people import Grid, spread

MOODS = Moods(
    worsen=(0.0, 1 / 45, 0.0),
    return_=(0.0, 1 / 70, 1 / 200),
    hurt_return=0.3,
    push_ticket=(0.0, 0.004, 0.035),
    push_sore=(0.0, 0.010, 0.012, 0.004),
    open_ticket=(1 / 220, 1 / 650),
    close_ticket=(0.0, 1 / 6, 1 / 35),
    ticket_when=(1.0, 3.0, 2.5, 2.0),
    voice=(1.0, 0.9, 0.5),
    heal=(0.0, 1 / 120, 1 / 90, 0.0),
)
TYPES = Grid(hazard=spread(1 / 900, 1.0, 6), touch=(0.6, 1.5), consent=(0.0, 1.0))
VETERANS, POOR_STARTS, YEARLY = 0.35, 0.20, 0.35

MONTH, YEAR = 30, 365
TERM_DAYS = np.array([MONTH, YEAR])
"""Days of a term, monthly and yearly."""
BILLING_HOUR = 6.0
BILLED = BILLING_HOUR / 24
"""The part of a day that lies before the billing run."""

_QUIT_DRIFT = np.array([[0.004, 0.05, 0.24], [0.02, 0.30, 0.75]])
_QUIT_TICKET = np.array([[0.0, 0.01, 0.08], [0.0, 0.03, 0.20]])
_QUIT_SORE = np.array([[0.0, 0.015, 0.03, 0.0], [0.0, 0.05, 0.12, 0.0]])
RISE = np.array([0.035, 0.40])
"""Probability of a price rise at the end of a term, monthly and yearly; none while a bill is unpaid."""
RISES = (0.06, 0.10, 0.16)
FAILS = 0.02
"""Probability that a renewal's payment fails, where the price stays."""
UNPAID_PAYS, UNPAID_ENDS = 0.10, 0.018
"""Each morning an unpaid bill is paid, or the subscription ends over it."""
WALKS_OUT = (0.00003, 0.0003, 0.0014)
"""Probability per day, by drift, that a customer ends the contract within its term."""
GROWS, SHRINKS = (0.0016, 0.0006, 0.0002), (0.0004, 0.0012, 0.0020)
"""Probability per day, by drift, that a customer takes more seats or gives some back."""
MORE_SEATS, FEWER_SEATS = 1.4, 0.7
COMES_BACK = 0.08
"""Share of ended subscriptions whose customer thinks again and starts a new one a few days later."""
PAUSE = 10
"""Longest pause in days before such a restart; all lengths from 1 are equally likely."""


def quits(term: Whole, drift: Whole, ticket: Whole, sore: Whole, day: int, swing: float = 0.0) -> Reals:
    """Probability that a customer does not renew when the term is over; arrays that broadcast.

    Budgets are cut around the turn of the year. ``swing`` raises the chance by so large a share in mid-December, and
    lowers it as much in mid-June.
    """
    turn = 1.35 if calendar_day(day).month in (12, 1) else 0.95
    chance = (
        turn
        * (1 + swing * winter_wave(day))
        * (_QUIT_DRIFT[term, drift] + _QUIT_TICKET[term, ticket] + _QUIT_SORE[term, sore])
    )
    return np.asarray(np.minimum(chance, 0.95))
