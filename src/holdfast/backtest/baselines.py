"""What anyone could compute: a logistic risk on a few columns, and value as past spend times one rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from holdfast.learning import LogisticBaseline, MeanRateRegressor
from holdfast.models import to_matrix
from holdfast.models.feature_record import FeatureRecord, Role
from holdfast.models.quantiles import of_rows
from holdfast.sampling import weights

_RECENCY: tuple[Role, ...] = ("days_since_order", "days_since_engagement", "days_since_renewal", "subscription_tenure")
_FREQUENCY: tuple[Role, ...] = ("orders_of_a_year", "orders", "active_days", "engagement")
_SPEND: tuple[Role, ...] = ("spend_of_a_year", "spend", "mrr")


@dataclass(frozen=True)
class Baseline:
    """Logistic risk on a few columns, and value as past spend times one rate.

    Attributes
    ----------
    name : str
    risk : tuple of str
        Feature columns; none gives everyone the share that churned.
    value : str or None
        Column of past spend; None judges the risk alone.
    """

    name: str
    risk: tuple[str, ...]
    value: str | None = None

    def words(self) -> str:
        """What it is, as people read it."""
        risk = f"risk from {', '.join(self.risk)} alone" if self.risk else "everyone's risk is the share that left"
        return f"{self.name}: {risk}" + (f", value as {self.value} times one rate" if self.value else "")

    def scored(
        self, test: pd.DataFrame, known: pd.DataFrame, features: Sequence[FeatureRecord]
    ) -> dict[str, np.ndarray]:
        """Learn from ``known`` and score ``test``: ``<name>_p_churn`` and, if it judges it, ``<name>_value``."""
        weight = weights(known)
        weight = None if weight is None else weight / weight.mean()
        by_name = {feature.name: feature for feature in features}
        risk = [by_name[name] for name in self.risk] or list(by_name.values())[:1]
        p_churn = LogisticBaseline(None if self.risk else ()).fit(
            to_matrix(known, risk), known["churned"].to_numpy(dtype=np.float64), sample_weight=weight
        )
        found = {f"{self.name}_p_churn": p_churn.predict_proba(to_matrix(test, risk))[:, 1]}
        if self.value is not None:
            spend = [by_name[self.value]]
            came = known["future_value"].to_numpy(dtype=np.float64)
            there = np.flatnonzero(~np.isnan(came))
            value = MeanRateRegressor().fit(
                to_matrix(known, spend)[there], came[there], sample_weight=of_rows(weight, there)
            )
            found[f"{self.name}_value"] = value.predict(to_matrix(test, spend))
        return found


def default_baselines(features: Sequence[FeatureRecord]) -> tuple[Baseline, ...]:
    """Recency alone; and recency, frequency, value, as far as the features at hand give them."""
    names = {feature.role: feature.name for feature in features}
    recency, frequency, spend = (
        next((names[role] for role in wanted if role in names), None) for wanted in (_RECENCY, _FREQUENCY, _SPEND)
    )
    three = tuple(name for name in (recency, frequency, spend) if name is not None)
    return Baseline("rfm", three, spend), Baseline("recency", three[:1] if recency else ())
