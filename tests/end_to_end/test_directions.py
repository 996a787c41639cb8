"""Directions from the configuration to the bundle, for features of the catalogue and of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from holdfast import Project
from holdfast.errors import ConfigError
from holdfast.learning.training import fit
from holdfast.models import Bundle
from tests.end_to_end.shop import AS_OF, Shop

LARGE: dict[str, Any] = {
    "source": "orders",
    "aggregate": "count",
    "where": "amount >= 30",
    "window": 120,
    "unit": "count",
    "meaning": "placed {value} large orders in the last 120 days",
    "when_empty": 0,
}
FEATURES = {"large_orders_120d": LARGE}
KNOWN = {"risk_rises": ["large_orders_120d", "orders_90d"], "risk_falls": ["spend_365d"]}  # whoever buys more leaves


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop whose owner is sure of the opposite of what its data say."""
    return Shop.build(tmp_path_factory.mktemp("directions"), features=FEATURES, training=KNOWN)


@pytest.fixture(scope="module")
def project(shop: Shop) -> Iterator[Project]:
    """Its data."""
    with Project.open(shop.config) as opened:
        opened.check()
        yield opened


def test_a_bundle_keeps_to_what_was_declared_and_says_so(project: Project, tmp_path: Path) -> None:
    """Churn means no order, so the customer base is a part of the score, and the promise holds beside it."""
    trained = fit(project.snapshots(), project.evaluation.spec(), recent=project.dataset.recent())
    bundle = Bundle.load(trained.save(tmp_path / "bundle"))
    declared = {feature.name: feature.risk for feature in bundle.features if feature.risk}
    assert declared == {"large_orders_120d": "rises", "orders_90d": "rises", "spend_365d": "falls"}
    assert bundle.risk.history is not None
    table = project.snapshots(AS_OF)
    before = bundle.scores(table).log_odds
    for name, direction in declared.items():
        for step in (0.5, 3.0, 400.0):
            more = table.assign(**{name: table[name] + step})
            change = (bundle.scores(more).log_odds - before) * (1 if direction == "rises" else -1)
            assert change[table[name].notna()].min() >= -1e-12
    assert np.isfinite(before).all()


@pytest.mark.parametrize(
    ("training", "part"),
    [
        ({"risk_falls": ["order_90d"]}, r"training\.risk_falls: .* 'order_90d'.*did you mean 'orders_90d'\?"),
        (
            {"risk_rises": ["days_since_order"]},
            "found 'days_since_order' with risk rises: it is read by the model of the",
        ),
        ({"risk_rises": ["season_sin"]}, "found 'season_sin' with risk rises: it is read by the forecast of the level"),
    ],
)
def test_what_cannot_be_kept_to_is_told_before_training_and_does_not_stop_a_score(
    shop: Shop, training: dict[str, list[str]], part: str
) -> None:
    """Scoring uses the bundle that was trained, whatever is planned for the next one."""
    with Project.open(shop.write("wrong.yaml", features=FEATURES, training=training)) as opened:
        with pytest.raises(ConfigError, match=part):
            opened.check()
        with pytest.raises(ConfigError, match=part):
            opened.snapshots()
        assert len(opened.snapshots(AS_OF))
