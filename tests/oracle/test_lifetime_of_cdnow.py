"""CDNOW, the reference for lifetime value: 13 weeks learnt from, 39 weeks told, and what came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
import yaml
from scipy.stats import spearmanr

from holdfast import Project
from holdfast.learning import ValueRegressor
from holdfast.learning.training import HISTORY, SEASON, known_by
from holdfast.models import learn_categories, to_matrix
from holdfast.models.feature_record import place_of, places_of
from holdfast.models.lifetime import Lifetime
from holdfast.timeline import instant

AS_OF, NEAR, FAR = "1997-10-01", 91, 273


@pytest.fixture(scope="module")
def purchases(shared_data: Path) -> Path:
    """The tenth of the customers that the papers use."""
    file = shared_data / "cdnow" / "transactions_sample.parquet"
    if not file.exists():
        pytest.skip("the purchases of CDNOW are not on this machine")
    return file


def test_thirteen_weeks_carried_on_tell_thirty_nine(root: Path, purchases: Path) -> None:
    """The total at the far horizon errs hardly more than at the near one, and customers are in a better order."""
    configuration: dict[str, Any] = yaml.safe_load((root / "configs" / "cdnow.yaml").read_text(encoding="utf-8"))
    configuration["sources"]["orders"]["path"] = str(purchases)
    with Project.open(configuration) as project:
        labels, features = project.configuration.labels, [feature.record() for feature in project.features()]
        table = known_by(project.snapshots(), instant(AS_OF), labels.complete_after)
        present = project.snapshots(AS_OF)
        card = project.evaluation.spec().card
    specs = learn_categories(table, features)
    now = to_matrix(present, specs)
    model = ValueRegressor(
        purge_days=NEAR,
        horizon_days=NEAR,
        season_columns=places_of(SEASON, specs),
        history_columns=places_of(HISTORY, specs),
        spend_column=place_of("spend", specs),
        bought_within_days=project.configuration.population.bought_within_days,
    ).fit(to_matrix(table, specs), table["future_value"], cutoff=table["cutoff"], recent=now)
    told = Lifetime.of(model.model_, card).mean(now, (NEAR, FAR))
    came = np.column_stack([spend(purchases, days, present["customer_id"].tolist()) for days in (NEAR, FAR)])
    near, far = told.sum(axis=0) / came.sum(axis=0)
    assert far / near == pytest.approx(1, abs=0.05)
    assert far == pytest.approx(1, abs=0.2)
    ranks = [spearmanr(told[:, k], came[:, k]).statistic for k in (0, 1)]
    assert ranks[1] > ranks[0] > 0.35


def spend(file: Path, days: int, customers: list[str]) -> np.ndarray:
    """What each customer spent within so many days, by a query of its own."""
    since = f"DATE '{AS_OF}'"
    found = duckdb.sql(
        f"SELECT customer_id::VARCHAR AS customer, sum(price) AS spend FROM '{file}' "
        f"WHERE date >= {since} AND date < {since} + {days} GROUP BY 1"
    ).df()
    return found.set_index("customer")["spend"].reindex(customers).fillna(0.0).to_numpy()
