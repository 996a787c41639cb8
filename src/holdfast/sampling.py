"""A seeded sample of labelled snapshots, with weights that restore what was left out.

Where a table holds more snapshots than training should read, those who churned and those who stayed get half of the
room each, and what the rarer of them leaves free goes to the other. So the rarer outcome, which carries more of what a
model learns, is kept in the larger share. A snapshot of an outcome of which ``kept`` of ``of`` remain has the weight
``of / kept``: weighted counts of both outcomes, and so the share that churned, are those of the whole table exactly;
other weighted sums, such as the total value, are right on average over seeds. In a sample of some thousands, the trees
learn the few snapshots of large weight by heart, and the mean predicted risk of a rare churn comes out some percent too
high; from twenty thousand on, the difference is lost in chance.

Whether a snapshot is kept depends on its own draw alone, a number made of customer, cutoff and seed, and on the
threshold of its outcome. Neither depends on the order of rows, on chunks, on the engine, or on the machine. All cutoffs
share the two thresholds.

Large values are not kept in a larger share: the value model draws in the outermost .5 % of the amounts anyway, and a
weight that depends on the value would let a few small customers of large weight decide instead. The weighted total
value of ``n`` kept snapshots scatters by about the coefficient of variation of the value over the root of ``n``: with
values five times as scattered as their mean, half a percent for a million.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from holdfast.errors import DataError
from holdfast.settings import Settings

WEIGHT = "sample_weight"
"""The column of weights; a table without it is no sample, and every snapshot in it counts once."""

Draws = NDArray[np.float64]
Sides = NDArray[np.intp]
Words = NDArray[np.uint64]
_HASH_KEY = "holdfast-samples"  # 16 bytes, the key of SipHash
_GOLDEN, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_WORD = 2**64 - 1
_SLACK = 1.25  # rows held, as a multiple of those to keep, before those without a chance are dropped
_TIES = 1  # rows that equal draws may cost an outcome


class SampleSettings(Settings):
    """How much training reads."""

    most_snapshots: int | None = Field(
        default=500_000,
        ge=1_000,
        description="Where there are more labelled snapshots, training, audit and backtest read a seeded sample of so "
        "many, weighted back to all; null reads all. Half a million with 130 features need about 5 GB of memory.",
    )


class Counts(NamedTuple):
    """Snapshots by outcome."""

    stayed: int
    churned: int


def draws(customer_id: ArrayLike, cutoff: ArrayLike, seed: int) -> Draws:
    """A number in [0, 1) for each snapshot, made of these three things and nothing else.

    SipHash-2-4 of the customer's id in UTF-8 (Aumasson and Bernstein 2012), combined with cutoff and seed by the
    finaliser of SplitMix64 (Steele, Lea and Flood 2014); the upper 53 bits are the number. Everything is arithmetic of
    64-bit integers, so machines and engines agree.

    Parameters
    ----------
    customer_id : array of text, shape (n_rows,)
    cutoff : array of int64, shape (n_rows,)
        Microseconds.
    seed : int
        Two seeds give draws that have nothing to do with each other.
    """
    names = np.asarray(customer_id, dtype=object)
    who = pd.util.hash_array(names, encoding="utf8", hash_key=_HASH_KEY).astype(np.uint64, copy=False)
    when = np.asarray(cutoff, dtype=np.int64).view(np.uint64)
    start = np.array([(seed + 1) * _GOLDEN & _WORD], dtype=np.uint64)
    mixed = _mixed(who ^ _mixed(when ^ _mixed(start)))
    return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53


@dataclass(frozen=True)
class Drawn:
    """Keeps a share of the snapshots, the same on every engine."""

    share: float
    seed: int

    def __call__(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Rows of the frame, with its columns."""
        return frame[draws(frame["customer_id"], frame["cutoff"], self.seed) < self.share]


