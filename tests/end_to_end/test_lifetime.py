"""Lifetime value on the simulated businesses: three years for a shop, and one sentence for a service under contract."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from holdfast import Project
from holdfast.errors import BundleError
from holdfast.lifetime import columns
from holdfast.models.checks import InputError
from holdfast.timeline import instant
from tests.end_to_end.conftest import AS_OF, Way

HORIZONS = (90, 365, 1095)


@pytest.fixture
def project(way: Way) -> Iterator[Project]:
    """A business with a champion; tests of one kind pass over the other."""
    with Project.open(way.config) as opened:
        yield opened


@pytest.fixture
def shop(way: Way, project: Project) -> Project:
    """The one that has orders."""
    if way.kind != "retail":
        pytest.skip("of orders alone")
    return project


def test_three_years_follow_from_what_the_champion_says(shop: Project) -> None:
    """The same customers as any score; the same value to the bit at its horizon; more for longer, less for late."""
    found = shop.lifetime_value(AS_OF, horizons=HORIZONS, yearly_discount=0.1)
    assert {name: str(kind) for name, kind in found.dtypes.items()} == columns(HORIZONS)
    assert set(found["cutoff"]) == {instant(AS_OF)}
    own = shop.configuration.value.horizon_days
    scored = shop.scored(AS_OF).set_index("customer_id")["value"]
    plain = shop.lifetime_value(AS_OF, horizons=(own, *(h for h in HORIZONS if h > own)))
    assert found["customer_id"].tolist() == plain["customer_id"].tolist() == scored.index.tolist()
    assert (plain[f"value_{own:g}d"].to_numpy() == scored.to_numpy()).all()
    said = found[[f"value_{h}d" for h in HORIZONS]].to_numpy()
    assert np.isfinite(said).all()
    assert (np.diff(said, axis=1) > 0).all()
    assert (found["value_1095d"] < plain["value_1095d"]).all()
    assert 2 < found["value_1095d"].sum() / found["value_90d"].sum() < 1095 / 90


def test_the_registered_model_has_them_too(shop: Project) -> None:
    """Who asks the registry with numbers gets what the project says."""
    bundle, stored = shop.champion()
    model = mlflow.pyfunc.load_model(str(Path(stored.bundle).parents[1]))
    some = shop.snapshots(AS_OF).head(50)
    frame = some[list(bundle.feature_names)].astype(
        {feature.name: "float64" for feature in bundle.features if not feature.is_category}
    )
    answer = model.predict(frame, params={"horizons": [90.0, 1095.0], "yearly_discount": 0.1})
    wanted = bundle.value_over(some, (90, 1095), 0.1)
    pd.testing.assert_frame_equal(answer[wanted.columns.tolist()], wanted)


def test_a_service_under_contract_is_refused_in_words(way: Way, project: Project) -> None:
    """Nothing in it tells how long customers go on buying; and no reader waits for a refusal."""
    if way.kind == "retail":
        with pytest.raises(InputError, match="which is three years; found 2000"):
            project.lifetime_value(AS_OF, horizons=(90, 2000))
        return
    horizon = project.configuration.value.horizon_days
    with pytest.raises(BundleError, match=rf"wants a model of the customer base.* own horizon, {horizon:g} days"):
        project.lifetime_value(AS_OF, horizons=HORIZONS)
