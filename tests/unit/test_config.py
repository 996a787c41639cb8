"""One YAML file holds a whole project; every mistake in it is named before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.config import Configuration, json_schema, load, parse
from holdfast.errors import ConfigError
from tests.conftest import ROOT
from tests.end_to_end.shop import settings


def refused(raw: object) -> str:
    """The message with which settings are refused."""
    with pytest.raises(ConfigError) as caught:
        parse(raw, "shop.yaml")
    return str(caught.value)


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_configurations_that_we_ship_load(path: Path) -> None:
    """They are what people copy."""
    assert isinstance(load(path), Configuration)


def test_every_problem_is_named_at_once() -> None:
    """Nobody wants to run six times to learn of six typos."""
    raw = settings(churn__horizon_days=-1, value__of="love", outreach__budget=None, seeds=3)
    message = refused(raw)
    assert message.startswith("Found 4 problems in shop.yaml:")
    assert "churn.horizon_days: Input should be greater than 0, found -1." in message
    assert "value.of: " in message
    assert "outreach.budget: this key is missing, and it has no default because it decides the answer." in message
    assert "seeds: this key is unknown; check its spelling and its place." in message


def test_a_search_and_a_hurry_are_not_wanted_together() -> None:
    """One says to spend minutes, the other to save them."""
    message = refused(settings(training={"effort": "quick", "tuning": {"minutes": 1}}))
    assert "wanted a search under tuning or the effort quick, found both; remove one of them" in message


def test_one_problem_is_told_in_the_singular() -> None:
    """Small things show whether somebody cared."""
    assert refused(settings(name="1 shop")).startswith("Found 1 problem in shop.yaml:")


@pytest.mark.parametrize("raw", [None, [], "text", 3])
def test_what_is_no_mapping_is_refused(raw: object) -> None:
    """An empty file, a list, a word."""
    assert f"found {type(raw).__name__}" in refused(raw)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("population", {"bought_within_days": 90, "subscribed": True}),
        ("population", {}),
        ("churn", {"kind": "no_order", "horizon_days": 90, "grace_days": 14}),
        ("outreach__budget", {"contacts": 5, "share": 0.1}),
        ("outreach__stages", {"onboarding_days": 30, "lapsing_days": 90, "dormant_days": 60, "lost_days": 360}),
    ],
)
def test_settings_that_contradict_each_other_are_refused(key: str, value: object) -> None:
    """Each block checks itself, and the message says where it stands."""
    assert key.replace("__", ".") in refused(settings(**{key: value}))


def test_the_fingerprint_depends_on_what_is_set_and_not_on_how() -> None:
    """Order and spelled-out defaults are no new configuration; a new horizon is."""
    raw = settings()
    same = parse({name: raw[name] for name in reversed(raw)} | {"seed": 0})
    assert parse(raw).fingerprint == same.fingerprint
    assert parse(raw).fingerprint != parse(settings(churn__horizon_days=61)).fingerprint


DEARER = {"personal_offer": {"channel": "email", "contact_cost": 99.0, "save_rate": 0.2}}


def test_what_a_model_depends_on_leaves_out_money_and_places() -> None:
    """A price or an offer changes without retraining; a list still tells under which it was made."""
    before, dearer = parse(settings()), parse(settings(outreach__actions=DEARER))
    assert dearer.model_fingerprint == before.model_fingerprint
    assert dearer.fingerprint != before.fingerprint
    assert parse(settings(output="elsewhere")).model_fingerprint == before.model_fingerprint
    assert parse(settings(churn__horizon_days=61)).model_fingerprint != before.model_fingerprint
    assert parse(settings(seed=1)).model_fingerprint != before.model_fingerprint


OWN = {"source": "orders", "aggregate": "count", "window": 14, "unit": "count", "meaning": "ordered {value} times"}


def test_own_features_are_part_of_the_configuration() -> None:
    """Each mistake in them is named with its place, and another definition is another configuration."""
    one, other = (parse(settings(features={"orders_14d": OWN | more})) for more in ({}, {"where": "amount >= 10"}))
    assert one.fingerprint != other.fingerprint != parse(settings()).fingerprint
    message = refused(settings(features={"orders_14d": OWN | {"where": "amount = 10", "windw": 3}, "Own": OWN}))
    assert message.startswith("Found 3 problems in shop.yaml:")
    assert "features.orders_14d.where: wanted one of == >= > <= <, found '= 10'" in message
    assert "features.orders_14d.windw: this key is unknown" in message
    assert "features.Own" in message


def test_a_feature_has_one_direction() -> None:
    """Settings that contradict each other are a mistake, not a tie."""
    training = {"risk_rises": ["tickets_open"], "risk_falls": ["orders_90d"]}
    assert parse(settings(training=training)).training.directions == {"tickets_open": "rises", "orders_90d": "falls"}
    assert parse(settings()).training.directions == {}
    message = refused(settings(training={"risk_rises": ["orders_90d"], "risk_falls": ["orders_90d"]}))
    assert "training: wanted one direction for each feature, found orders_90d under risk_rises and under" in message


def test_labels_are_both_definitions() -> None:
    """Churn and value look ahead together."""
    labels = parse(settings(value__horizon_days=90)).labels
    assert (labels.churn.horizon_days, labels.value.horizon_days) == (60, 90)
    assert labels.complete_after.count == 90


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"name: [", "line 1"),
        (b"name: shop\nname: other\n", "'name' stands twice"),
        (b"a: &x {b: 1}\nc: {<<: *x, d: 2, d: 3}\n", "'d' stands twice"),
        (b"name: !!python/name:os.system\n", "tags that build objects are refused"),
        (b"? [1, 2]\n: 3\n", "a key is no plain text"),
        (b"? {a: 1}\n: 3\n", "a key is no plain text"),
    ],
)
def test_files_that_are_no_plain_yaml_are_refused(tmp_path: Path, content: bytes, part: str) -> None:
    """Whatever stands in the file, the message is ours."""
    path = tmp_path / "shop.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert part in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Missing, or a folder."""
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="Is a directory"):
        load(tmp_path)


