"""What was to be expected of each shopper at each cutoff, calculated from the hidden state, not counted.

The rules of the shop are a Markov chain in the mood, so two expectations follow exactly from looking back night by
night over the outcome window: the probability of no order, and the expected number of orders (weighted by what they
bring). Amounts and refunds are independent of the mood given the sore, and enter as factors.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from holdfast.progress import SILENT, Progress
from holdfast.simulate.causes import ranked_causes
from holdfast.simulate.clock import HORIZON, Reals, Whole
from holdfast.simulate.desk import MEAN_INVITATION, campaign_tonight
from holdfast.simulate.mood import ENGAGED, GONE, NO_TICKET, NOT_SORE
from holdfast.simulate.retail import (
    BUYING,
    MOODS,
    POPULATION_DAYS,
    REFUND_SHARE,
    TYPES,
    RetailPast,
    basket,
    mean_discount,
    mean_lines,
    season,
)
from holdfast.simulate.retail_orders import MEAN_REFUND, Orders, share_booked
from holdfast.simulate.truth import States, Truth, at_every_cutoff

_SILENCE, _ORDERS, _REFUNDS, _STAYS, _ORDERS_IF, _REFUNDS_IF = range(6)


def outlook(cutoff: int, kinds: Whole, seasons: Callable[[int, Reals], Reals]) -> Reals:
    """Expectations at a cutoff for every mood and each of the types ``kinds``.

    Returns
    -------
    array of shape (6, drifts, tickets, sores, types)
        The probability of no order within the horizon; the expected orders, each weighted by its mean price without
        discount relative to one line; the same for the part of them that is refunded within the horizon; the
        probability not to be gone at its end; and orders and refunds once more, counted only where that holds.
    """
    hazard, touch, consent, pace, seasonal = (
        TYPES[trait][kinds] for trait in ("hazard", "touch", "consent", "rate", "seasonal")
    )
    chances = MOODS.chances(hazard, touch, MEAN_INVITATION * consent)
    expected = np.zeros((6, *MOODS.shape, kinds.size))
    expected[_SILENCE] = 1.0
    expected[_STAYS, :GONE] = 1.0
    kept = (1 - mean_discount())[:, None]
    for day in range(cutoff + HORIZON - 1, cutoff - 1, -1):
        rate = BUYING[:, None] * (pace * seasons(day, seasonal))
        silent = np.exp(-rate)[:, None, None]
        brings = (1 - silent) * kept * (basket(day) * mean_lines())
        expected[_SILENCE] *= silent
        returns = brings * (REFUND_SHARE[:, None] * (MEAN_REFUND * share_booked(cutoff + HORIZON - 1 - day)))
        expected[_ORDERS] += brings
        expected[_REFUNDS] += returns
        expected[_ORDERS_IF] += brings * expected[_STAYS]
        expected[_REFUNDS_IF] += returns * expected[_STAYS]
        expected = MOODS.look_back(expected, chances, invited=campaign_tonight(day))
    return expected


def retail_truth(past: RetailPast, orders: Orders, progress: Progress = SILENT) -> Truth:
    """The truth about everyone who bought within 180 days before each cutoff."""
    return at_every_cutoff(lambda cutoff: _at(cutoff, past, orders), progress)


def _at(cutoff: int, past: RetailPast, orders: Orders) -> Truth:
    mood, n = past.moods[cutoff], past.people.count
    recent = orders.between(cutoff - POPULATION_DAYS, cutoff)
    who = np.flatnonzero(np.bincount(orders.customer[recent], minlength=n))
    kinds, kind = np.unique(past.shoppers.type[who], return_inverse=True)
    drift, ticket, sore = mood.drift[who], mood.ticket[who], mood.sore[who]
    expected = outlook(cutoff, kinds, partial(season, swing=past.swing))
    plain = outlook(cutoff, kinds, lambda _, seasonal: np.ones_like(seasonal))[_SILENCE]
    silence = expected[_SILENCE]
    p = silence[drift, ticket, sore, kind]
    now = expected[:, drift, ticket, sore, kind]
    pending, spend, stays = orders.pending_refunds(cutoff, n)[who], past.shoppers.spend[who], now[_STAYS]
    value = spend * (now[_ORDERS] - now[_REFUNDS]) - pending
    kept = spend * (now[_ORDERS_IF] - now[_REFUNDS_IF]) / stays - pending
    gone = (drift == GONE).astype(np.float64)
    states = States(gone, (1 - gone) * (1 - stays), kept, np.zeros(who.size))

    calm = np.exp(-HORIZON * TYPES["rate"][kinds])[kind]
    steady = plain[ENGAGED, NO_TICKET, NOT_SORE, kind]
    seasonal = silence[ENGAGED, NO_TICKET, NOT_SORE, kind]
    troubled = silence[ENGAGED, ticket, NOT_SORE, kind]
    hurt = silence[ENGAGED, ticket, sore, kind]
    cause = ranked_causes(
        {
            "infrequent_buyer": calm,
            "natural_lifetime": steady - calm,
            "season": seasonal - steady,
            "unresolved_ticket": troubled - seasonal,
        },
        by_sore=hurt - troubled,
        by_drift=p - hurt,
        sore=sore,
        origin=mood.origin[who],
        blame=mood.blame[who],
    )
    later = orders.between(cutoff, cutoff + HORIZON)
    bought = np.bincount(orders.customer[later], minlength=n)[who] > 0
    earned = orders.revenue(cutoff, cutoff + HORIZON, n)[who]
    traits = {trait: TYPES[trait][past.shoppers.type[who]] for trait in ("hazard", "rate", "touch", "seasonal")}
    hidden: dict[str, Whole | Reals] = {"drift": drift, "ticket": ticket, "sore": sore, **traits}
    return Truth(who, np.full(who.size, cutoff), p, value, states, cause, ~bought, earned, hidden)
