"""The purchases of CDNOW, the data of the papers on customer-base models, counted as the papers do."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray


def histories(file: Path) -> dict[str, NDArray[np.float64]]:
    """Columns ``repeats``, ``last``, ``age`` in weeks up to 1997-09-30, and ``mean`` of the repeat purchases.

    One purchase a customer and day, its prices summed; customers in the order of their ids.
    """
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
