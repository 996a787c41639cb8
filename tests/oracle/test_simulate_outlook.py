"""The truth is calculated backwards in arrays; here it is calculated forwards in plain Python, cell by cell."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial

import numpy as np
import pytest

from holdfast.simulate import retail, retail_truth, subscription_truth, terms
from holdfast.simulate.clock import HORIZON, day_of
from holdfast.simulate.desk import MEAN_INVITATION, campaign_tonight
from holdfast.simulate.mood import GONE, PRICE, UNPAID, Moods
from holdfast.simulate.people import Grid
from holdfast.simulate.retail_orders import MEAN_REFUND

Cell = tuple[int, int, int]
CUTOFF = day_of(date(2023, 11, 1))


def one_night(rules: Moods, cell: Cell, hazard: float, touch: float, invited: float) -> Iterator[tuple[Cell, float]]:
    """Every cell that one night may lead to, with its probability."""
    drift, ticket, sore = cell
    if ticket == 0:
        rate = rules.voice[drift] * rules.ticket_when[sore] * touch
        mild, severe = (rate * base for base in rules.open_ticket)
        tickets = {0: 1 - mild - severe, 1: mild, 2: severe}
    else:
        tickets = {0: rules.close_ticket[ticket], ticket: 1 - rules.close_ticket[ticket]}
    if sore == 0:
        sores = {0: 1 - rules.price_shock, PRICE: rules.price_shock}
    else:
        sores = {0: rules.heal[sore], sore: 1 - rules.heal[sore]}
    last = len(rules.worsen) - 1
    for new_ticket, p in tickets.items():
        for new_sore, q in sores.items():
            hurt = new_ticket > 0 or new_sore > 0
            worse = rules.worsen[drift] + (hazard if drift == 0 else 0)
            if drift < last:
                worse += touch * (rules.push_ticket[new_ticket] + rules.push_sore[new_sore])
            better = rules.return_[drift] * (rules.hurt_return if hurt else 1) + (invited if drift else 0)
            yield (drift, new_ticket, new_sore), p * q * (1 - worse - better)
            yield (min(drift + 1, last), new_ticket, new_sore), p * q * worse
            yield (0, new_ticket, new_sore), p * q * better


def year_wave(day: int, swing: float) -> float:
    """Factor of the planted season on a day: its greatest in mid-December, its least half a year later."""
    days_after_peak = (date(2022, 1, 1) + timedelta(days=day)).timetuple().tm_yday - 349
    return 1 + swing * math.cos(2 * math.pi * days_after_peak / 365.25)


def traits(grid: Grid, kind: int, names: tuple[str, ...]) -> tuple[float, ...]:
    """The levels of some traits of one type."""
    return tuple(float(grid[name][kind]) for name in names)


@pytest.mark.parametrize("swing", [0.0, 0.4])
@pytest.mark.parametrize(("cell", "kind"), [((0, 0, 0), 5), ((1, 2, 0), 300), ((0, 1, 2), 777), ((3, 0, 1), 1023)])
def test_the_shops_outlook_equals_walking_forward(cell: Cell, kind: int, swing: float) -> None:
    """Two independent ways to the same number, over a window with campaigns and Christmas."""
    hazard, touch, consent, pace, seasonal = traits(
        retail.TYPES, kind, ("hazard", "touch", "consent", "rate", "seasonal")
    )
    alive, silent, ordered, returned = {cell: 1.0}, {cell: 1.0}, {cell: 0.0}, {cell: 0.0}
    for step in range(HORIZON):
        day = CUTOFF + step
        invited = MEAN_INVITATION * consent if campaign_tonight(day) else 0.0
        moved: list[defaultdict[Cell, float]] = []
        for cells in (alive, silent, ordered, returned):
            moved.append(defaultdict(float))
            for old, weight in cells.items():
                for new, p in one_night(retail.MOODS, old, hazard, touch, invited):
                    moved[-1][new] += weight * p
        alive, silent, ordered, returned = moved
        factor = float(retail.season(day, np.array([seasonal]))[0]) * year_wave(day, swing)
        none = {d: math.exp(-pace * factor * float(retail.BUYING[d])) for d in range(4)}
        days_left = HORIZON - 1 - step
        booked = sum(1 for delay in range(2, 21) if delay <= days_left) / 19
        for at, weight in alive.items():
            drift, _, sore = at
            kept = 1 - 0.12 * (0.8 if sore < PRICE else 0.0)
            brings = weight * (1 - none[drift]) * 1.6 * kept * (1.15 if retail.basket(day) > 1 else 1.0)
            ordered[at] += brings
            returned[at] += brings * float(retail.REFUND_SHARE[sore]) * MEAN_REFUND * booked
        silent = {key: weight * none[key[0]] for key, weight in silent.items()}
    found = retail_truth.outlook(CUTOFF, np.array([kind]), partial(retail.season, swing=swing))[(slice(None), *cell, 0)]
    whole = [sum(cells.values()) for cells in (silent, ordered, returned)]
    of_those_there = [sum(p for at, p in cells.items() if at[0] < GONE) for cells in (alive, ordered, returned)]
    np.testing.assert_allclose(found, [*whole, *of_those_there], rtol=1e-10)


@pytest.mark.parametrize("swing", [0.0, 0.4])
@pytest.mark.parametrize(
    ("cell", "kind", "term", "due"),
    [((0, 0, 0), 3, 0, 12), ((2, 2, 2), 20, 0, 0), ((1, 0, 3), 11, 1, 40), ((0, 1, 1), 23, 1, 300)],
)
def test_the_services_outlook_equals_walking_forward(cell: Cell, kind: int, term: int, due: int, swing: float) -> None:
    """Renewals, rises, unpaid bills, pauses and restarts, each followed by hand."""
    hazard, touch, consent = traits(terms.TYPES, kind, ("hazard", "touch", "consent"))
    length = int(terms.TERM_DAYS[term])
    # probability, revenue a day, revenue so far, the latter two weighted by the probability
    running: dict[tuple[Cell, int], tuple[float, float, float]] = {(cell, due): (1.0, 1.0, 0.0)}
    returning: defaultdict[int, tuple[float, float, float]] = defaultdict(lambda: (0.0, 0.0, 0.0))
    lost = expected = 0.0
    for step in range(HORIZON):
        day = CUTOFF + step
        after: defaultdict[tuple[Cell, int], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])

        def ends(p: float, money: float, so_far: float, step: int = step) -> float:
            for pause in range(1, 11):
                old = returning[step + pause]
                back = terms.COMES_BACK / 10
                returning[step + pause] = (old[0] + p * back, old[1] + money * back, old[2] + so_far * back)
            return p * (1 - terms.COMES_BACK)

        for ((drift, ticket, sore), left), (p, money, before) in running.items():
            expected += money * 0.25
            so_far = before + money * 0.25
            out = terms.WALKS_OUT[drift] + (terms.UNPAID_ENDS if sore == UNPAID else 0.0)
            pays = terms.UNPAID_PAYS if sore == UNPAID else 0.0
            lost += ends(p * out, money * out, so_far * out)
            for now_sore, share in ((0, pays), (sore, 1 - out - pays)):
                if share == 0.0:
                    continue
                seats = 1 + 0.4 * terms.GROWS[drift] - 0.3 * terms.SHRINKS[drift]
                moves = [(now_sore, left, share, 1.0)]
                if left == 0:
                    quit_p = float(
                        terms.quits(np.array(term), np.array(drift), np.array(ticket), np.array(now_sore), day, swing)
                    )
                    lost += ends(p * share * quit_p, money * share * quit_p, so_far * share * quit_p)
                    stay = share * (1 - quit_p)
                    rise = 0.0 if now_sore == UNPAID else float(terms.RISE[term])
                    fail = 0.0 if now_sore == UNPAID else (1 - rise) * terms.FAILS
                    dearer = 1 + sum(terms.RISES) / 3
                    moves = [
                        (PRICE, length, stay * rise, dearer),
                        (UNPAID, length, stay * fail, 1.0),
                        (now_sore, length, stay * (1 - rise - fail), 1.0),
                    ]
                for new_sore, new_left, chance, price in moves:
                    entry = after[(drift, ticket, new_sore), new_left]
                    entry[0] += p * chance
                    entry[1] += money * chance * price * seats
                    entry[2] += so_far * chance
        entry = after[(0, 0, 0), length]
        for i, back in enumerate(returning.pop(step, (0.0, 0.0, 0.0))):
            entry[i] += back
        for entry in after.values():
            expected += 0.75 * entry[1]
            entry[2] += 0.75 * entry[1]
        invited = MEAN_INVITATION * consent if campaign_tonight(day) else 0.0
        tomorrow: defaultdict[tuple[Cell, int], list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
        for (old, left), amounts in after.items():
            for new, chance in one_night(terms.MOODS, old, hazard, touch, invited):
                entry = tomorrow[new, left - 1]
                for i, amount in enumerate(amounts):
                    entry[i] += amount * chance
        running = {key: (p, money, so_far) for key, (p, money, so_far) in tomorrow.items()}
    of_those_who_stay = sum(so_far for *_, so_far in (*running.values(), *returning.values()))
    phase = int(subscription_truth.phase_of(np.array(term), np.array(due)))
    found = subscription_truth.outlook(CUTOFF, np.array([kind]), swing)[(slice(None), phase, *cell, 0)]
    np.testing.assert_allclose(found, [1 - lost, expected, of_those_who_stay], rtol=1e-9)


def test_the_season_moves_the_chance_to_quit_as_the_wave_says_up_to_its_limit() -> None:
    """The oracle above asks for the chance; this is its factor, at the crest, half-way down and in the trough."""
    place = tuple(np.array(x) for x in (0, 2, 1, 1))
    for day in (date(2023, 12, 15), date(2023, 3, 15), date(2023, 6, 15)):
        plain, moved = (float(terms.quits(*place, day_of(day), swing)) for swing in (0.0, 0.4))
        assert moved == pytest.approx(plain * year_wave(day_of(day), 0.4))
    yearly = tuple(np.array(x) for x in (1, 2, 2, 2))
    assert float(terms.quits(*yearly, day_of(date(2023, 12, 15)), 0.4)) == 0.95
