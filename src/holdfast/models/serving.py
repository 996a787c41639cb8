"""The stored model as MLflow calls it, for consumers who have the listed requirements and not our package.

MLflow imports this file from a copy of this room and calls :func:`_load_pyfunc`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from holdfast.models.bundle import Bundle

SERVING_REQUIREMENTS: tuple[str, ...] = ("numpy", "pandas", "scipy", "lightgbm")
"""Distribution names that a consumer needs besides MLflow; tracking pins the versions that trained."""


@dataclass(frozen=True)
class ServedBundle:
    """A bundle behind MLflow's ``predict(model_input, params)``."""

    bundle: Bundle

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Columns of :meth:`Bundle.predict`; with ``params={"reasons": n}`` also n reasons.

        ``reason_k_feature`` is the feature with the k-th largest contribution towards churn and
        ``reason_k_contribution`` that contribution, in log-odds. With ``params={"horizons": [365.0, 1095.0],
        "yearly_discount": 0.1}`` also the columns of :meth:`Bundle.value_over`.
        """
        asked = params or {}
        count, horizons = int(asked.get("reasons", 0)), asked.get("horizons", ())
        scores = self.bundle.scores(model_input, reasons=count > 0)
        found = [scores.predictions, scores.strongest(count)]
        if len(horizons):
            found.append(self.bundle.value_over(model_input, horizons, float(asked.get("yearly_discount", 0.0))))
        return pd.concat(found, axis=1)


def _load_pyfunc(path: str) -> ServedBundle:
    """MLflow's entry point of a ``loader_module``: the folder of a bundle."""
    return ServedBundle(Bundle.load(path))
