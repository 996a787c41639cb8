"""Short names for groups of customers who are alike in value and stage: "high value, lapsing"."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.partitioned import Parts, kth_largest

ValueBand = Literal["high", "regular"]
VALUE_BANDS: tuple[ValueBand, ...] = get_args(ValueBand)


def high_value_above(parts: Parts, high_share: float, customers: int) -> float:
    """The value above which a customer counts as high: the largest values, at most this share of all, and only above 0.

    Customers of the same value are in the same band, so that equal customers are treated alike.

    Parameters
    ----------
    parts : Parts
        With the column ``value``.
    customers : int
        How many there are.
    """
    most = int(high_share * customers)
    if most >= customers:
        return 0.0
    return max(kth_largest(parts, _values, most + 1, reads=["value"]).value, 0.0)


def _values(rows: pd.DataFrame) -> NDArray[np.float64]:
    return rows["value"].to_numpy(dtype=np.float64)


def bands(value: NDArray[np.float64], high_above: float) -> NDArray[np.object_]:
    """The band of each value, "high" or "regular"."""
    return np.where(value > high_above, "high", "regular").astype(object)


def segments(band: NDArray[np.object_], stages: pd.Series[str]) -> pd.Series[str]:
    """Value band and stage in one short text."""
    return pd.Series(band + " value, " + stages.to_numpy(dtype=object), index=stages.index, dtype="str", name="segment")
