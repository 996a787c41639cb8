"""Training and scoring build their features from the same rows by different ways; no cell may differ."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from holdfast import Project
from holdfast.simulate import simulate
from holdfast.snapshots import build_snapshots, feature_columns
from holdfast.sources import open_sources
from holdfast.timeline import instant
from tests.conftest import ROOT

CUSTOMERS = 3_000


@pytest.fixture(scope="module", params=["retail", "subscription"])
def project(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A business of 3,000 customers and its demo's configuration."""
    root = tmp_path_factory.mktemp(request.param)
    (root / "configs").mkdir()
    config = shutil.copy(ROOT / "configs" / f"demo_{request.param}.yaml", root / "configs")
    simulate(request.param, root / "demo" / request.param, customers=CUSTOMERS)
    with Project.open(Path(config)) as opened:
        yield opened


def differing_cells(one: pd.DataFrame, other: pd.DataFrame) -> dict[str, int]:
    """Per column, the cells that are not the same value; two missing values are the same."""
    assert one["customer_id"].tolist() == other["customer_id"].tolist()
    return {
        name: count
        for name in feature_columns(one)
        if (count := int(((one[name] != other[name]) & ~(one[name].isna() & other[name].isna())).sum()))
    }


def test_training_and_scoring_give_the_same_features(project: Project) -> None:
    """What the model learns from, built with labels at many cutoffs at once, is what it scores, built at one.

    The third way is the one of the night itself: the data as it had been exported at the cutoff, with nothing after it.
    """
    settings = project.configuration
    at = str(settings.cutoffs.test[0])
    labelled = project.snapshots()
    assert labelled["cutoff"].nunique() > 12
    trained = labelled[labelled["cutoff"] == instant(at)].reset_index(drop=True)
    scored = project.snapshots(at)
    assert feature_columns(trained) == feature_columns(scored) == [feature.name for feature in project.features()]
    assert len(feature_columns(trained)) >= 70
    assert len(trained) > CUSTOMERS / 4
    assert differing_cells(trained, scored) == {}
    with open_sources(
        settings.sources, base=project.dataset.base, currency=settings.currency, as_of=instant(at)
    ) as as_exported:
        night = build_snapshots(as_exported, project.features(), population=settings.population, cutoffs=[instant(at)])
    assert differing_cells(trained, night) == {}
