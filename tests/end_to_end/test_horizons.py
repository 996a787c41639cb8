"""Time to churn on a simulated service: what was said at an instant, and what happened in the half year after it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from holdfast import Project
from holdfast.labels import EVENT
from holdfast.learning.training import fit, known_by
from holdfast.metrics.calibration import calibration_error
from holdfast.simulate import simulate
from holdfast.survival import HORIZONS, outlook_labels
from holdfast.timeline import instant
from tests.conftest import ROOT

AS_OF = "2024-07-01"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A service of 6,000 customers, of whom not half are customers at the instant."""
    root = tmp_path_factory.mktemp("service")
    (root / "configs").mkdir()
    config = shutil.copy(ROOT / "configs" / "demo_subscription.yaml", root / "configs")
    simulate("subscription", root / "demo" / "subscription", customers=6_000, seed=1)
    with Project.open(Path(config)) as opened:
        yield opened


def test_every_horizon_is_calibrated_and_none_is_below_a_shorter_one(project: Project) -> None:
    """A contract that has ended within 30 days has ended within 180; and of those told 20 %, a fifth does end."""
    labels = project.configuration.labels
    bundle = fit(known_by(project.snapshots(), instant(AS_OF), labels.complete_after), project.evaluation.spec())
    said = project.survival(AS_OF, bundle=bundle)
    happened = project.dataset.built((), [instant(AS_OF)], outlook_labels(labels, HORIZONS))[["customer_id", EVENT]]
    both = said.merge(happened, on="customer_id", validate="one_to_one")
    assert len(both) == len(said) > 2_000
    p = both[[f"p_churn_{horizon:g}d" for horizon in HORIZONS]].to_numpy()
    assert (np.diff(p, axis=1) >= 0).all()
    for k, horizon in enumerate(HORIZONS):
        assert calibration_error((both[EVENT] < horizon).to_numpy(dtype=float), p[:, k]) < 0.03
