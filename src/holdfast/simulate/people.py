"""Who the customers are: hidden traits on a grid of types, and the static attributes that anyone may see.

Traits that steer behaviour take a few levels each, so a customer's *type* is one cell of a grid. The truth is then
exact at the price of one calculation per type, however many customers there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import NormalDist

import numpy as np

from holdfast.simulate.clock import END_DAY, Flags, Reals, Whole, day_of

COUNTRIES = ("Deutschland", "Österreich", "France", "España", "Polska", "Česko")
COUNTRY_SHARES = (0.38, 0.10, 0.20, 0.14, 0.12, 0.06)
CHANNELS = ("organic", "paid_search", "paid_social", "referral", "partner")
CHANNEL_SHARES = (0.34, 0.24, 0.20, 0.14, 0.08)
CHANNEL_RISK = (-0.15, 0.05, 0.45, -0.40, 0.15)
"""How far a channel shifts the trait ``hazard``, in standard deviations: advertisements bring fleeting customers."""
TIERS = ("Bronze", "Silber", "Gold")
CONSENT_SHARE = 0.92
_OLDEST = date(2017, 3, 1)
"""The day on which the oldest customer joined."""
_ODD_LETTERS = ("Ç", "Ω", "Ł", "客")


class Grid:
    """The types: every combination of the levels of each trait.

    Parameters
    ----------
    **axes : sequences of float
        The levels of each trait. ``grid["hazard"]`` is the trait's level per type, an array of shape (size,).
    """

    def __init__(self, **axes: Sequence[float]) -> None:
        self.shape = tuple(len(levels) for levels in axes.values())
        self.size = int(np.prod(self.shape))
        mesh = np.meshgrid(*axes.values(), indexing="ij")
        self._levels = {name: np.ravel(part).astype(float) for name, part in zip(axes, mesh, strict=True)}
        self._names = tuple(axes)

    def __getitem__(self, trait: str) -> Reals:
        return self._levels[trait]

    def type_of(self, **levels: Whole) -> Whole:
        """The type of each customer, from the index of the level of each trait."""
        return np.ravel_multi_index(tuple(levels[name] for name in self._names), self.shape).astype(np.int64)


def spread(median: float, sigma: float, levels: int) -> list[float]:
    """Levels of a log-normal trait, each as likely as the others: the quantiles in the middle of equal shares."""
    normal = NormalDist()
    return [median * float(np.exp(sigma * normal.inv_cdf((i + 0.5) / levels))) for i in range(levels)]


def level_of(z: Reals, levels: int) -> Whole:
    """Index of the level in which a standard normal draw falls, when the levels share the line evenly."""
    normal = NormalDist()
    edges = [normal.inv_cdf(i / levels) for i in range(1, levels)]
    return np.searchsorted(np.asarray(edges), z).astype(np.int64)


@dataclass(frozen=True)
class People:
    """The customers in the order of their first day, one array entry each.

    ``joined`` is negative for customers who were there before the simulation began, and ``since`` is the day from
    which they live in it.
    """

    ids: list[str]
    joined: Whole
    since: Whole
    consent: Flags
    country: Whole
    channel: Whole
    tier: Whole
    lucky: Whole
    poor_start: Flags

    @property
    def count(self) -> int:
        """How many customers there are."""
        return self.joined.size


def draw_people(count: int, veterans: float, poor_start: float, prefix: str, rng: np.random.Generator) -> People:
    """Draw the customers; a share of ``veterans`` joined before the first day, the others evenly until the end.

    ``poor_start`` is the share of newcomers whose first month goes wrong. One id in two hundred begins with a letter
    outside ASCII, as ids of merged systems do.
    """
    old = round(count * veterans)
    before = np.sort(rng.integers(day_of(_OLDEST), 0, old))
    joined = np.concatenate([before, np.sort(rng.integers(0, END_DAY - 10, count - old))]).astype(np.int64)
    numbers = rng.permutation(count) + 1
    odd = np.where(rng.random(count) < 0.005, rng.integers(0, len(_ODD_LETTERS), count), -1)
    ids = [
        f"{prefix if letter < 0 else _ODD_LETTERS[letter]}{number:06d}"
        for number, letter in zip(numbers, odd, strict=True)
    ]
    return People(
        ids=ids,
        joined=joined,
        since=np.maximum(joined, 0),
        consent=rng.random(count) < CONSENT_SHARE,
        country=rng.choice(len(COUNTRIES), count, p=COUNTRY_SHARES),
        channel=rng.choice(len(CHANNELS), count, p=CHANNEL_SHARES),
        tier=rng.integers(0, len(TIERS), count),
        lucky=rng.integers(1, 100, count),
        poor_start=(joined >= 0) & (rng.random(count) < poor_start),
    )
