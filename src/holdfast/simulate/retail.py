"""A shop without contracts: customers order when they like, and one day they do not come back.

Each customer orders at an own rate, which falls as the mood drifts and follows the seasons; visits, opened e-mails and
use of the app fall with it, and earlier. The rules here are read by two walkers: :func:`live` draws one history, and
``retail_truth`` calculates what to expect from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from holdfast.progress import SILENT, Progress
from holdfast.simulate.clock import CUTOFF_DAYS, DAYS, END_DAY, FIRST_DAY, Reals, Whole, calendar_day, winter_wave
from holdfast.simulate.desk import Desk, campaign_tonight
from holdfast.simulate.journal import Journal
from holdfast.simulate.mood import Mood, Moods
from holdfast.simulate.people import CHANNEL_RISK, Grid, People, draw_people, level_of, spread

POPULATION_DAYS = 180
MOODS = Moods(
    worsen=(0.0, 1 / 30, 1 / 30, 0.0),
    return_=(0.0, 1 / 60, 1 / 120, 1 / 350),
    hurt_return=0.3,
    push_ticket=(0.0, 0.008, 0.050),
    push_sore=(0.0, 0.018, 0.014),
    open_ticket=(1 / 260, 1 / 360),
    close_ticket=(0.0, 1 / 6, 1 / 35),
    ticket_when=(1.0, 3.5, 2.5),
    voice=(1.0, 0.9, 0.5, 0.05),
    heal=(0.0, 1 / 150, 1 / 90),
    price_shock=1 / 500,
)
TYPES = Grid(
    hazard=spread(1 / 450, 0.9, 8),
    rate=spread(1 / 39, 0.6, 16),
    touch=(0.6, 1.5),
    consent=(0.0, 1.0),
    seasonal=(0.0, 1.0),
)
VETERANS, POOR_STARTS, SEASONAL = 0.30, 0.25, 0.15

BUYING = np.array([1.0, 0.6, 0.25, 0.04])
"""How the rate of orders falls with the drift."""
_VISITING = np.array([1.0, 0.55, 0.25, 0.06])
_OPENING = np.array([1.0, 0.6, 0.3, 0.1])
_SORE_VISITING = np.array([1.0, 0.65, 0.8])

DISCOUNT_SHARE = np.array([0.8, 0.8, 0.0])
"""Share of orders at the member's discount, per sore: a price rise means that the customer has lost it."""
DISCOUNT = 0.12
REFUND_SHARE = np.array([0.05, 0.22, 0.07])
"""Share of orders sent back later, per sore at the time of the order."""
REFUND_DAYS = (2, 20)
"""The first and the last day after the order on which a refund may be booked, all equally likely."""
REFUND_PART, REFUND_PART_SHARE = 0.5, 0.4
"""Some refunds give back only this part of the order."""
LINES = (0.55, 0.30, 0.15)
"""Shares of orders with one, two and three lines."""

CATEGORIES = ("Küche", "Café & Tee", "Garten", "Büro", "Bücher", "Kinder", "玩具", "Outlet")


def season(day: int, seasonal: Reals, swing: float = 0.0) -> Reals:
    """Factor on the rate of orders: mild waves for most, and a sharp peak before Christmas for seasonal shoppers.

    ``swing`` raises everyone's rate by so large a share in mid-December, and lowers it as much in mid-June.
    """
    wave = winter_wave(day)
    own = np.where(seasonal > 0, 1.9 * np.exp(2.4 * (wave - 1)) + 0.25, np.exp(0.22 * wave))
    return np.asarray(own * (1 + swing * wave))


def basket(day: int) -> float:
    """Factor on what one line costs: presents are dearer."""
    return 1.15 if calendar_day(day).month == 12 else 1.0


@dataclass(frozen=True)
class Shopper:
    """Hidden traits of each customer, arrays of shape (customers,)."""

    type: Whole
    spend: Reals
    visits: Reals
    opens: Reals
    has_app: NDArray[np.bool_]
    taste: Whole


@dataclass
class RetailPast:
    """What happened, and the hidden state at each cutoff (before that day began); ``swing`` is that of the season."""

    people: People
    shoppers: Shopper
    desk: Desk
    orders: Journal = field(default_factory=Journal)
    events: Journal = field(default_factory=Journal)
    moods: dict[int, Mood] = field(default_factory=dict)
    swing: float = 0.0


