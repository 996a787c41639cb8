"""The businesses on which two states of the package are compared, as records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

CUSTOMERS, FEW_CUSTOMERS = 8_000, 1_000
"""As many as ``holdfast demo`` simulates, and for a quick comparison."""


@dataclass(frozen=True)
class Run:
    """One configuration, taken the whole way.

    Parameters
    ----------
    configuration : str
        The name of the file in ``configs/``.
    as_of : str
        The instant of the list.
    kind : "retail" or "subscription", optional
        Of the business to simulate.
    data : str, optional
        Where there is nothing to simulate, the file that the configuration reads, in the folder of shared data.
    horizons : tuple of float
        Days for which the registered model is asked for the lifetime value; it answers where churn is "no order".
    questions : mapping
        Methods of ``Project`` and their arguments.
    """

    configuration: str
    as_of: str
    kind: Literal["retail", "subscription"] | None = None
    data: str | None = None
    horizons: tuple[float, ...] = ()
    questions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def _everyone(as_of: str) -> dict[str, dict[str, Any]]:
    """What can be asked of every project: everyone's scores with three reasons, and the time to churn."""
    return {"scored": {"as_of": as_of}, "survival": {"as_of": as_of}}


RUNS: Mapping[str, Run] = {
    "retail": Run(
        "demo_retail.yaml",
        "2025-01-01",
        kind="retail",
        horizons=(90.0, 365.0, 1095.0),
        questions=_everyone("2025-01-01"),
    ),
    "subscription": Run("demo_subscription.yaml", "2025-01-01", kind="subscription", questions=_everyone("2025-01-01")),
    "online_retail": Run(
        "online_retail.yaml",
        "2011-12-10",
        data="data/online_retail_ii/transactions.parquet",
        horizons=(90.0, 365.0, 1095.0),
        questions=_everyone("2011-12-10"),
    ),
    "cdnow": Run(
        "cdnow.yaml",
        "1998-07-01",
        data="data/cdnow/transactions_full.parquet",
        horizons=(91.0, 273.0),
        questions={
            **_everyone("1998-07-01"),
            "survival": {"as_of": "1998-07-01", "horizons": [30.0, 60.0, 91.0, 120.0]},  # 180 days are too many for it
            # The year that no outcome reaches, as benchmarks.quality_cdnow asks for it.
            "extrapolate": {"as_of": "1997-10-01", "horizon_days": 39 * 7.0},
        },
    ),
}