def _mixed(words: Words) -> Words:
    """The finaliser: every bit of the answer depends on every bit of the word. pandas ends its hashes with it, too."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(_FIRST)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(_SECOND)
    return np.asarray(words ^ (words >> np.uint64(31)))


def quotas(counts: Counts, most: int) -> Counts:
    """How many to keep of each outcome: half of the room each, and what one does not need goes to the other."""
    room = _room(counts, most)
    return Counts(min(counts.stayed, room.stayed), min(counts.churned, room.churned))


def _room(counts: Counts, most: int) -> Counts:
    """The most that may remain of each outcome, given how often the other occurs."""
    return Counts(max(most // 2, most - counts.churned), max(most - most // 2, most - counts.stayed))


@dataclass(frozen=True)
class Sample:
    """What a sample kept of what."""

    kept: Counts
    of: Counts

    @classmethod
    def of_table(cls, table: pd.DataFrame) -> Sample | None:
        """Read off the weights of a table; None if it is no sample. Of some cutoffs, ``of`` is an estimate."""
        weight = weights(table)
        if weight is None:
            return None
        churned = table["churned"].to_numpy(dtype=np.float64) == 1
        sides = (~churned, churned)
        return cls(
            Counts(*(int(side.sum()) for side in sides)), Counts(*(round(float(weight[side].sum())) for side in sides))
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON: counts, and the share kept of each outcome."""
        return {
            "kept": sum(self.kept),
            "of": sum(self.of),
            "share_of_churned": self.kept.churned / self.of.churned if self.of.churned else 1.0,
            "share_of_stayed": self.kept.stayed / self.of.stayed if self.of.stayed else 1.0,
        }


def told(sample: Mapping[str, Any]) -> str:
    """A sample, as :meth:`Sample.to_dict` gives it, in words."""
    return (
        f"a sample of {sample['kept']:,} of {sample['of']:,} snapshots ({sample['share_of_churned']:.1%} of those who "
        f"churned, {sample['share_of_stayed']:.1%} of those who stayed), weighted back"
    )


def weights(table: pd.DataFrame) -> Draws | None:
    """The weights of a sample, shape (n_rows,); None where the table is no sample."""
    return table[WEIGHT].to_numpy(dtype=np.float64) if WEIGHT in table.columns else None


