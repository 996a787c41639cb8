"""The demonstration's configurations fit the tables that the simulator writes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from holdfast.simulate import Simulated

CONFIGS = Path(__file__).parents[3] / "configs"


def test_every_mapped_column_exists_and_what_would_leak_stays_out(business: Simulated) -> None:
    """The names on the right of the mapping are the simulator's to keep."""
    text = (CONFIGS / f"demo_{business.kind}.yaml").read_text(encoding="utf-8")
    sources = yaml.safe_load(text)["sources"]
    assert {Path(source["path"]).name for source in sources.values()} == set(business.rows)
    for source in sources.values():
        path = business.folder / Path(source["path"]).name
        table = pd.read_csv(path, sep=";") if path.suffix == ".csv" else pd.read_parquet(path)
        mapped = [*source["columns"].values(), *(a["column"] for a in source.get("attributes", {}).values())]
        assert set(mapped) <= set(table.columns)
        assert "status_today" not in mapped
        for ours, words in source.get("values", {}).items():
            assert set(table[source["columns"][ours]].dropna()) == set(words)


@pytest.mark.parametrize("kind", ["retail", "subscription"])
def test_paths_point_to_the_folder_that_the_demo_builds(kind: str) -> None:
    """The demo builds beside the configurations' folder."""
    sources = yaml.safe_load((CONFIGS / f"demo_{kind}.yaml").read_text(encoding="utf-8"))["sources"]
    assert all(source["path"].startswith(f"../demo/{kind}/") for source in sources.values())
