"""What was to be expected of each subscriber at each cutoff, calculated from the hidden state, not counted.

Given the mood and the days to the next renewal, the contract is a Markov chain over the mornings of the outcome window.
Looking back morning by morning gives exactly the probability that it does not end for good, and the expected revenue
relative to today's: price rises and seats multiply it by factors that are independent of the rest.
"""

from __future__ import annotations

import numpy as np

from holdfast.progress import SILENT, Progress
from holdfast.simulate.causes import ranked_causes
from holdfast.simulate.clock import HORIZON, Reals, Whole
from holdfast.simulate.desk import MEAN_INVITATION, campaign_tonight
from holdfast.simulate.mood import ENGAGED, NO_TICKET, NOT_SORE, PRICE, UNPAID
from holdfast.simulate.subscription import SubscriptionPast
from holdfast.simulate.terms import (
    BILLED,
    COMES_BACK,
    FAILS,
    FEWER_SEATS,
    GROWS,
    MONTH,
    MOODS,
    MORE_SEATS,
    PAUSE,
    RISE,
    RISES,
    SHRINKS,
    TYPES,
    UNPAID_ENDS,
    UNPAID_PAYS,
    WALKS_OUT,
    quits,
)
from holdfast.simulate.truth import States, Truth, at_every_cutoff
from holdfast.timeline import DAYS_PER_MONTH

_STAYS, _REVENUE, _REVENUE_IF = range(3)
_NOT_DUE = MONTH


def phase_of(term: Whole, days_to_renewal: Whole) -> Whole:
    """The phase of each contract, which says when it comes up for renewal within the horizon.

    Monthly contracts have the days to their renewal, 0 to 29; yearly ones 30 if none is due, and one more for each day
    by which it is due earlier than that, up to 120 for today.
    """
    return np.where(term == 0, days_to_renewal, _NOT_DUE + HORIZON - np.minimum(days_to_renewal, HORIZON))


def outlook(cutoff: int, kinds: Whole, swing: float = 0.0) -> Reals:
    """Expectations at a cutoff for every phase and mood, and each of the types ``kinds``, in a season of this swing.

    Returns
    -------
    array of shape (3, phases, drifts, tickets, sores, types)
        The probability that the contract does not end for good within the horizon; the expected time under contract in
        days, weighted by the monthly revenue relative to today's; and this time, counted only where the first holds.
    """
    hazard, touch, consent = (TYPES[trait][kinds] for trait in ("hazard", "touch", "consent"))
    chances = MOODS.chances(hazard, touch, MEAN_INVITATION * consent)
    cells = (*MOODS.shape, kinds.size)
    value = np.zeros((3, MONTH + 1, *cells))
    value[_STAYS] = 1.0
    started = np.zeros((3, HORIZON + PAUSE, MONTH + 1, kinds.size))
    started[_STAYS] = 1.0
    seats = 1 + np.asarray(GROWS) * (MORE_SEATS - 1) + np.asarray(SHRINKS) * (FEWER_SEATS - 1)
    ending = np.asarray(WALKS_OUT)[:, None, None, None] + UNPAID_ENDS * (np.arange(MOODS.shape[2]) == UNPAID)[:, None]
    for step in range(HORIZON - 1, -1, -1):
        day = cutoff + step
        night = MOODS.look_back(value.reshape(-1, *cells), chances, invited=campaign_tonight(day))
        value = night.reshape(3, -1, *cells)
        # looking back, a yearly contract is like one that is not due until the day of its renewal is reached
        value = np.concatenate([value, value[:, _NOT_DUE, None]], axis=1)
        _bill(value, 1 - BILLED)
        started[:, step] = value[:, : MONTH + 1, ENGAGED, NO_TICKET, NOT_SORE]
        after_end = [_after_end(step, started, yearly=False), _after_end(step, started, yearly=True)]
        value[_REVENUE:] *= seats[:, None, None, None]
        for term, phase in ((0, step % MONTH), (1, -1)):
            value[:, phase] = _renewal(term, value[:, phase], after_end[term], day, swing)
        left = np.repeat(np.stack(after_end, axis=1), (MONTH, value.shape[1] - MONTH), axis=1)[:, :, None, None, None]
        change = ending * (left - value)
        change[:, :, :, :, UNPAID] += UNPAID_PAYS * (value[:, :, :, :, NOT_SORE] - value[:, :, :, :, UNPAID])
        value += change
        _bill(value, BILLED)
    return value


