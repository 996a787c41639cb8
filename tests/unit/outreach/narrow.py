"""Selects and publishes on a Spark whose driver may receive three megabytes at once, fewer than the customers take.

Usage: ``python -m tests.unit.outreach.narrow FOLDER``. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from holdfast.errors import ConfigError
from holdfast.explain import reason_columns
from holdfast.files import versioned_folder
from holdfast.outreach import PLANNED, publish, select_planned
from holdfast.outreach.plan import plan
from holdfast.partitioned import SparkParts
from holdfast.partitioned.columns import ROWS_AT_ONCE
from holdfast.spark.pieces import pieces
from tests.unit.outreach.published import read_manifest
from tests.unit.outreach.scored import AS_OF, outlook, outreach_settings

CUSTOMERS, MOST_ROWS = 100_000, 40_000


def scored(rows: pd.DataFrame) -> pd.DataFrame:
    """Customers whose scores follow from their number, some with the same loss; each reason is a text of its own."""
    number = rows["id"].to_numpy()
    risk, value = (number * 7919 % 1000 + 1) / 1002, (number * 104_729 % 5000) / 10.0
    told = outlook(value, risk)
    texts = {name: "" for name in reason_columns() if not name.endswith(("_contribution", "_odds"))}
    numbers = {name: 0.0 for name in reason_columns() if name.endswith(("_contribution", "_odds"))}
    table = pd.DataFrame(
        {
            "customer_id": pd.array([f"c{i:07d}" for i in number], dtype="str"),
            "p_churn": risk,
            "value": value,
            "value_low": value / 2,
            "value_high": value * 2,
            "expected_loss": told["p_leaving"] * (told["value_if_kept"] - told["value_if_lost"]),
            "tenure_days": number % 800 * 1.0,
            "consent": (number % 9 > 0) * 1.0,
        }
    )
    return plan(table.assign(**told, **texts, **numbers), outreach_settings(budget={"contacts": 500}))


def running() -> Any:
    """A Spark with a narrow way to its driver."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    properties = {
        "spark.ui.enabled": "false",
        "spark.driver.maxResultSize": "3m",
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.log.level": "OFF",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in properties.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def most_at_once(parts: SparkParts) -> int:
    """Rows of the largest piece that comes to the driver, and of the one that waits there to be full."""
    arriving = pieces(parts._frame, parts._most_arriving, order=["customer_id"])
    return max(len(piece) for piece in arriving) + ROWS_AT_ONCE


def main() -> None:
    """Publish into the folder of the command line, and tell."""
    spark = running()
    planned = SparkParts(spark.range(CUSTOMERS), most_rows=MOST_ROWS).map(scored, PLANNED).keep()
    told: dict[str, Any] = {"customers": planned.count(), "most_rows": MOST_ROWS}
    told["most_at_once"] = most_at_once(planned)
    try:
        planned._frame.select("customer_id", "p_churn", "value", "expected_loss").toArrow()
        told["collecting"] = "worked"
    except Exception as error:
        told["collecting"] = str(error)
    selection = select_planned(planned, outreach_settings(budget={"contacts": 500}), AS_OF, model_version="1")
    told["counts"] = selection.counts
    with versioned_folder(Path(sys.argv[1])) as output:
        told["published"] = read_manifest(publish(selection, output, report_html="", manifest={}))["counts"]
    try:
        select_planned(planned, outreach_settings(budget={"share": 0.5}), AS_OF, model_version="1")
    except ConfigError as error:
        told["refused"] = type(error).__name__
    spark.stop()
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
