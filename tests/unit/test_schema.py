"""The JSON Schema that editors use to complete and check a configuration."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.conftest import ROOT

CONFIGURATIONS = sorted((ROOT / "configs").glob("*.yaml"))
SCHEMA = json.loads((ROOT / "configs" / "schema.json").read_text(encoding="utf-8"))


def problems(settings: Any) -> list[str]:
    """What an editor would underline."""
    return [error.message for error in Draft202012Validator(SCHEMA).iter_errors(settings)]


def read(path: Path) -> Any:
    """The settings as an editor sees them: dates are texts."""
    return json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8")), default=str))


def test_the_schema_is_a_schema() -> None:
    """An editor drops a schema that breaks the rules of schemas, without a word."""
    Draft202012Validator.check_schema(SCHEMA)


def test_the_stored_schema_is_that_of_the_code(root: Path) -> None:
    """An editor with an old schema underlines what is right: run `holdfast schema > configs/schema.json`."""
    from holdfast.config import json_schema

    assert json_schema() == SCHEMA


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_an_example_passes_and_names_its_schema(path: Path) -> None:
    """The first line tells the editor where the schema is."""
    assert path.read_text(encoding="utf-8").splitlines()[0] == "# yaml-language-server: $schema=schema.json"
    assert problems(read(path)) == []


@pytest.mark.parametrize("place", [(), ("churn",), ("sources", "orders"), ("outreach",), ("cutoffs",)], ids=str)
def test_an_unknown_key_is_underlined(place: tuple[str, ...]) -> None:
    """A misspelt key would otherwise be noticed only when a run refuses it."""
    settings = deepcopy(read(ROOT / "configs" / "online_retail.yaml"))
    inner = settings
    for key in place:
        inner = inner[key]
    inner["horizon_dayz"] = 90
    assert any("horizon_dayz" in problem for problem in problems(settings))


@pytest.mark.parametrize("key", ["population", "churn", "value", "outreach", "cutoffs", "sources", "name"])
def test_a_missing_decision_is_underlined(key: str) -> None:
    """What decides the answer has no default."""
    settings = read(ROOT / "configs" / "online_retail.yaml")
    del settings[key]
    assert problems(settings) == [f"'{key}' is a required property"]


def test_every_setting_says_what_it_is_for() -> None:
    """The descriptions are what an editor shows beside a key."""
    silent = [path for path, field in fields(SCHEMA["$defs"] | {"": SCHEMA}) if "description" not in field]
    assert silent == []


def fields(definitions: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each property of each object with its place; what it refers to speaks for it where it says nothing itself."""
    for name, definition in definitions.items():
        for key, field in definition.get("properties", {}).items():
            target = definitions.get(str(field.get("$ref", "")).rpartition("/")[2], {})
            yield f"{name}.{key}", target | field
