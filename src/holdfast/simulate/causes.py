"""Which cause dominates a customer's risk: the risk is taken apart into steps, and the largest step wins.

Starting from an engaged customer without trouble, one circumstance of the true state is added at a time; each step adds
its part of the true probability, so the parts sum to ``p_churn``. What drifting adds is laid at the door of whatever
made the customer drift.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from holdfast.simulate.clock import Reals, Whole
from holdfast.simulate.mood import NATURAL, SORE, TICKET

CAUSES = (
    "natural_lifetime",
    "infrequent_buyer",
    "season",
    "unresolved_ticket",
    "poor_first_month",
    "price_rise",
    "failed_payment",
    "disengaged",
)
_CAUSE_OF_SORE = np.array(
    [CAUSES.index(cause) for cause in ("disengaged", "poor_first_month", "price_rise", "failed_payment")]
)


def ranked_causes(
    parts: Mapping[str, Reals], *, by_sore: Reals, by_drift: Reals, sore: Whole, origin: Whole, blame: Whole
) -> NDArray[np.int64]:
    """Index in :data:`CAUSES` of each customer's largest part of risk.

    Parameters
    ----------
    parts : parts that belong to one cause for everyone
    by_sore, by_drift : arrays of shape (customers,)
        Parts that today's sore and today's drift add.
    sore, origin, blame : arrays of shape (customers,)
        Today's sore; what made the customer drift, and which sore that was.
    """
    rows = np.arange(sore.size)
    table = np.zeros((sore.size, len(CAUSES)))
    for cause, part in parts.items():
        table[:, CAUSES.index(cause)] += part
    np.add.at(table, (rows, _CAUSE_OF_SORE[sore]), by_sore)
    guilty = np.select(
        [origin == NATURAL, origin == TICKET, origin == SORE],
        [CAUSES.index("disengaged"), CAUSES.index("unresolved_ticket"), _CAUSE_OF_SORE[blame]],
    )
    np.add.at(table, (rows, guilty), by_drift)
    return np.asarray(np.argmax(table, axis=1))