def _bill(value: Reals, days: float) -> None:
    """Count part of a day under contract, also where the contract stays."""
    value[_REVENUE] += days
    value[_REVENUE_IF] += days * value[_STAYS]


def _after_end(step: int, started: Reals, *, yearly: bool) -> Reals:
    """What is left when a contract ends at this step: some come back within days; shape (3, types)."""
    days = step + 1 + np.arange(PAUSE)
    phases = np.full(PAUSE, _NOT_DUE) if yearly else days % MONTH
    return np.asarray(COMES_BACK * started[:, days, phases].mean(axis=1))


def _renewal(term: int, after: Reals, after_end: Reals, day: int, swing: float) -> Reals:
    """Expectation just before a renewal is due, of what is known after it; shape (3, drifts, tickets, sores, types)."""
    drift, ticket, sore = np.ogrid[tuple(slice(n) for n in MOODS.shape)]
    solvent = np.where(np.arange(MOODS.shape[2]) == UNPAID, 0.0, 1.0)[:, None]
    rise, fail = RISE[term] * solvent, FAILS * solvent
    dearer = after[:, :, :, PRICE, None] * np.array([1.0, *[1.0 + np.mean(RISES)] * 2])[:, None, None, None, None]
    renewed = rise * dearer + (1 - rise) * (fail * after[:, :, :, UNPAID, None] + (1 - fail) * after)
    quit_chance = quits(np.asarray(term), drift, ticket, sore, day, swing)[..., None]
    return np.asarray(quit_chance * after_end[:, None, None, None] + (1 - quit_chance) * renewed)


def subscription_truth(past: SubscriptionPast, progress: Progress = SILENT) -> Truth:
    """The truth about everyone with a running subscription at each cutoff."""
    return at_every_cutoff(lambda cutoff: _at(cutoff, past), progress)


def _at(cutoff: int, past: SubscriptionPast) -> Truth:
    mood, contracts, later = past.moods[cutoff], past.contracts[cutoff], past.later[cutoff]
    who = np.flatnonzero(contracts.running)
    kinds, kind = np.unique(past.type[who], return_inverse=True)
    phase = phase_of(contracts.term[who], contracts.renews[who] - cutoff)
    drift, ticket, sore = mood.drift[who], mood.ticket[who], mood.sore[who]
    expected = outlook(cutoff, kinds, past.swing)
    leaves = 1 - expected[_STAYS]
    p = leaves[phase, drift, ticket, sore, kind]
    untroubled = leaves[phase, ENGAGED, NO_TICKET, NOT_SORE, kind]
    troubled = leaves[phase, ENGAGED, ticket, NOT_SORE, kind]
    hurt = leaves[phase, ENGAGED, ticket, sore, kind]
    cause = ranked_causes(
        {"natural_lifetime": untroubled, "unresolved_ticket": troubled - untroubled},
        by_sore=hurt - troubled,
        by_drift=p - hurt,
        sore=sore,
        origin=mood.origin[who],
        blame=mood.blame[who],
    )
    stays, days, days_if = expected[:, phase, drift, ticket, sore, kind]
    daily = contracts.mrr[who] / DAYS_PER_MONTH
    value = daily * days
    states = States(np.zeros(who.size), p, daily * days_if / stays, daily * (days - days_if) / p)
    earned = (later.paid - contracts.paid)[who] / DAYS_PER_MONTH
    churned = (later.lost - contracts.lost)[who] > 0
    traits = {trait: TYPES[trait][past.type[who]] for trait in ("hazard", "touch")}
    hidden: dict[str, Whole | Reals] = {"drift": drift, "ticket": ticket, "sore": sore, **traits}
    return Truth(who, np.full(who.size, cutoff), p, value, states, cause, churned, earned, hidden)