def test_anchors_and_merges_are_plain_yaml(tmp_path: Path) -> None:
    """People share blocks between sources."""
    path = tmp_path / "shop.yaml"
    path.write_text("a: &common {x: 1, y: 2}\nb: {<<: *common, y: 3}\n")
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert "a: this key is unknown" in str(caught.value)


def test_the_schema_names_every_key() -> None:
    """Editors complete what it lists."""
    schema = json_schema()
    assert set(schema["properties"]) == set(Configuration.model_fields)
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("path", ["churn__horizon_days", "cutoffs__every", "population__bought_within_days"])
def test_a_yes_is_no_number(path: str) -> None:
    """YAML reads ``on`` and ``yes`` as true, which Python counts as 1."""
    with pytest.raises(ConfigError, match=rf"{path.replace('__', '.')}.*wanted a number and no yes or no, found True"):
        parse(settings(**{path: True}))


@pytest.mark.parametrize("text", ["name: " + "[" * 5_000 + "]" * 5_000, "name: " + "{a: " * 5_000 + "}" * 5_000])
def test_a_file_nested_beyond_reason_is_refused(tmp_path: Path, text: str) -> None:
    """A generated file with an error in it must not end in a traceback."""
    (tmp_path / "shop.yaml").write_text(text)
    with pytest.raises(ConfigError, match="nested too deeply"):
        load(tmp_path / "shop.yaml")


@pytest.mark.parametrize(
    ("given", "kind", "memory", "threads"),
    [
        ("duckdb", "duckdb", "2GB", 2),
        ("spark", "spark", "2GB", 2),
        ({"kind": "duckdb"}, "duckdb", "2GB", 2),
        ({"memory": "4GB", "threads": 8}, "duckdb", "4GB", 8),
        ({"kind": "spark"}, "spark", "2GB", 2),
    ],
)
def test_an_engine_is_a_kind_or_a_mapping(given: object, kind: str, memory: str, threads: int) -> None:
    """Files that name only the kind stay as good as they were; the answer depends on none of it."""
    whole = settings()
    found = parse({**whole, "engine": given})
    assert (found.engine.kind, found.engine.memory, found.engine.threads) == (kind, memory, threads)
    assert found.fingerprint == parse(whole).fingerprint


@pytest.mark.parametrize(
    ("given", "part"),
    [
        ("polars", "engine.kind: Input should be 'duckdb' or 'spark', found 'polars'"),
        ({"memory": "much"}, "engine.memory: "),
        ({"threads": 0}, "engine.threads: "),
        ({"kind": "spark", "memory": "4GB"}, "spark.task_memory"),
        ({"memroy": "4GB"}, "engine.memroy: this key is unknown"),
    ],
)
def test_an_engine_that_cannot_be_is_refused_by_its_key(given: object, part: str) -> None:
    """A bound that nobody heeds would be found out in the night in which it is needed."""
    assert part in refused({**settings(), "engine": given})
