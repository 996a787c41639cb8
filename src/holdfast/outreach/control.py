"""Who is held back to measure what contact is worth: a draw that depends on the customer alone.

The draw is a hash of the salt and the customer's id, so the same customer is control on every list of the same salt,
whoever else is scored, and a larger control share keeps those who were control before.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray


def draws(customer_ids: Iterable[str], salt: str) -> NDArray[np.float64]:
    """One number in [0, 1) per customer, uniform over customers; a customer below the control share is control."""
    seed = blake2b(salt.encode(), digest_size=32).digest()  # a key of fixed length: no salt and id run together
    numbers = (
        int.from_bytes(blake2b(customer.encode(), digest_size=8, key=seed).digest(), "big") for customer in customer_ids
    )
    return np.fromiter((number >> 11 for number in numbers), dtype=np.float64) / 2.0**53
