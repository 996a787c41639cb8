"""A project with more snapshots than training may read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from holdfast import Project
from holdfast.report.results import Trained
from holdfast.sampling import WEIGHT
from tests.end_to_end.shop import Shop

MOST = 1_000


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A shop whose training reads a sample."""
    shop = Shop.build(tmp_path_factory.mktemp("sampled"), customers=500, training={"most_snapshots": MOST})
    with Project.open(shop.config) as opened:
        yield opened


@pytest.fixture(scope="module")
def trained(project: Project) -> Trained:
    """What its training said."""
    return project.train()


@pytest.fixture(scope="module")
def everything(project: Project, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """The table in a file."""
    path = tmp_path_factory.mktemp("table") / "snapshots.parquet"
    project.write_snapshots(path)
    return pd.read_parquet(path)


def test_training_reads_a_sample_and_the_file_holds_everything(project: Project, everything: pd.DataFrame) -> None:
    """Who asks for the table gets all of it; who trains gets what memory bears."""
    sample = project.snapshots()
    assert len(sample) == MOST < len(everything)
    assert WEIGHT not in everything
    whole = everything.set_index(["cutoff", "customer_id"])
    kept = sample.set_index(["cutoff", "customer_id"])
    pd.testing.assert_frame_equal(kept.drop(columns=WEIGHT), whole.loc[kept.index], check_exact=True)
    assert np.average(sample["churned"], weights=sample[WEIGHT]) == pytest.approx(everything["churned"].mean())


def test_people_programs_and_the_run_are_told(project: Project, trained: Trained, everything: pd.DataFrame) -> None:
    """Figures of a sample that is not named would be taken for figures of everyone."""
    assert trained.sample is not None
    assert trained.to_dict()["sample"]["kept"] == trained.snapshots == MOST
    assert trained.sample["of"] == len(everything)
    run = project.tracker._store.client.get_run(trained.run_id)
    assert run.data.params["training.most_snapshots"] == str(MOST)
    assert run.data.params["sample.kept"] == str(MOST)
    assert run.data.params["sample.of"] == str(len(everything))
    assert "tested on a sample of " in project.backtest().table()


def test_nothing_new_is_nothing_to_do(project: Project, trained: Trained) -> None:
    """The second command says of the model what the first said."""
    again = project.train()
    assert not again.fresh
    assert again.sample == trained.sample


def test_the_audit_and_the_promotion_accept_a_sample(project: Project, trained: Trained) -> None:
    """The audit rebuilds what was kept; the challenger takes over and scores everyone."""
    assert project.audit().findings == ()
    assert project.promote().moved
    assert WEIGHT not in project.scored("2024-07-01")
