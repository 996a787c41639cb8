"""Population and labels on real invoices against keys that were computed elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from holdfast.labels import ChurnSettings, LabelSettings, ValueSettings
from holdfast.snapshots import PopulationSettings, build_snapshots, require_complete
from holdfast.sources import SourceSettings, open_sources
from holdfast.timeline import instant

ORDERS = SourceSettings(
    path="online_retail_ii/transactions.parquet",
    columns={"customer_id": "CustomerID", "event_time": "InvoiceDate", "order_id": "InvoiceNo"},
    compute={"amount": "Quantity * UnitPrice"},
    where="CustomerID IS NOT NULL AND Quantity * UnitPrice <> 0",
    timezone="UTC",  # the keys take the naive times of the shop as they are
)
LABELS = LabelSettings(
    churn=ChurnSettings(kind="no_order", horizon_days=90), value=ValueSettings(of="revenue", horizon_days=90)
)
CUTOFFS = [instant(day) for day in ("2011-03-01", "2011-06-01", "2011-09-01")]


@pytest.fixture(scope="module")
def keys(shared_data: Path) -> pd.DataFrame:
    """Who counted as a customer when, and what happened next, as others computed it."""
    table = pd.read_parquet(shared_data.parent / "reference" / "online_retail_ii_keys.parquet")
    return pd.DataFrame(
        {
            "customer_id": table["customer_id"].astype(str),
            "cutoff": table["cutoff"].astype("datetime64[us]").astype(np.int64),
            "churned": table["churned"].astype(float),
            "future_value": table["future_value"],
        }
    ).sort_values(["cutoff", "customer_id"], ignore_index=True)


def test_population_and_labels_equal_the_published_keys(shared_data: Path, keys: pd.DataFrame) -> None:
    """A model is compared with others on these customers and outcomes, so they must be the same to the last one."""
    with open_sources({"orders": ORDERS}, base=shared_data) as tables:
        require_complete(CUTOFFS, tables, LABELS)
        population = PopulationSettings(bought_within_days=180)
        table = build_snapshots(tables, [], population=population, cutoffs=CUTOFFS, labels=LABELS)
    assert len(table) == 8780
    pd.testing.assert_frame_equal(table[["customer_id", "cutoff", "churned"]], keys.drop(columns="future_value"))
    np.testing.assert_allclose(table["future_value"], keys["future_value"], rtol=0, atol=1e-6)
    assert not table["treated"].any()
