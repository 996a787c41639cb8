"""The purchases of CDNOW, the data of the papers, as the papers count them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest
from numpy.typing import NDArray

Columns = dict[str, NDArray[np.float64]]


@pytest.fixture(scope="session")
def cdnow(shared_data: Path) -> Callable[[str], Columns]:
    """Histories in weeks up to 1997-09-30, one purchase a customer and day, and the mean of the repeat purchases."""

    def read(which: str) -> Columns:
        file = shared_data / "cdnow" / f"transactions_{which}.parquet"
        if not file.exists():
            pytest.skip("the purchases of CDNOW are not on this machine")
        found = duckdb.sql(
            f"""
            WITH days AS (
                SELECT customer_id, date::DATE AS day, sum(price) AS amount FROM '{file}'
                WHERE date <= DATE '1997-09-30' GROUP BY ALL
            ), since AS (SELECT *, min(day) OVER (PARTITION BY customer_id) AS first FROM days)
            SELECT count(*) - 1.0 AS repeats, (max(day) - min(day)) / 7.0 AS last,
                (DATE '1997-09-30' - min(day)) / 7.0 AS age,
                coalesce(avg(amount) FILTER (day > first), 0.0) AS mean
            FROM since GROUP BY customer_id ORDER BY customer_id
            """
        ).fetchnumpy()
        return {name: np.asarray(column, dtype=np.float64) for name, column in found.items()}

    return read
