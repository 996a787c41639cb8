"""The stored model as MLflow calls it, for consumers who have the listed requirements and not our package.

MLflow imports this file from a copy of the sources that :func:`serving_files` names and calls :func:`_load_pyfunc`.
Nothing here or below may import more than numpy, pandas, scipy, LightGBM and the standard library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from holdfast.models.bundle import Bundle
from holdfast.models.checks import InputError

SERVING_REQUIREMENTS: tuple[str, ...] = ("numpy", "pandas", "scipy", "lightgbm")
"""Distribution names that a consumer needs besides MLflow; tracking pins the versions that trained."""

_PACKAGE = Path(__file__).resolve().parents[1]
_FILES = (
    "__init__.py",
    "errors.py",
    "models/__init__.py",
    "models/additive.py",
    "models/bundle.py",
    "models/calibration.py",
    "models/checks.py",
    "models/customer_base/__init__.py",
    "models/customer_base/beta.py",
    "models/customer_base/bg_nbd.py",
    "models/customer_base/columns.py",
    "models/customer_base/corrected_risk.py",
    "models/customer_base/corrected_value.py",
    "models/customer_base/correction.py",
    "models/customer_base/discounting.py",
    "models/customer_base/fitting.py",
    "models/customer_base/gamma_gamma.py",
    "models/customer_base/geometric.py",
    "models/customer_base/histories.py",
    "models/customer_base/kinds.py",
    "models/customer_base/mbg_nbd.py",
    "models/customer_base/pareto_nbd.py",
    "models/customer_base/purchases.py",
    "models/customer_base/risk.py",
    "models/customer_base/sharing.py",
    "models/customer_base/sight.py",
    "models/customer_base/value.py",
    "models/encoding.py",
    "models/horizon.py",
    "models/level.py",
    "models/lifetime.py",
    "models/past_value.py",
    "models/quantiles.py",
    "models/risk.py",
    "models/serving.py",
    "models/spread.py",
    "models/value.py",
)


def serving_files() -> list[Path]:
    """Source files that a consumer needs, as absolute paths; keep their place below a folder ``holdfast``."""
    return [_PACKAGE / name for name in _FILES]


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
        scores = self.bundle.predict(model_input)
        count, horizons = int(asked.get("reasons", 0)), asked.get("horizons", ())
        if not 0 <= count <= len(self.bundle.features):
            raise InputError(f"Wanted between 0 and {len(self.bundle.features)} reasons, found {count}.")
        if count:
            names = np.array(self.bundle.feature_names, dtype=object)
            parts = self.bundle.contributions(model_input).drop(columns="base").to_numpy()
            order = np.argsort(-parts, axis=1, kind="stable")[:, :count]
            for k in range(count):
                scores[f"reason_{k + 1}_feature"] = pd.Series(names[order[:, k]], index=scores.index, dtype="str")
                scores[f"reason_{k + 1}_contribution"] = parts[np.arange(len(parts)), order[:, k]]
        if len(horizons):
            over = self.bundle.value_over(model_input, horizons, float(asked.get("yearly_discount", 0.0)))
            scores[over.columns.tolist()] = over
        return scores


def _load_pyfunc(path: str) -> ServedBundle:
    """MLflow's entry point of a ``loader_module``: the folder of a bundle."""
    return ServedBundle(Bundle.load(path))
