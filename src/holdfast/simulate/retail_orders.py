"""The shop's orders with their lines and refunds, in money."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.simulate.clock import END_DAY, FIRST_DAY, HORIZON, Flags, Reals, Whole, at_hours
from holdfast.simulate.retail import (
    CATEGORIES,
    DISCOUNT,
    DISCOUNT_SHARE,
    LINES,
    REFUND_DAYS,
    REFUND_PART,
    REFUND_PART_SHARE,
    REFUND_SHARE,
    RetailPast,
    basket,
)
from holdfast.timeline import Instants

MEAN_REFUND = 1 - REFUND_PART_SHARE * (1 - REFUND_PART)
_NO_REFUND = np.iinfo(np.int64).max // 2
_PRICE_SPREAD = 0.5


@dataclass(frozen=True)
class Lines:
    """The lines of the orders; ``order`` is the position of the order."""

    order: Whole
    category: Whole
    gross: Reals
    discount: Reals
    cost: Reals


@dataclass(frozen=True)
class Orders:
    """Orders from the first exported day to the end of the simulation, in the order of days.

    ``refund_day`` lies far in the future where nothing is sent back; ``refund`` is a positive amount.
    """

    customer: Whole
    day: Whole
    at: Instants
    sore: Whole
    net: Reals
    refund_day: Whole
    refund_at: Instants
    refund: Reals
    lines: Lines

    def between(self, first: int, last: int) -> slice:
        """The orders of the days ``[first, last)``."""
        low, high = np.searchsorted(self.day, [first, last])
        return slice(int(low), int(high))

    def revenue(self, first: int, last: int, customers: int) -> Reals:
        """Net revenue per customer booked on the days ``[first, last)``: orders less refunds."""
        window = self.between(first, last)
        bought = np.bincount(self.customer[window], self.net[window], customers)
        back = (self.refund_day >= first) & (self.refund_day < last)
        return np.asarray(bought - np.bincount(self.customer[back], self.refund[back], customers))

    def pending_refunds(self, cutoff: int, customers: int) -> Reals:
        """Expected refunds per customer, after the cutoff, of orders from before it that were not refunded yet."""
        window = self.between(cutoff - REFUND_DAYS[1], cutoff)
        age = cutoff - self.day[window]
        share = REFUND_SHARE[self.sore[window]]
        by_now, by_end = share_booked(age - 1), share_booked(age + HORIZON - 1)
        chance = share * (by_end - by_now) / (1 - share * by_now)
        open_ = self.refund_day[window] >= cutoff
        expected = open_ * chance * MEAN_REFUND * self.net[window]
        return np.bincount(self.customer[window], expected, customers).astype(float)


def share_booked(days: Whole | int) -> Reals:
    """Probability that a refund is booked within this many days after its order."""
    first, last = REFUND_DAYS
    booked: Reals = np.clip(np.asarray(days, dtype=float) - first + 1, 0, last - first + 1)
    return booked / (last - first + 1)


def draw_orders(past: RetailPast, rng: np.random.Generator) -> Orders:
    """Give every order its lines, prices and refund."""
    journal = past.orders.read()
    exported = journal["day"] >= FIRST_DAY
    customer, day, sore = (journal[name][exported] for name in ("customer", "day", "sore"))
    count = day.size
    size = rng.choice(len(LINES), count, p=LINES) + 1
    order = np.repeat(np.arange(count), size)
    price = np.exp(rng.normal(-(_PRICE_SPREAD**2) / 2, _PRICE_SPREAD, order.size))
    dearness = np.array([basket(d) for d in range(FIRST_DAY, END_DAY + HORIZON)])[day - FIRST_DAY]
    gross: Reals = np.round((past.shoppers.spend[customer] * dearness)[order] * price, 2)
    member: Flags = rng.random(count) < DISCOUNT_SHARE[sore]
    discount: Reals = np.round(gross * DISCOUNT * member[order], 2)
    own_taste = rng.random(order.size) < 0.55
    category = np.where(own_taste, past.shoppers.taste[customer][order], rng.integers(0, len(CATEGORIES), order.size))
    cost: Reals = np.round(gross * rng.uniform(0.45, 0.65, order.size), 2)
    lines = Lines(order, category, gross, discount, cost)
    net = np.bincount(order, gross - discount, count).astype(float)

    returned = rng.random(count) < REFUND_SHARE[sore]
    part = np.where(rng.random(count) < REFUND_PART_SHARE, REFUND_PART, 1.0)
    refund_day = np.where(returned, day + rng.integers(REFUND_DAYS[0], REFUND_DAYS[1] + 1, count), _NO_REFUND)
    return Orders(
        customer=customer,
        day=day,
        at=at_hours(day, rng, 5, 22),
        sore=sore,
        net=net,
        refund_day=refund_day,
        refund_at=at_hours(np.where(returned, refund_day, 0), rng, 7, 17),
        refund=np.where(returned, np.round(net * part, 2), 0.0),
        lines=lines,
    )
