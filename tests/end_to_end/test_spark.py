"""The whole way with ``engine: spark``: the same model, the same list, file by file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.command import done
from tests.end_to_end.conftest import AS_OF, Way

ON_SPARK = "\nengine: spark\nspark: {partitions: 3, most_rows_on_driver: 40000}\n"


@pytest.fixture(scope="module")
def on_spark(way: Way, spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Way:
    """The business of ``way``, on the same tables, trained and scored on Spark with a store of models of its own."""
    root = tmp_path_factory.mktemp(f"spark-{way.kind}")
    tables = way.config.parent.parent / "demo" / way.kind
    (root / "demo" / way.kind).mkdir(parents=True)
    for file in tables.iterdir():
        if file.is_file():
            (root / "demo" / way.kind / file.name).symlink_to(file)
    (root / "configs").mkdir()
    config = root / "configs" / way.config.name
    config.write_text(way.config.read_text(encoding="utf-8") + ON_SPARK, encoding="utf-8")
    answers = {
        "train": done("train", config),
        "promote": done("promote", config),
        "score": done("score", config, "--as-of", AS_OF, "--json"),
    }
    return Way(way.kind, config, answers)


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a list, but for the manifest, which names the engine's own hashes again."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.name != "manifest.json"}


def test_the_list_is_the_same_file_by_file(way: Way, on_spark: Way) -> None:
    """An engine decides how long it takes, never who is called."""
    assert way.answers["score"].json["list_id"] == on_spark.answers["score"].json["list_id"]
    one, other = contents(way.list_folder), contents(on_spark.list_folder)
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []


def test_model_and_data_have_the_same_fingerprints(way: Way, on_spark: Way) -> None:
    """So a model trained on one engine serves on the other, and retraining without news is refused on both."""
    one, other = (
        json.loads((each.list_folder / "manifest.json").read_text(encoding="utf-8")) for each in (way, on_spark)
    )
    assert one["model"] == other["model"]
    assert one["fingerprints"]["data"] == other["fingerprints"]["data"]
    assert one["fingerprints"]["configuration"] == other["fingerprints"]["configuration"]
