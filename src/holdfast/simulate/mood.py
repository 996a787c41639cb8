"""How a customer's mood moves from day to day: one rule, walked forward to live and backward to know the truth.

A mood is a cell of a small Markov chain: how far the customer has drifted (engaged, cooling, cold, gone), whether a
ticket is open (none, mild, severe) and what is sore (nothing, a poor start, a price rise, an unpaid bill). Every night
tickets open and close, sores appear and heal, and the customer drifts or comes back. Drifting has competing causes that
add up: natural lifetime, an open ticket, a sore.

:meth:`Moods.live` draws one night for each customer. :meth:`Moods.look_back` takes what a quantity is worth in each
cell after the night and returns its expectation before it; both read the same probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.simulate.clock import Flags, Reals, Whole

ENGAGED, COOLING, COLD, GONE = range(4)
NO_TICKET, MILD, SEVERE = range(3)
NOT_SORE, POOR_START, PRICE, UNPAID = range(4)
NATURAL, TICKET, SORE = range(3)
"""What made a customer drift."""


@dataclass
class Mood:
    """Today's mood of each customer, arrays of shape (customers,), changed in place."""

    drift: Whole
    ticket: Whole
    sore: Whole
    origin: Whole
    blame: Whole

    @classmethod
    def fresh(cls, poor_start: Flags) -> Mood:
        """Everyone engaged and without a ticket; those with a poor start are sore. ``blame`` keeps the guilty sore."""
        zeros = [np.zeros(poor_start.size, dtype=np.int64) for _ in range(4)]
        return cls(zeros[0], zeros[1], np.where(poor_start, POOR_START, NOT_SORE), zeros[2], zeros[3])

    def first(self, upto: int) -> Mood:
        """The first ``upto`` customers, as a view."""
        return Mood(*(part[:upto] for part in vars(self).values()))

    def copy(self) -> Mood:
        """An independent copy."""
        return Mood(*(part.copy() for part in vars(self).values()))

    def take(self, who: Whole) -> Mood:
        """A copy of some customers."""
        return Mood(*(part[who] for part in vars(self).values()))

    def put(self, who: Whole, theirs: Mood) -> None:
        """Write the moods of some customers back."""
        for name, part in vars(theirs).items():
            getattr(self, name)[who] = part


@dataclass(frozen=True)
class Night:
    """What became visible to the support desk in one night: positions of customers."""

    opened_mild: Whole
    opened_severe: Whole
    closed: Whole

    def of(self, who: Whole) -> Night:
        """The same night in the positions of a larger table, of which only ``who`` lived it."""
        return Night(who[self.opened_mild], who[self.opened_severe], who[self.closed])


