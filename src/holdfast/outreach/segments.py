"""Short names for groups of customers who are alike in value and stage: "high value, lapsing"."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def value_bands(value: NDArray[np.float64], high_share: float) -> NDArray[np.object_]:
    """The band "high" for the largest values, at most ``high_share`` of all and only above 0; "regular" for the rest.

    Customers of the same value are in the same band, so that equal customers are treated alike.
    """
    most = int(high_share * len(value))
    below = np.sort(value)[::-1][most] if most < len(value) else 0.0
    return np.where(value > max(below, 0.0), "high", "regular").astype(object)


def segments(bands: NDArray[np.object_], stages: pd.Series[str]) -> pd.Series[str]:
    """Value band and stage in one short text."""
    return pd.Series(
        bands + " value, " + stages.to_numpy(dtype=object), index=stages.index, dtype="str", name="segment"
    )
