"""The list that Spark's customers give is the list of one machine, to the byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from holdfast.errors import ConfigError, DataError
from holdfast.files import versioned_folder
from holdfast.outreach import PLANNED, OutreachSettings, Selection, not_applied, publish, select, select_planned
from holdfast.outreach.plan import plan
from holdfast.partitioned import SparkParts
from tests.conftest import ROOT
from tests.unit.outreach.published import FILES
from tests.unit.outreach.scored import AS_OF, outreach_settings, scored_customers

MOST = 40_000


def on_spark(spark: Any, scored: pd.DataFrame, settings: OutreachSettings, partitions: int = 3) -> Selection:
    """Planned and cut where the rows are."""
    frame = spark.createDataFrame(scored.sample(frac=1, random_state=0)).repartition(partitions)
    parts = SparkParts(frame, most_rows=MOST).map(partial(plan, settings=settings), PLANNED).keep()
    try:
        return select_planned(parts, settings, AS_OF, model_version="1", rules_not_applied=not_applied(scored.columns))
    finally:
        parts.close()


def bytes_of(selection: Selection, folder: Path) -> dict[str, bytes]:
    """Everything that is published."""
    with versioned_folder(folder) as output:
        pointer = publish(selection, output, report_html="", manifest={})
    return {name: (pointer / name).read_bytes() for name in sorted(FILES)}


TIES = {"expected_loss": 10.0}
SAME = {"value": 10.0, "value_low": 5.0, "value_high": 20.0}


@pytest.mark.parametrize(
    ("changes", "raw", "partitions"),
    [
        ({}, {}, 3),
        ({}, {"budget": {"share": 0.29}, "control_share": 0.0}, 1),
        (TIES, {"budget": {"contacts": 7}}, 3),
        (SAME, {"high_value_share": 0.5}, 12),
        ({}, {"budget": {"share": 1.0}, "high_value_share": 1.0}, 2),
        ({}, {"budget": {"contacts": 1}, "control_share": 0.999}, 3),
    ],
    ids=["usual", "share", "ties", "equal values and empty parts", "everybody", "nobody to contact"],
)
def test_spark_gives_the_list_of_one_machine(
    spark: Any, tmp_path: Path, changes: dict[str, float], raw: dict[str, Any], partitions: int
) -> None:
    """Whoever moves to a cluster must get the customers, the id and the bytes they got before."""
    scored, settings = scored_customers(120).assign(**changes), outreach_settings(**raw)
    here = select(scored, settings, AS_OF, model_version="1")
    there = on_spark(spark, scored, settings, partitions)
    assert there.list_id == here.list_id
    assert there.counts == here.counts
    assert there.overview.expected_loss == here.overview.expected_loss
    assert bytes_of(there, tmp_path / "there") == bytes_of(here, tmp_path / "here")


def test_nobody_to_contact_is_said_in_the_same_words(spark: Any) -> None:
    """The remedy does not depend on the engine."""
    scored = scored_customers(50).assign(consent=0.0)
    with pytest.raises(DataError, match="found all 50 scored customers excluded: no_consent 50"):
        on_spark(spark, scored, outreach_settings())
    with pytest.raises(DataError, match="Wanted scored customers, found none"):
        on_spark_without_rows(spark)


def on_spark_without_rows(spark: Any) -> Selection:
    """A population of nobody."""
    frame = spark.createDataFrame(scored_customers(5)).where("value < 0")
    parts = SparkParts(frame, most_rows=MOST).map(partial(plan, settings=outreach_settings()), PLANNED)
    return select_planned(parts, outreach_settings(), AS_OF, model_version="1")


def test_a_score_that_cannot_be_ranked_is_refused_from_afar(spark: Any) -> None:
    """It is found on an executor, and told as it would be here."""
    with pytest.raises(DataError, match="missing or infinite p_churn"):
        on_spark(spark, scored_customers(20).assign(p_churn=float("nan")), outreach_settings())


def test_a_customer_who_stands_twice_is_refused(spark: Any) -> None:
    """Two rows in two partitions are seen where the rows come by in order."""
    twice = pd.concat([scored_customers(20), scored_customers(20).head(2)])
    with pytest.raises(DataError, match="Score one cutoff at a time"):
        on_spark(spark, twice, outreach_settings())


@pytest.mark.usefixtures("spark")  # skips or fails where there is no Java
def test_a_driver_that_could_not_hold_everybody_publishes_the_list(tmp_path: Path) -> None:
    """With a limit on results that all customers exceed, selecting and publishing work; collecting them does not.

    A budget beyond the stated number of rows is refused before anything comes.
    """
    result = subprocess.run(
        [sys.executable, "-m", "tests.unit.outreach.narrow", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    told = json.loads(result.stdout.splitlines()[-1])
    assert "maxResultSize" in told["collecting"]
    assert told["counts"]["scored"] == told["customers"] == 100_000
    assert told["counts"]["contact"] + told["counts"]["control"] == 500
    assert told["published"] == told["counts"]
    assert told["most_at_once"] <= told["most_rows"]
    assert told["refused"] == ConfigError.__name__
