"""From snapshots in parts to a published list, with a model that was fitted."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from holdfast.config import parse
from holdfast.files import versioned_folder
from holdfast.learning import AtRiskClassifier, ValueRegressor
from holdfast.lists import publish_list
from holdfast.models import Bundle, categorical_columns, learn_categories, to_matrix
from holdfast.partitioned import LocalParts, Parts, SparkParts
from tests.end_to_end.shop import settings
from tests.unit.learning.samples import CARD, FEATURES, snapshots
from tests.unit.outreach.published import FILES, read_manifest

NAMES = [feature.name for feature in FEATURES]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """Both models, fitted on the small business."""
    table = snapshots(customers=200, cutoffs=5)
    specs = learn_categories(table, [replace(feature, meaning=f"{feature.name} is {{value}}") for feature in FEATURES])
    X, cutoff = to_matrix(table, specs), table["cutoff"].to_numpy(dtype=np.int64)
    shared = {"purge_days": 60, "categorical_features": categorical_columns(specs), "n_estimators": 40}
    risk = AtRiskClassifier(**shared).fit(X, table["churned"].to_numpy(), cutoff=cutoff)
    value = ValueRegressor(**shared).fit(X, table["future_value"].to_numpy(), cutoff=cutoff)
    return Bundle(risk, value, specs, CARD)


def latest() -> pd.DataFrame:
    """The customers of one cutoff, as scoring sees them."""
    table = snapshots(customers=90, cutoffs=1, seed=3)
    return table[["customer_id", "cutoff", *NAMES]]


def published(parts: Parts, bundle: Bundle, folder: Path) -> dict[str, bytes]:
    """Every file of the list that these parts give."""
    with versioned_folder(folder) as output:
        told = publish_list(
            parts,
            parse(settings(outreach__budget={"share": 0.3})),
            int(latest()["cutoff"][0]),
            output,
            features=NAMES,
            bundle=bundle,
            version="1",
            data_fingerprint="d",
        )
    assert read_manifest(told.folder)["counts"] == told.counts
    return {name: (told.folder / name).read_bytes() for name in sorted(FILES)}


def test_the_size_of_the_parts_shows_in_no_byte(bundle: Bundle, tmp_path: Path) -> None:
    """Scores, reasons and worth of a customer do not depend on who was scored beside them, not even in the last bit."""
    whole = published(LocalParts.of(latest()), bundle, tmp_path / "whole")
    for rows in (1, 7):
        assert published(LocalParts.of(latest(), rows), bundle, tmp_path / str(rows)) == whole


def test_a_cluster_publishes_the_bytes_of_one_machine(bundle: Bundle, tmp_path: Path, spark: Any) -> None:
    """The model travels to the executors; the list that comes back is the same file by file."""
    frame = spark.createDataFrame(latest().sample(frac=1, random_state=0)).repartition(4)
    there = published(SparkParts(frame, most_rows=40_000), bundle, tmp_path / "there")
    assert there == published(LocalParts.of(latest()), bundle, tmp_path / "here")


def test_a_bundle_that_travelled_scores_to_the_bit(bundle: Bundle) -> None:
    """What arrives on an executor is what was registered."""
    again = pickle.loads(pickle.dumps(bundle))
    pd.testing.assert_frame_equal(again.predict(latest()), bundle.predict(latest()), check_exact=True)
    pd.testing.assert_frame_equal(again.contributions(latest()), bundle.contributions(latest()), check_exact=True)
