"""A service under contract: customers pay each month or year, and end the contract when its term is over.

Every morning at six the billing run renews, changes and ends subscriptions; the mood moves after it, and usage shows
the mood.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from holdfast.progress import SILENT, Progress
from holdfast.simulate.billing import STARTED, Contracts, bill, first_contracts, record
from holdfast.simulate.clock import CUTOFF_DAYS, DAYS, END_DAY, FIRST_DAY, HORIZON, Whole
from holdfast.simulate.desk import Desk, campaign_tonight
from holdfast.simulate.journal import Journal
from holdfast.simulate.mood import Mood
from holdfast.simulate.people import CHANNEL_RISK, People, draw_people, level_of
from holdfast.simulate.terms import MOODS, POOR_STARTS, TYPES, VETERANS

_USING = np.array([1.0, 0.5, 0.15])
_SORE_USING = np.array([1.0, 0.6, 0.85, 0.9])
FEATURES = ("Bericht", "Export", "Übersicht", "API", "mobile")


@dataclass
class SubscriptionPast:
    """What happened, and the hidden state at each cutoff (before that day's billing run).

    ``later`` holds the contracts at the end of each outcome window; ``swing`` is that of the season.
    """

    people: People
    type: Whole
    desk: Desk
    events: Journal = field(default_factory=Journal)
    usage: Journal = field(default_factory=Journal)
    moods: dict[int, Mood] = field(default_factory=dict)
    contracts: dict[int, Contracts] = field(default_factory=dict)
    later: dict[int, Contracts] = field(default_factory=dict)
    swing: float = 0.0


def live(
    customers: int, seed: np.random.SeedSequence, progress: Progress = SILENT, *, swing: float = 0.0
) -> SubscriptionPast:
    """Live through all days, the exported ones and the 90 after them.

    A subscription starts on the day of joining; billing and mood follow from the day after. Whoever has no running
    subscription is not seen: no mood, no ticket, no usage.
    """
    people_rng, moods_rng, trade_rng, usage_rng, desk_rng = (np.random.default_rng(part) for part in seed.spawn(5))
    people = draw_people(customers, VETERANS, POOR_STARTS, "A", people_rng)
    risk = people_rng.normal(0, 1, customers) + np.asarray(CHANNEL_RISK)[people.channel]
    kind = TYPES.type_of(
        hazard=level_of(risk / np.hypot(1, 0.3), TYPES.shape[0]),
        touch=people_rng.integers(0, 2, customers),
        consent=people.consent.astype(np.int64),
    )
    intensity = 0.13 * np.exp(people_rng.normal(0, 0.5, customers))
    past = SubscriptionPast(people, kind, Desk(customers, desk_rng), swing=swing)
    mood, contracts = Mood.fresh(people.poor_start), first_contracts(people, people_rng)
    hazard, touch = TYPES["hazard"][kind], TYPES["touch"][kind]
    with progress("Living through the days of the service", total=DAYS) as advance:
        for day in range(DAYS + 1):
            here, present = (int(n) for n in np.searchsorted(people.since, [day, day + 1]))
            if day in CUTOFF_DAYS:
                past.moods[day], past.contracts[day] = mood.first(here).copy(), contracts.first(here).copy()
            if day - HORIZON in CUTOFF_DAYS:
                past.later[day - HORIZON] = contracts.first(past.contracts[day - HORIZON].term.size).copy()
            if day == DAYS:
                break
            now, current = mood.first(here), contracts.first(here)
            ended = bill(day, current, now, past.events, trade_rng, swing=swing)
            past.desk.close(day, ended, now)
            live_on = np.flatnonzero(current.running)
            invited = np.zeros(here)
            if campaign_tonight(day):
                invited = past.desk.campaign(day, now, people.consent[:here] & current.running)
            some = now.take(live_on)
            night = MOODS.live(some, hazard[live_on], touch[live_on], invited[live_on], moods_rng)
            now.put(live_on, some)
            past.desk.receive(day, night.of(live_on), now)
            newcomers = np.arange(here, present)
            contracts.running[newcomers] = True
            record(past.events, day, newcomers, STARTED, contracts)
            if FIRST_DAY <= day < END_DAY:
                past.desk.ask(day, live_on, now)
                lively = intensity[live_on] * _USING[some.drift] * _SORE_USING[some.sore]
                users = live_on[usage_rng.random(live_on.size) < lively]
                features = usage_rng.integers(0, len(FEATURES), users.size, dtype=np.int8)
                past.usage.write(day, users, feature=features, units=usage_rng.geometric(0.25, users.size))
            advance(1)
    return past
