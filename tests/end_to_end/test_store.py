"""A nightly score that reads only what is new publishes what one that reads everything publishes."""

from __future__ import annotations

import math
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest

from holdfast import Project
from holdfast.errors import ConfigError
from tests.end_to_end.command import done, holdfast
from tests.end_to_end.shop import AS_OF, Shop

NIGHTS = ("2024-05-01", "2024-06-01", AS_OF)


def score(config: Path, night: str, output: Path) -> dict[str, str]:
    """Hashes of what is published that night."""
    done("score", config, "--as-of", night, "--output", output)
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in (output / f"as_of={night}").iterdir()}


def test_lists_are_the_same_with_a_store_and_without(shop: Shop, tmp_path: Path) -> None:
    """Three nights; in between an order comes late by some hours, and a customer is erased."""
    whole = pd.read_parquet(shop.folder / "orders.parquet").sort_values("at", ignore_index=True)
    kept, config = shop.folder / "kept", shop.write("kept.yaml", store="kept")
    late = whole.index[whole["at"] < pd.Timestamp(NIGHTS[0], tz="UTC")][-3]
    try:
        for night in NIGHTS:
            known = whole[whole["at"] < pd.Timestamp(night, tz="UTC")]
            known = known.drop(index=late) if night == NIGHTS[0] else known
            known = known[known["who"] != whole["who"][0]] if night == NIGHTS[-1] else known
            known.to_parquet(shop.folder / "orders.parquet", index=False)
            assert score(config, night, tmp_path / "kept") == score(shop.config, night, tmp_path / "whole")
            assert sum(len(pd.read_parquet(file)) for file in kept.glob("rows-*.parquet")) > 0.9 * len(known)
    finally:
        whole.to_parquet(shop.folder / "orders.parquet", index=False)


def test_a_store_inside_a_source_is_refused(shop: Shop) -> None:
    """The next night would read its files as orders."""
    config = shop.write("inside.yaml", store="./kept", sources__orders__path=".")
    answer = holdfast("score", config, "--as-of", AS_OF)
    assert answer.code == 2
    assert "store './kept' inside sources.orders.path" in answer.err


def test_a_store_is_named_as_everything_else_is(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that is not set is an error, and no folder of the name of the variable."""
    config = shop.write("variable.yaml", store="${KEEP}/kept")
    with Project.open(config) as project, pytest.raises(ConfigError, match="store needs the environment variable KEEP"):
        project.score(AS_OF, output=tmp_path / "lists")
    monkeypatch.setenv("KEEP", str(tmp_path))
    with Project.open(config) as project:
        project.score(AS_OF, output=tmp_path / "lists")
    assert (tmp_path / "kept" / "kept.json").exists()
    assert not (shop.folder / "${KEEP}").exists()


def test_only_scoring_uses_the_store(shop: Shop, tmp_path: Path) -> None:
    """An audit must see every raw row, so a check, and whatever follows a score, reads everything."""
    orders = shop.folder / "orders.parquet"
    whole, config = pd.read_parquet(orders), shop.write("kept.yaml", store=str(tmp_path / "kept"))
    done("check", config)
    assert not (tmp_path / "kept").exists()
    try:
        with Project.open(config) as project:
            project.score(AS_OF, output=tmp_path / "lists")
            assert (tmp_path / "kept" / "kept.json").exists()
            old = whole["at"].rank(method="first") <= 10
            whole.assign(paid=whole["paid"].mask(old, math.inf)).to_parquet(orders, index=False)
            assert project.tables.report["orders"].rejected == {"not a finite number": 10}
    finally:
        whole.to_parquet(orders, index=False)
