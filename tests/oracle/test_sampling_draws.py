"""The draws of a sample, computed a second time in plain integers."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.sampling import draws

WORD = 2**64 - 1


def rotated(x: int, by: int) -> int:
    """The 64 bits of ``x`` turned left."""
    return (x << by | x >> (64 - by)) & WORD


def siphash(key: bytes, text: bytes) -> int:
    """SipHash-2-4 as Aumasson and Bernstein (2012) wrote it down."""
    k0, k1 = (int.from_bytes(key[i : i + 8], "little") for i in (0, 8))
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def rounds(count: int) -> None:
        for _ in range(count):
            v[0], v[2] = (v[0] + v[1]) & WORD, (v[2] + v[3]) & WORD
            v[1], v[3] = rotated(v[1], 13) ^ v[0], rotated(v[3], 16) ^ v[2]
            v[0] = rotated(v[0], 32)
            v[2], v[0] = (v[2] + v[1]) & WORD, (v[0] + v[3]) & WORD
            v[1], v[3] = rotated(v[1], 17) ^ v[2], rotated(v[3], 21) ^ v[0]
            v[2] = rotated(v[2], 32)

    padded = text + bytes(7 - len(text) % 8) + bytes([len(text) % 256])
    for i in range(0, len(padded), 8):
        word = int.from_bytes(padded[i : i + 8], "little")
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def mixed(x: int) -> int:
    """The finaliser of SplitMix64."""
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & WORD
    x = (x ^ x >> 27) * 0x94D049BB133111EB & WORD
    return x ^ x >> 31


def by_hand(customer: str, cutoff: int, seed: int) -> float:
    """One draw."""
    start = mixed((seed + 1) * 0x9E3779B97F4A7C15 & WORD)
    who = mixed(siphash(b"holdfast-samples", customer.encode()))
    word = mixed(who ^ mixed(cutoff & WORD ^ start))
    return (word >> 11) / 2**53


def test_the_hash_is_the_published_one() -> None:
    """The test vector of the paper: the bytes 0 to 14 under the key 0 to 15."""
    assert siphash(bytes(range(16)), bytes(range(15))) == 0xA129CA6149BE45E5


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.text(st.characters(codec="utf-8"), max_size=30), min_size=1, max_size=5),
    st.integers(-(2**62), 2**62),
    st.integers(0, 2**70),
)
def test_draws_are_those_of_plain_integers(customers: list[str], cutoff: int, seed: int) -> None:
    """Another engine, or another release of a library, must choose the same snapshots."""
    found = draws(customers, np.full(len(customers), cutoff), seed)
    assert found.tolist() == [by_hand(customer, cutoff, seed) for customer in customers]