@dataclass(frozen=True)
class Moods:
    """The rules of the chain. All rates are probabilities per night.

    Parameters
    ----------
    worsen : one rate per drift
        From each drift to the next; the customer's own ``hazard`` is added for the engaged. The last one is 0.
    return_ : one rate per drift
        Back to engaged; a hurt customer (ticket open or sore) returns ``hurt_return`` times as often.
    push_ticket, push_sore : one rate per ticket, per sore
        Added to ``worsen`` times the customer's ``touch``; nothing pushes whoever is gone.
    open_ticket : rates of a mild and of a severe ticket
        Times the customer's ``touch``, ``ticket_when`` (per sore) and ``voice`` (per drift).
    close_ticket, heal : one rate per ticket, per sore
    price_shock : rate at which an unhurt customer meets a price rise
    """

    worsen: tuple[float, ...]
    return_: tuple[float, ...]
    hurt_return: float
    push_ticket: tuple[float, ...]
    push_sore: tuple[float, ...]
    open_ticket: tuple[float, float]
    close_ticket: tuple[float, ...]
    ticket_when: tuple[float, ...]
    voice: tuple[float, ...]
    heal: tuple[float, ...]
    price_shock: float = 0.0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of drifts, tickets and sores."""
        return len(self.worsen), len(self.push_ticket), len(self.push_sore)

    def pushes(
        self, drift: Whole, ticket: Whole, sore: Whole, hazard: Reals, touch: Reals
    ) -> tuple[Reals, Reals, Reals]:
        """Probabilities of drifting on tonight by cause: natural, the open ticket, the sore; arrays that broadcast."""
        natural = np.asarray(self.worsen)[drift] + np.where(drift == ENGAGED, hazard, 0.0)
        moves = touch * (np.arange(len(self.worsen)) < len(self.worsen) - 1)[drift]
        return natural, moves * np.asarray(self.push_ticket)[ticket], moves * np.asarray(self.push_sore)[sore]

    def returning(self, drift: Whole, ticket: Whole, sore: Whole, invited: Reals | float) -> Reals:
        """Probability of coming back tonight; ``invited`` is added for whoever a contact reached and has drifted."""
        hurt = (ticket != NO_TICKET) | (sore != NOT_SORE)
        own = np.asarray(self.return_)[drift] * np.where(hurt, self.hurt_return, 1.0)
        return np.asarray(own + np.where(drift == ENGAGED, 0.0, invited), dtype=float)

    def opening(self, drift: Whole, sore: Whole, touch: Reals) -> Reals:
        """How many times the base rate tickets open tonight."""
        return np.asarray(np.asarray(self.voice)[drift] * np.asarray(self.ticket_when)[sore] * touch)

    def live(self, mood: Mood, hazard: Reals, touch: Reals, invited: Reals | float, rng: np.random.Generator) -> Night:
        """Draw one night for each customer, in the order tickets, sores, drift."""
        draw_ticket, draw_sore, draw_drift = rng.random((3, mood.drift.size))
        mild, severe = self.open_ticket
        rate = np.where(mood.ticket == NO_TICKET, self.opening(mood.drift, mood.sore, touch), 0.0)
        opened_severe = np.flatnonzero(draw_ticket < severe * rate)
        opened_mild = np.flatnonzero((draw_ticket >= severe * rate) & (draw_ticket < (severe + mild) * rate))
        closed = np.flatnonzero((mood.ticket > 0) & (draw_ticket < np.asarray(self.close_ticket)[mood.ticket]))
        mood.ticket[opened_mild], mood.ticket[opened_severe], mood.ticket[closed] = MILD, SEVERE, NO_TICKET

        healed = (mood.sore > 0) & (draw_sore < np.asarray(self.heal)[mood.sore])
        shocked = (mood.sore == NOT_SORE) & (draw_sore < self.price_shock)
        mood.sore[healed], mood.sore[shocked] = NOT_SORE, PRICE

        natural, by_ticket, by_sore = self.pushes(mood.drift, mood.ticket, mood.sore, hazard, touch)
        worse = draw_drift < natural + by_ticket + by_sore
        better = draw_drift >= 1.0 - self.returning(mood.drift, mood.ticket, mood.sore, invited)
        leaving = np.flatnonzero(worse & (mood.drift == ENGAGED))
        draw = draw_drift[leaving]
        origin = np.where(
            draw < natural[leaving], NATURAL, np.where(draw < (natural + by_ticket)[leaving], TICKET, SORE)
        )
        mood.origin[leaving], mood.blame[leaving] = origin, mood.sore[leaving]
        mood.drift[worse] += 1
        mood.drift[better] = ENGAGED
        return Night(opened_mild, opened_severe, closed)

    def look_back(self, after: Reals, chances: Chances, *, invited: bool) -> Reals:
        """Expectation before the night of a quantity known in each cell after it.

        Parameters
        ----------
        after : array of shape (quantities, drifts, tickets, sores, types)
        chances : Chances
            The probabilities of this chain for each type, from :meth:`chances`.
        invited : bool
            Whether a contact goes out tonight.
        """
        back = chances.back_invited if invited else chances.back
        drifted = (1.0 - chances.worse - back) * after + back * after[:, :1]
        drifted[:, :-1] += chances.worse[:-1] * after[:, 1:]

        healed = (1.0 - chances.heal) * drifted + chances.heal * drifted[:, :, :, :1]
        if self.price_shock:
            healed[:, :, :, NOT_SORE] += self.price_shock * (drifted[:, :, :, PRICE] - drifted[:, :, :, NOT_SORE])

        before = (1.0 - chances.close) * healed + chances.close * healed[:, :, :1]
        before[:, :, NO_TICKET] += chances.mild * (healed[:, :, MILD] - healed[:, :, NO_TICKET])
        before[:, :, NO_TICKET] += chances.severe * (healed[:, :, SEVERE] - healed[:, :, NO_TICKET])
        return before

    def chances(self, hazard: Reals, touch: Reals, invited: Reals) -> Chances:
        """The probabilities of one night in every cell for every type; ``invited`` is the mean effect of a contact."""
        drift, ticket, sore, _ = np.ogrid[tuple(slice(n) for n in (*self.shape, 1))]
        rate = self.opening(drift, sore, touch)[:, 0]
        return Chances(
            worse=sum(self.pushes(drift, ticket, sore, hazard, touch), start=np.zeros(())),
            back=self.returning(drift, ticket, sore, 0.0),
            back_invited=self.returning(drift, ticket, sore, invited),
            heal=np.asarray(self.heal)[:, None],
            close=np.asarray(self.close_ticket)[:, None, None],
            mild=self.open_ticket[0] * rate,
            severe=self.open_ticket[1] * rate,
        )


@dataclass(frozen=True)
class Chances:
    """Probabilities of one night per cell and type; shapes broadcast to (drifts, tickets, sores, types)."""

    worse: Reals
    back: Reals
    back_invited: Reals
    heal: Reals
    close: Reals
    mild: Reals
    severe: Reals
