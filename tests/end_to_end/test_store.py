"""A nightly score that reads only what is new publishes what one that reads everything publishes."""

from __future__ import annotations

import math
from hashlib import sha256
from pathlib import Path

import pandas as pd

from holdfast import Project
from tests.end_to_end.command import done
from tests.end_to_end.shop import AS_OF, Shop

NIGHTS = ("2024-05-01", "2024-06-01", AS_OF)


def score(config: Path, night: str, output: Path) -> dict[str, str]:
    """Hashes of what is published that night."""
    done("score", config, "--as-of", night, "--output", output)
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in (output / f"as_of={night}").iterdir()}


def test_lists_are_the_same_with_a_store_and_without(shop: Shop, tmp_path: Path) -> None:
    """Three nights; in between the first rows of the export are spoiled, which only a reading of everything can see."""
    whole = pd.read_parquet(shop.folder / "orders.parquet").sort_values("at", ignore_index=True)
    kept, config = shop.folder / "kept", shop.write("kept.yaml", store="kept")
    try:
        for night in NIGHTS:
            known = whole[whole["at"] < pd.Timestamp(night, tz="UTC")]
            known.to_parquet(shop.folder / "orders.parquet", index=False)
            expected = score(shop.config, night, tmp_path / "whole")
            if night != NIGHTS[0]:
                spoiled = known.assign(paid=known["paid"].where(known.index > 50, 1e9))
                spoiled.to_parquet(shop.folder / "orders.parquet", index=False)
            assert score(config, night, tmp_path / "kept") == expected
    finally:
        whole.to_parquet(shop.folder / "orders.parquet", index=False)
    assert len(list(kept.glob("orders.*.parquet"))) == len(NIGHTS)


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
