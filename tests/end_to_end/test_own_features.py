"""Features and aggregates of one's own, from the configuration to the model and its list."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from holdfast import Days, Feature, Project
from holdfast.errors import BundleError, ConfigError
from holdfast.history.aggregates import Max
from tests.conftest import ROOT
from tests.end_to_end.command import done, holdfast
from tests.end_to_end.shop import AS_OF, Shop

MODULE = """
from holdfast import aggregate


@aggregate("weekend_share")
def weekend_share(times, cutoff):
    weekends = 0
    for time in times:
        if (time // 86_400_000_000 + 3) % 7 >= 5:
            weekends += 1
    return weekends / len(times)
"""
FEATURES: dict[str, dict[str, Any]] = {
    "large_orders_120d": {
        "source": "orders",
        "aggregate": "count",
        "where": "amount >= 30 and amount < 1000",
        "window": 120,
        "unit": "count",
        "meaning": "placed {value} large orders in the last 120 days",
        "family": "large orders",
    },
    "weekend_share_365d": {
        "source": "orders",
        "aggregate": "weekend_share",
        "where": "amount >= 0",
        "window": 365,
        "unit": "share",
        "meaning": "placed {value} of the orders of the last 365 days on weekends",
    },
}
OWN = {"modules": ["shop_aggregates"], "features": FEATURES}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop with two features of its own, whose model is in charge."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "shop_aggregates.py").write_text(MODULE, encoding="utf-8")
    made = Shop.build(folder, **OWN)
    done("train", made.config)
    done("promote", made.config)
    return made


def test_they_are_listed_trained_on_and_scored_with(shop: Shop) -> None:
    """A feature of one's own is a feature like any other."""
    listed = done("features", "list", shop.config, "--json").json
    assert [feature["name"] for feature in listed[-2:]] == list(FEATURES)
    assert re.search(r"^ *weekend_share_365d +share +365 days", done("features", "list", shop.config).out, re.MULTILINE)
    done("score", shop.config, "--as-of", AS_OF)
    with Project.open(shop.config) as project:
        bundle, _ = project.champion()
        table = project.snapshots(AS_OF)
    assert set(FEATURES) <= set(bundle.feature_names)
    stored = {feature.name: feature for feature in bundle.features}
    assert stored["large_orders_120d"].meaning == FEATURES["large_orders_120d"]["meaning"]

    orders = pd.read_parquet(shop.folder / "orders.parquet")
    cutoff = pd.Timestamp(AS_OF, tz="UTC")
    recent = orders[(orders["at"] < cutoff) & (orders["at"] >= cutoff - pd.Timedelta(days=365))]
    weekends = (recent["at"].dt.day_of_week >= 5).groupby(recent["who"]).mean()
    found = table.set_index("customer_id")["weekend_share_365d"]
    np.testing.assert_allclose(found, weekends.reindex(found.index), rtol=1e-12)
    large = recent[(recent["at"] >= cutoff - pd.Timedelta(days=120)) & (recent["paid"] >= 30)].groupby("who").size()
    found = table.set_index("customer_id")["large_orders_120d"]
    np.testing.assert_array_equal(found, large.reindex(found.index, fill_value=0))


def test_scoring_refuses_a_feature_that_is_gone_or_means_something_else(shop: Shop) -> None:
    """The model would read another number under the same name; an unchanged one is not even trained again."""
    assert done("train", shop.config, "--json").json["fresh"] is False
    changed = {**FEATURES, "large_orders_120d": {**FEATURES["large_orders_120d"], "where": "amount >= 31"}}
    path = shop.write("changed.yaml", modules=OWN["modules"], features=changed)
    answer = holdfast("score", path, "--as-of", AS_OF)
    assert answer.code == BundleError.exit_code
    assert "computed in another way now: large_orders_120d" in answer.err
    answer = holdfast("score", shop.write("without.yaml"), "--as-of", AS_OF)
    assert answer.code == BundleError.exit_code
    assert "not configured any more: large_orders_120d, weekend_share_365d" in answer.err


def test_what_the_data_cannot_give_is_told_before_training(shop: Shop) -> None:
    """A column that is not mapped, a word that nobody registered."""
    wrong = {"large_orders_120d": {**FEATURES["large_orders_120d"], "where": "amuont >= 30"}}
    answer = holdfast("check", shop.write("wrong.yaml", features=wrong))
    assert answer.code == ConfigError.exit_code
    assert "features.large_orders_120d: 'orders' has no column 'amuont' (did you mean 'amount'?)" in answer.err
    wrong = {"large_orders_120d": {**FEATURES["large_orders_120d"], "aggregate": "weekend_shore"}}
    answer = holdfast("features", "list", shop.write("wrong.yaml", modules=OWN["modules"], features=wrong))
    assert "no aggregate is called 'weekend_shore' (did you mean 'weekend_share'?)" in answer.err


def test_python_may_add_records(shop: Shop) -> None:
    """In a notebook, before anything goes into the configuration."""
    largest = Feature(
        "largest_order_60d", "orders", Max("amount"), "currency", "spent {value} at once", "own", Days(60)
    )
    with Project.open(shop.config, features=[largest]) as project:
        assert [feature.name for feature in project.features()[-3:]] == sorted([*FEATURES, "largest_order_60d"])
        assert project.snapshots(AS_OF)["largest_order_60d"].max() > 0
        with_it = project.evaluation.fingerprints
    with Project.open(shop.config) as project:
        assert project.evaluation.fingerprints["code"] != with_it["code"]
        assert project.evaluation.fingerprints["configuration"] == with_it["configuration"]


def examples() -> list[str]:
    """The blocks under "Your own features" of the README."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("### Your own features")[2].partition("\n#")[0]
    return [block.partition("\n")[2] for block in section.split("```")[1::2]]


def test_the_readme_is_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its YAML loads with its module beside it, and its test passes."""
    settings, module, test = examples()
    (tmp_path / "lounge.py").write_text(module, encoding="utf-8")
    made = Shop.build(tmp_path, customers=5)
    text = made.config.read_text(encoding="utf-8")
    own = json.dumps(yaml.safe_load(settings))
    made.config.write_text(text.rstrip().removesuffix("}") + "," + own.strip().removeprefix("{"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    listed = done("features", "list", made.config, "--json").json
    assert {"large_orders_90d", "longest_pause_365d"} <= {feature["name"] for feature in listed}
    monkeypatch.syspath_prepend(tmp_path)
    space: dict[str, Any] = {}
    exec(test, space)
    (check,) = (value for name, value in space.items() if name.startswith("test_"))
    check()
