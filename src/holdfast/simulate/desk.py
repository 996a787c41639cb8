"""What both businesses record about their customers besides their trade: tickets, surveys and marketing contacts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from holdfast.simulate.clock import END_DAY, FIRST_DAY, Flags, Reals, Whole, at_hours, calendar_day, hours
from holdfast.simulate.journal import Journal, Table
from holdfast.simulate.mood import NO_TICKET, NOT_SORE, POOR_START, PRICE, UNPAID, Mood, Night

NEVER = np.iinfo(np.int64).max
"""A moment that did not come."""

TOPICS = ("Start", "Qualität", "Preis", "Rechnung", "Konto", "Beratung")
"""What tickets are about; a shop and a service call the troubles of the first weeks by their own word."""
_TOPIC_SHARES = {
    NOT_SORE: (0.25, 0.25, 0.08, 0.12, 0.15, 0.15),
    POOR_START: (0.60, 0.20, 0.02, 0.04, 0.10, 0.04),
    PRICE: (0.10, 0.08, 0.62, 0.12, 0.04, 0.04),
    UNPAID: (0.05, 0.05, 0.10, 0.65, 0.10, 0.05),
}
PRIORITIES = ("niedrig", "mittel", "hoch")
_PRIORITY_SHARES = {False: (0.60, 0.35, 0.05), True: (0.02, 0.18, 0.80)}
_REOPENS = 0.12
"""Share of tickets that the desk files as the last one of the same customer opened again."""

CONTACT_SHARE = 0.05
"""Share of the consenting customers whom each monthly campaign reaches, drawn at random."""
OFFER_SHARE = 0.5
CONTACT_EFFECT = (0.10, 0.25)
"""Probability that a contact brings back a customer who drifts: without and with an offer."""
MEAN_INVITATION = CONTACT_SHARE * ((1 - OFFER_SHARE) * CONTACT_EFFECT[0] + OFFER_SHARE * CONTACT_EFFECT[1])
_RESPONSE = (0.30, 0.15, 0.06, 0.01)
CONTACT_CHANNELS = ("email", "sms", "phone")

_SURVEY_RATE = 1 / 150
_ANSWERS = (0.50, 0.40, 0.25, 0.05)
_MOOD_OF_DRIFT = np.array([8.6, 7.6, 6.4, 5.0])
_PAIN_OF_TICKET = np.array([0.0, 1.0, 3.2])
_PAIN_OF_SORE = np.array([0.0, 2.6, 2.0, 0.8])


def campaign_tonight(day: int) -> bool:
    """Whether a campaign goes out on this day: the twelfth of each month, known to everyone in advance."""
    return calendar_day(day).day == 12


@dataclass
class Desk:
    """Keeps the books of tickets, surveys and contacts while the days go by."""

    customers: int
    rng: np.random.Generator
    surveys: Journal = field(default_factory=Journal)
    contacts: Journal = field(default_factory=Journal)
    _opened: Journal = field(default_factory=Journal)
    _closed: Journal = field(default_factory=Journal)
    _tickets: int = 0

    def __post_init__(self) -> None:
        self._open_ticket = np.full(self.customers, -1)

    def receive(self, day: int, night: Night, mood: Mood) -> None:
        """Write down the tickets that opened and closed."""
        for who, severe in ((night.opened_mild, False), (night.opened_severe, True)):
            priority = self.rng.choice(len(PRIORITIES), who.size, p=_PRIORITY_SHARES[severe])
            topic = np.zeros(who.size, dtype=np.int64)
            for sore in np.unique(mood.sore[who]):
                here = mood.sore[who] == sore
                topic[here] = self.rng.choice(len(TOPICS), int(here.sum()), p=_TOPIC_SHARES[int(sore)])
            self._opened.write(day, who, priority=priority, topic=topic, severe=np.full(who.size, severe))
            self._open_ticket[who] = self._tickets + np.arange(who.size)
            self._tickets += who.size
        self._close(day, night.closed, mood)

    def close(self, day: int, who: Whole, mood: Mood) -> None:
        """Close whatever ticket these customers have open, because they leave."""
        leaving = who[mood.ticket[who] != NO_TICKET]
        self._close(day, leaving, mood)
        mood.ticket[leaving] = NO_TICKET

    def _close(self, day: int, who: Whole, mood: Mood) -> None:
        self._closed.write(day, who, ticket=self._open_ticket[who], cheer=_MOOD_OF_DRIFT[mood.drift[who]])

    def ask(self, day: int, among: Whole, mood: Mood) -> None:
        """Send surveys to a few customers drawn at random; some answer, with a score from 0 to 10."""
        asked = among[self.rng.random(among.size) < _SURVEY_RATE]
        who = asked[self.rng.random(asked.size) < np.asarray(_ANSWERS)[mood.drift[asked]]]
        felt = _MOOD_OF_DRIFT[mood.drift[who]] - _PAIN_OF_TICKET[mood.ticket[who]] - _PAIN_OF_SORE[mood.sore[who]]
        score = np.clip(np.round(felt + self.rng.normal(0, 1.6, who.size)), 0, 10).astype(np.int64)
        self.surveys.write(day, who, score=score)

    def campaign(self, day: int, mood: Mood, allowed: Flags) -> Reals:
        """Contact a random few of those whom we may; how strongly each customer is invited back tonight."""
        present = mood.drift.size
        reached = np.flatnonzero((self.rng.random(present) < CONTACT_SHARE) & allowed)
        offer = self.rng.random(reached.size) < OFFER_SHARE
        channel = self.rng.choice(len(CONTACT_CHANNELS), reached.size, p=(0.6, 0.25, 0.15))
        responds = self.rng.random(reached.size) < np.asarray(_RESPONSE)[mood.drift[reached]] * (1 + 0.4 * offer)
        delay = np.where(responds, hours(self.rng.exponential(30.0, reached.size) + 0.2), NEVER)
        self.contacts.write(day, reached, offer=offer, channel=channel, delay=delay)
        invited = np.zeros(present)
        invited[reached] = np.where(offer, CONTACT_EFFECT[1], CONTACT_EFFECT[0])
        return invited

    def tickets(self) -> Table:
        """All tickets of the exported days, in the order in which they opened.

        Opened again is a coin's toss, blind to what follows; the desk then writes on the older ticket, and forgets to
        write its second resolution.
        """
        rng = self.rng
        opened, closed = self._opened.read(), self._closed.read()
        count = opened["day"].size
        topened = at_hours(opened["day"], rng, 7, 19)
        resolved = np.full(count, NEVER)
        resolved[closed["ticket"]] = at_hours(closed["day"], rng, 7, 19)
        cheer = np.zeros(count)
        cheer[closed["ticket"]] = closed["cheer"]
        waited = np.where(resolved == NEVER, 0, resolved - topened) / hours(24.0)
        felt = cheer / 2 - 0.5 * opened["severe"] - 0.05 * np.minimum(waited, 30) + rng.normal(0, 0.8, count)
        satisfaction = np.clip(np.round(felt), 1, 5).astype(np.int64)
        rates = (resolved < NEVER) & (rng.random(count) < 0.4)
        rated = np.where(rates, np.where(rates, resolved, 0) + hours(rng.exponential(20.0, count) + 0.1), NEVER)

        previous = _previous_of_same(opened["customer"])
        again = (previous >= 0) & (rng.random(count) < _REOPENS)
        again &= (resolved[previous] < topened) & ~again[previous]
        reopened = np.full(count, NEVER)
        reopened[previous[again]] = topened[again]
        keep = ~again & (opened["day"] >= FIRST_DAY) & (opened["day"] < END_DAY)
        table: Table = {
            "customer": opened["customer"],
            "opened": topened,
            "resolved": resolved,
            "reopened": reopened,
            "rated": rated,
            "priority": opened["priority"],
            "topic": opened["topic"],
            "satisfaction": satisfaction,
        }
        return {name: values[keep] for name, values in table.items()}


def _previous_of_same(customer: Whole) -> Whole:
    """Position of the same customer's row before each row, or -1."""
    order = np.argsort(customer, kind="stable")
    same = np.zeros(customer.size, dtype=bool)
    same[1:] = customer[order][1:] == customer[order][:-1]
    previous = np.full(customer.size, -1)
    previous[order[1:]] = np.where(same[1:], order[:-1], -1)
    return previous