def draw_shoppers(people: People, rng: np.random.Generator) -> Shopper:
    """Draw the hidden traits; risk leans on the channel, the rate of orders on the country, a little."""
    n = people.count
    risk = rng.normal(0, 1, n) + np.asarray(CHANNEL_RISK)[people.channel]
    pace = rng.normal(0, 1, n)
    hazard, rate, _, _, _ = TYPES.shape
    return Shopper(
        type=TYPES.type_of(
            hazard=level_of(risk / np.hypot(1, 0.3), hazard),
            rate=level_of((pace + 0.05 * (people.country - 2)), rate),
            touch=rng.integers(0, 2, n),
            consent=people.consent.astype(np.int64),
            seasonal=(rng.random(n) < SEASONAL).astype(np.int64),
        ),
        spend=24.0 * np.exp(rng.normal(0, 0.55, n)),
        visits=0.04 * np.exp(0.35 * pace + rng.normal(0, 0.45, n)),
        opens=rng.beta(4, 6, n),
        has_app=rng.random(n) < 0.4,
        taste=rng.integers(0, len(CATEGORIES), n),
    )


def live(
    customers: int, seed: np.random.SeedSequence, progress: Progress = SILENT, *, swing: float = 0.0
) -> RetailPast:
    """Live through all days, the exported ones and the 90 after them.

    A customer's first order is on the day of joining; the mood moves from the day after.
    """
    draw_streams = [np.random.default_rng(part) for part in seed.spawn(5)]
    people_rng, moods_rng, trade_rng, engagement_rng, desk_rng = draw_streams
    people = draw_people(customers, VETERANS, POOR_STARTS, "C", people_rng)
    shoppers = draw_shoppers(people, people_rng)
    past = RetailPast(people, shoppers, Desk(customers, desk_rng), swing=swing)
    mood = Mood.fresh(people.poor_start)
    rate, seasonal = TYPES["rate"][shoppers.type], TYPES["seasonal"][shoppers.type]
    hazard, touch = TYPES["hazard"][shoppers.type], TYPES["touch"][shoppers.type]
    with progress("Living through the days of the shop", total=DAYS) as advance:
        for day in range(DAYS):
            here, present = (int(n) for n in np.searchsorted(people.since, [day, day + 1]))
            if day in CUTOFF_DAYS:
                past.moods[day] = mood.first(here).copy()
            now = mood.first(here)
            invited = past.desk.campaign(day, now, people.consent[:here]) if campaign_tonight(day) else 0.0
            past.desk.receive(day, MOODS.live(now, hazard[:here], touch[:here], invited, moods_rng), now)
            buys = rate[:here] * BUYING[now.drift] * season(day, seasonal[:here], swing)
            bought = np.flatnonzero(trade_rng.random(here) < -np.expm1(-buys))
            newcomers = np.arange(here, present)
            bought = np.concatenate([bought, newcomers[people.joined[newcomers] >= 0]])
            past.orders.write(day, bought, sore=mood.sore[bought])
            if FIRST_DAY <= day < END_DAY:
                past.desk.ask(day, np.arange(here), now)
                _browse(day, now, bought, past, engagement_rng)
            advance(1)
    return past


VISIT, SENT, OPENED, CLICKED, APP = range(5)
EVENT_TYPES = ("visit", "email_sent", "email_open", "email_click", "app")
_EMAIL_EVERY = 20


def _browse(day: int, mood: Mood, bought: Whole, past: RetailPast, rng: np.random.Generator) -> None:
    """Write the day's visits, e-mails and uses of the app."""
    here = mood.drift.size
    shoppers, consent = past.shoppers, past.people.consent[:here]
    lively = _VISITING[mood.drift] * _SORE_VISITING[mood.sore]
    visits = rng.random(here) < shoppers.visits[:here] * lively
    buyers = bought[bought < here]
    visits[buyers] |= rng.random(buyers.size) < 0.5
    uses = np.flatnonzero((rng.random(here) < 0.04 * lively) & shoppers.has_app[:here])
    sent = np.arange(day % _EMAIL_EVERY, here, _EMAIL_EVERY)
    sent = sent[consent[sent]]
    opened = sent[rng.random(sent.size) < shoppers.opens[sent] * _OPENING[mood.drift[sent]]]
    clicked = opened[rng.random(opened.size) < 0.25]
    parts = [np.flatnonzero(visits), sent, opened, clicked, uses]
    kinds = np.repeat(np.array([VISIT, SENT, OPENED, CLICKED, APP], dtype=np.int8), [part.size for part in parts])
    past.events.write(day, np.concatenate(parts), kind=kinds)


def mean_discount() -> Reals:
    """Mean discount as a share of the gross price, per sore."""
    return DISCOUNT_SHARE * DISCOUNT


def mean_lines() -> float:
    """Mean number of lines of one order."""
    return sum((i + 1) * share for i, share in enumerate(LINES))