class Sampler:
    """Takes labelled snapshots frame by frame, in any order, and keeps a sample in bounded memory.

    While frames come, a snapshot is dropped as soon as enough others of its outcome have smaller draws; so at most a
    quarter more rows are held than are kept, beside the frame at hand.

    Parameters
    ----------
    most : int or None
        So many snapshots remain, 2 at least; None keeps all. Where two draws are equal to the bit, one fewer.
    seed : int
        Of the draws.
    counts : Counts, optional
        The outcomes of the whole table, where they were counted before. Then :meth:`keeps` tells from the start which
        snapshots may be left out, and only the others need to be added.

    Examples
    --------
    >>> sampler = Sampler(most=1_000_000, seed=0)      # doctest: +SKIP
    >>> for frame in frames:                           # doctest: +SKIP
    ...     sampler.add(frame)
    >>> table = sampler.table()                        # doctest: +SKIP
    """

    def __init__(self, most: int | None, seed: int, *, counts: Counts | None = None) -> None:
        self.most = most
        self.seed = seed
        self.counts = counts
        self._seen = Counts(0, 0)
        self._parts: list[tuple[pd.DataFrame, Draws, Sides]] = []
        self._limits = np.full(2, np.inf)  # by outcome: a draw at or above it has no chance any more
        if most is not None and counts is not None:
            self._limits = np.array([_surely(k, of) for k, of in zip(quotas(counts, most), counts, strict=True)])

    @property
    def held(self) -> int:
        """Rows in memory now."""
        return sum(len(draw) for _, draw, _ in self._parts)

    def keeps(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Which snapshots still have a chance; where ``counts`` were given, the others need not be added."""
        draw, side = self._drawn(frame)
        return np.asarray(draw < self._limits[side])

    def add(self, frame: pd.DataFrame) -> None:
        """Take labelled snapshots: ``customer_id``, ``cutoff``, ``churned`` and any other columns.

        Raises
        ------
        DataError
            A snapshot has no outcome.
        """
        draw, side = self._drawn(frame)
        churned = int(side.sum())
        self._seen = Counts(self._seen.stayed + len(side) - churned, self._seen.churned + churned)
        self._parts.append(self._with_a_chance(frame, draw, side))
        if self.most is not None and self.held > _SLACK * self.most:
            # counts can only grow, and with them the room that one outcome takes from the other
            self._tighten(_room(self._seen if self.counts is None else self.counts, self.most))

    def table(self) -> pd.DataFrame:
        """The sample with its weights; or all snapshots, without weights, if there are no more than ``most``.

        Returns
        -------
        DataFrame
            Sorted by cutoff and customer; the same for any order of the frames.

        Raises
        ------
        DataError
            The snapshots are not those that were counted, or none were added.
        """
        counts = self._seen if self.counts is None else self.counts
        whole = self.most is None or sum(counts) <= self.most
        wanted = counts if self.most is None else quotas(counts, self.most)
        if not whole:
            self._tighten(wanted)
        side = np.concatenate([np.empty(0, dtype=np.intp), *(side for _, _, side in self._parts)])
        kept = np.bincount(side, minlength=2)
        missing = np.array(wanted) - kept
        if not len(side) or (self.counts is not None and ((missing > _TIES) | (missing < 0)).any()):
            raise DataError(
                f"Wanted a sample of {sum(wanted):,} out of {sum(counts):,} snapshots, found {len(side):,} of them. "
                "The snapshots changed between counting and reading; build them again."
            )
        table = pd.concat([part for part, _, _ in self._parts if len(part)], ignore_index=True)
        if not whole:
            table[WEIGHT] = (np.array(counts) / np.maximum(kept, 1))[side]
        return table.sort_values(["cutoff", "customer_id"], ignore_index=True)

    def _drawn(self, frame: pd.DataFrame) -> tuple[Draws, Sides]:
        """The draw of each snapshot, and 1 where it churned, 0 where it stayed."""
        outcome = frame["churned"].to_numpy(dtype=np.float64)
        if np.isnan(outcome).any():
            raise DataError(
                f"Wanted snapshots with an outcome to sample from, found {int(np.isnan(outcome).sum())} without. "
                "Leave out those whose customer had left before the outcome window."
            )
        draw = np.zeros(len(frame)) if self.most is None else draws(frame["customer_id"], frame["cutoff"], self.seed)
        return draw, (outcome == 1).astype(np.intp)

    def _with_a_chance(self, frame: pd.DataFrame, draw: Draws, side: Sides) -> tuple[pd.DataFrame, Draws, Sides]:
        chance = draw < self._limits[side]
        return (frame, draw, side) if chance.all() else (frame[chance], draw[chance], side[chance])

    def _tighten(self, room: Counts) -> None:
        """Lower the limits so that no more than so many of each outcome remain."""
        for i, most in enumerate(room):
            held = np.concatenate([draw[side == i] for _, draw, side in self._parts])
            if len(held) > most:
                self._limits[i] = min(self._limits[i], np.partition(held, most)[most])
        left = (self._with_a_chance(*part) for part in self._parts)
        self._parts = [part for part in left if len(part[1])]


def _surely(most: int, of: int) -> float:
    """A limit below which the ``most + 1`` least of so many draws lie, but for one case in 10^13."""
    return np.inf if most >= of else (most + 8 * most**0.5 + 32) / of


def sampled(table: pd.DataFrame, most: int | None, seed: int) -> pd.DataFrame:
    """A table that is in memory already: itself if it holds no more than ``most`` snapshots, else a sample of it."""
    if most is None or len(table) <= most:
        return table
    sampler = Sampler(most, seed)
    sampler.add(table)
    sample = sampler.table()
    sample.attrs = dict(table.attrs)
    return sample
