"""The billing run of the service: one morning in the life of all contracts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.simulate.clock import DAYS, Flags, Reals, Whole
from holdfast.simulate.journal import Journal
from holdfast.simulate.mood import NOT_SORE, PRICE, UNPAID, Mood
from holdfast.simulate.people import People
from holdfast.simulate.terms import (
    BILLED,
    COMES_BACK,
    FAILS,
    FEWER_SEATS,
    GROWS,
    MORE_SEATS,
    PAUSE,
    RISE,
    RISES,
    SHRINKS,
    TERM_DAYS,
    UNPAID_ENDS,
    UNPAID_PAYS,
    WALKS_OUT,
    YEARLY,
    quits,
)

STARTED, PRICE_CHANGED, RENEWED, PAYMENT_FAILED, PLAN_CHANGED, ENDED = range(6)
"""Kinds of events, in the order in which one billing run books them."""
NO_DAY = 10 * DAYS
"""A day that never comes."""


@dataclass
class Contracts:
    """Today's contract of each customer, arrays of shape (customers,), changed in place.

    ``term`` is 0 for monthly and 1 for yearly contracts, ``renews`` the day of the next renewal, ``restarts`` the day
    on which a customer who paused returns, ``number`` counts the subscriptions of the customer, ``paid`` adds up
    monthly revenue × days, and ``lost`` counts ends without a return.
    """

    running: Flags
    term: Whole
    renews: Whole
    restarts: Whole
    mrr: Reals
    number: Whole
    paid: Reals
    lost: Whole

    def first(self, upto: int) -> Contracts:
        """The first ``upto`` customers, as a view."""
        return Contracts(*(part[:upto] for part in vars(self).values()))

    def copy(self) -> Contracts:
        """An independent copy."""
        return Contracts(*(part.copy() for part in vars(self).values()))


def first_contracts(people: People, rng: np.random.Generator) -> Contracts:
    """The contract that each customer will start on the day of joining; veterans are somewhere within their term."""
    n = people.count
    term = (rng.random(n) < YEARLY).astype(np.int64)
    length = TERM_DAYS[term]
    renews = np.where(people.joined < 0, 1 + rng.integers(0, length), people.joined + length)
    return Contracts(
        running=np.zeros(n, dtype=bool),
        term=term,
        renews=renews,
        restarts=np.full(n, NO_DAY),
        mrr=np.round(60.0 * np.exp(rng.normal(0, 0.7, n)), 2),
        number=np.ones(n, dtype=np.int64),
        paid=np.zeros(n),
        lost=np.zeros(n, dtype=np.int64),
    )


def record(events: Journal, day: int, who: Whole, kind: int, contracts: Contracts) -> None:
    """Write one event per customer with the monthly revenue that holds after it."""
    events.write(
        day,
        who,
        kind=np.full(who.size, kind, dtype=np.int8),
        mrr=np.zeros(who.size) if kind == ENDED else contracts.mrr[who].copy(),
        number=contracts.number[who].copy(),
        term=contracts.term[who],
        renews=np.full(who.size, NO_DAY) if kind == ENDED else contracts.renews[who].copy(),
    )


def bill(
    day: int, contracts: Contracts, mood: Mood, events: Journal, rng: np.random.Generator, *, swing: float = 0.0
) -> Whole:
    """Bill everyone for one morning: unpaid bills and early ends, renewals, seats, restarts.

    Returns the customers whose contract ended this morning, also those who will return.
    """
    count = contracts.term.size
    contracts.paid += BILLED * contracts.mrr * contracts.running
    running = contracts.running.copy()
    draw_unpaid, draw_quit, draw_price, draw_seats = rng.random((4, count))

    unpaid = running & (mood.sore == UNPAID)
    mood.sore[unpaid & (draw_unpaid < UNPAID_PAYS)] = NOT_SORE
    ends = running & (draw_unpaid >= 1 - np.asarray(WALKS_OUT)[mood.drift] - UNPAID_ENDS * unpaid)

    due = np.flatnonzero(running & ~ends & (contracts.renews == day))
    quit_chance = quits(contracts.term[due], mood.drift[due], mood.ticket[due], mood.sore[due], day, swing)
    ends[due[draw_quit[due] < quit_chance]] = True
    _renew(day, due[~ends[due]], contracts, mood, events, draw_price, rng)

    more = np.asarray(GROWS)[mood.drift]
    fewer = np.asarray(SHRINKS)[mood.drift]
    stays = running & ~ends
    grows, shrinks = stays & (draw_seats < more), stays & (draw_seats >= 1 - fewer)
    contracts.mrr[grows] *= MORE_SEATS
    contracts.mrr[shrinks] *= FEWER_SEATS
    contracts.mrr[grows | shrinks] = np.round(contracts.mrr[grows | shrinks], 2)
    record(events, day, np.flatnonzero(grows | shrinks), PLAN_CHANGED, contracts)

    ended = np.flatnonzero(ends)
    record(events, day, ended, ENDED, contracts)
    contracts.running[ended] = False
    returns = rng.random(ended.size) < COMES_BACK
    contracts.restarts[ended[returns]] = day + rng.integers(1, PAUSE + 1, int(returns.sum()))
    contracts.lost[ended[~returns]] += 1

    _restart(day, np.flatnonzero(contracts.restarts == day), contracts, mood, events)
    contracts.paid += (1 - BILLED) * contracts.mrr * contracts.running
    return ended


def _renew(
    day: int, who: Whole, contracts: Contracts, mood: Mood, events: Journal, draw: Reals, rng: np.random.Generator
) -> None:
    solvent = mood.sore[who] != UNPAID
    rise = RISE[contracts.term[who]]
    dearer = who[solvent & (draw[who] < rise)]
    fails = who[solvent & (draw[who] >= rise) & (draw[who] < rise + (1 - rise) * FAILS)]
    contracts.renews[who] += TERM_DAYS[contracts.term[who]]
    contracts.mrr[dearer] = np.round(contracts.mrr[dearer] * (1 + rng.choice(RISES, dearer.size)), 2)
    mood.sore[dearer], mood.sore[fails] = PRICE, UNPAID
    record(events, day, dearer, PRICE_CHANGED, contracts)
    record(events, day, who, RENEWED, contracts)
    record(events, day, fails, PAYMENT_FAILED, contracts)


def _restart(day: int, who: Whole, contracts: Contracts, mood: Mood, events: Journal) -> None:
    contracts.running[who], contracts.restarts[who] = True, NO_DAY
    contracts.renews[who] = day + TERM_DAYS[contracts.term[who]]
    contracts.number[who] += 1
    for part in (mood.drift, mood.ticket, mood.sore):
        part[who] = 0
    record(events, day, who, STARTED, contracts)
