"""Where a customer is in life: onboarding, active, lapsing, dormant or lost, from age, silence and signs of life."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, model_validator

from holdfast.settings import Settings

Stage = Literal["onboarding", "active", "lapsing", "dormant", "lost"]
STAGES: tuple[Stage, ...] = get_args(Stage)


class StageSettings(Settings):
    """Where the stages of a customer's life begin.

    Silence is the time since the last order or, where the data has no orders, since the last engagement.
    """

    onboarding_days: float = Field(ge=0, description="Younger customers are onboarding, whatever they do.")
    lapsing_days: float = Field(gt=0, description="Silent for so long: lapsing.")
    dormant_days: float = Field(gt=0, description="Silent for so long: dormant.")
    lost_days: float = Field(gt=0, description="Silent for so long: lost.")
    lost_p_gone: float = Field(
        default=0.9, gt=0, le=1, description="Also lost: having gone for good with so large a probability."
    )
    dormant_p_gone: float = Field(
        default=0.5, gt=0, le=1, description="Also dormant: having gone with so large a probability."
    )
    lapsing_overdue_ratio: float | None = Field(
        default=None,
        gt=0,
        description="Also lapsing: silent for so many times the customer's own usual gap, for example 1.5.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> StageSettings:
        if not self.lapsing_days < self.dormant_days < self.lost_days:
            raise ValueError("lapsing_days, dormant_days and lost_days must rise in this order")
        if self.dormant_p_gone > self.lost_p_gone:
            raise ValueError("dormant_p_gone must not be above lost_p_gone")
        return self


def stages(customers: pd.DataFrame, settings: StageSettings) -> pd.Series[str]:
    """The stage of each customer.

    Silence is ``days_since_order``, or ``days_since_engagement`` where there are no orders in the data. A customer who
    never did either has been silent for the whole ``tenure_days``. The customer's own rhythm comes from
    ``order_overdue_ratio``, or ``engagement_overdue_ratio``. A customer of whom neither age nor silence is known has
    left no trace yet and counts as onboarding where the data knows ages, as active where it does not.

    Parameters
    ----------
    customers : DataFrame
        Any of the columns above, as floats; NaN means "not known".
    """
    tenure = _first(customers, "tenure_days")
    silence = _first(customers, "days_since_order", "days_since_engagement")
    ratio = _first(customers, "order_overdue_ratio", "engagement_overdue_ratio")
    silence, gone = np.where(np.isnan(silence), tenure, silence), _first(customers, "p_gone")
    lapsing = silence >= settings.lapsing_days
    if settings.lapsing_overdue_ratio is not None:
        lapsing |= ratio >= settings.lapsing_overdue_ratio
    unseen = (
        np.isnan(tenure) & np.isnan(silence) if "tenure_days" in customers else np.zeros(len(customers), dtype=bool)
    )
    found = np.select(
        [
            unseen | (tenure < settings.onboarding_days),
            (silence >= settings.lost_days) | (gone >= settings.lost_p_gone),
            (silence >= settings.dormant_days) | (gone >= settings.dormant_p_gone),
            lapsing,
        ],
        ["onboarding", "lost", "dormant", "lapsing"],
        default="active",
    )
    return pd.Series(found, index=customers.index, dtype="str", name="stage")


def _first(customers: pd.DataFrame, *names: str) -> NDArray[np.float64]:
    """The first of the columns that is there."""
    found = next((customers[name] for name in names if name in customers), None)
    return np.full(len(customers), np.nan) if found is None else found.to_numpy(dtype=np.float64)
