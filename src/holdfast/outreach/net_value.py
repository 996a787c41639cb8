"""What one contact is expected to bring: the money it keeps minus what it costs.

An action keeps the share ``save_rate`` of those who would leave, so it is expected to bring

    net_value = p_leaving * save_rate * (value_if_kept - value_if_lost) - cost

after Verbraken, Verbeke and Baesens (2013, doi:10.1109/TKDE.2012.50), whose gamma, CLV, d and f are our save_rate,
value if kept, offer_cost and contact_cost. Nobody can be kept who has gone: an action that wins back brings back the
share ``save_rate`` of those, so ``p_gone`` stands in place of ``p_leaving``. The value is uncertain: ``net_value_low``
takes its lower bound, and ``p_net_positive`` is the probability that it is large enough to pay for the contact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from holdfast.outreach.actions import ActionSettings
from holdfast.outreach.tables import OUTLOOK

Numbers = NDArray[np.float64]
ProbabilityAbove = Callable[[Numbers], Numbers]
"""From one amount per customer to the probability that this customer has more at stake."""

_TOO_SMALL = 1e-100  # a risk that no value can make worth a contact; dividing by less overflows
_BOUND = float(norm.ppf(0.95))  # value_low and value_high enclose the central 90 %


def worth(
    customers: pd.DataFrame,
    action: NDArray[np.object_],
    actions: Mapping[str, ActionSettings],
    probability_above: ProbabilityAbove | None = None,
) -> pd.DataFrame:
    """Expected net value of each customer's action.

    Parameters
    ----------
    customers : DataFrame
        ``p_gone``, ``p_leaving``; ``value_if_kept`` with its central 90 % interval, and ``value_if_lost``, in currency.
    action : array of shape (n_customers,)
        Names in ``actions``; any other costs nothing and is worth 0.
    probability_above : callable or None
        The models' own distribution of what is at stake, for the same rows. Without it, two half normals around the
        value if kept that meet the interval's ends stand in.

    Returns
    -------
    DataFrame of float64
        ``net_value``, ``net_value_low`` in currency, ``p_net_positive``.
    """
    cost, save_rate, wins_back = (
        np.array([getattr(actions[name], what) if name in actions else 0.0 for name in action], dtype=np.float64)
        for what in ("cost", "save_rate", "wins_back")
    )
    told = {name: customers[name].to_numpy(dtype=np.float64) for name in OUTLOOK}
    saved = save_rate * np.where(wins_back > 0, told["p_gone"], told["p_leaving"])
    value, low, high = (told[f"value_if_kept{end}"] - told["value_if_lost"] for end in ("", "_low", "_high"))
    counts = saved > _TOO_SMALL
    amount = np.divide(cost, saved, out=np.zeros(len(saved)), where=counts)
    enough = probability_above(amount) if probability_above is not None else above(amount, value, low, high)
    return pd.DataFrame(
        {
            "net_value": saved * value - cost,
            "net_value_low": saved * low - cost,
            "p_net_positive": np.where(counts, enough, 0.0),
        },
        index=customers.index,
    )


def above(amount: Numbers, value: Numbers, low: Numbers, high: Numbers) -> Numbers:
    """P(value > amount) of two half normals around ``value`` whose 5 % and 95 % points are ``low`` and ``high``."""
    distance = amount - value
    spread = np.where(distance < 0, value - low, high - value) / _BOUND
    certain = spread <= np.abs(distance) * _TOO_SMALL
    steps = np.divide(distance, spread, out=np.where(distance < 0, -np.inf, np.inf), where=~certain)
    return np.asarray(norm.sf(steps), dtype=np.float64)
