"""A bundle that somebody edited and sealed again: refused in one sentence, whatever was changed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from holdfast.errors import BundleError
from holdfast.models import Bundle
from holdfast.models.bundle import _sha256
from holdfast.models.risk import RiskModel
from holdfast.models.states import StateModel, ValueShares

INSTEAD: tuple[Any, ...] = (None, "x", -1, 10**30, [], {}, [[1.0]], True)


def sealed(folder: Path, index: Any) -> None:
    """Write the index with hashes that fit."""
    for name in index["files"]:
        index["files"][name] = _sha256((folder / name).read_bytes())
    (folder / "bundle.json").write_text(json.dumps(index))
    (folder / "bundle.sha256").write_text(_sha256((folder / "bundle.json").read_bytes()))


def places(found: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands, two of each list."""
    keys = (
        list(found) if isinstance(found, dict) else list(range(min(len(found), 2))) if isinstance(found, list) else []
    )
    for key in keys:
        yield (*path, key)
        yield from places(found[key], (*path, key))


def changed(index: Any, path: tuple[Any, ...], instead: Any) -> Any:
    """With something else in one place."""
    index = deepcopy(index)
    at = index
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = instead
    return index


def test_nothing_in_the_index_makes_another_error(bundle: Bundle, table: pd.DataFrame, tmp_path: Path) -> None:
    """Whatever stands where a number, a list or a name belongs; and what still loads still scores."""
    shares = ValueShares(leaving=0.4, gone=0.05, kept=0.9)
    states = StateModel(RiskModel.constant(len(bundle.features), 0.2), bundle.risk, shares=shares)
    folder = replace(bundle, states=states).save(tmp_path / "bundle")
    whole = json.loads((folder / "bundle.json").read_text())
    everywhere = [path for path in places(whole) if path[0] in ("risk", "value", "states", "features", "card")]
    draw, refused = np.random.default_rng(0), 0
    chosen = [everywhere[i] for i in draw.permutation(len(everywhere))[:300]]
    for path in chosen:
        sealed(folder, changed(whole, path, INSTEAD[int(draw.integers(len(INSTEAD)))]))
        try:
            found = Bundle.load(folder)
        except BundleError:
            refused += 1
        else:
            assert len(found.predict(table.head(3))) == 3
    assert refused > len(chosen) // 2


def test_numbers_without_end_are_refused(bundle: Bundle, tmp_path: Path) -> None:
    """Python's JSON reads them, and every score would be infinite or missing."""
    folder = bundle.save(tmp_path / "bundle")
    text = (folder / "bundle.json").read_text()
    slope = '"slope": ' + text.split('"slope": ')[1].split(",")[0].split("\n")[0]
    for number in ("NaN", "Infinity", "1e999"):
        (folder / "bundle.json").write_text(text.replace(slope, f'"slope": {number}'))
        (folder / "bundle.sha256").write_text(_sha256((folder / "bundle.json").read_bytes()))
        with pytest.raises(BundleError, match="sound hashes, but what it holds is no model"):
            Bundle.load(folder)


EDITS = """
import sys, json, random
from pathlib import Path
from holdfast.errors import BundleError
from holdfast.models import Bundle
from tests.unit.models.test_edited_bundle import sealed
folder = Path(sys.argv[1])
file = folder / "value_amount_trees.txt"
whole, index, draw = file.read_text(), json.loads((folder / "bundle.json").read_text()), random.Random(0)
lines, refused = whole.split("\\n"), 0
end = lines.index("end of trees")
for _ in range(300):
    edited = list(lines)
    at = draw.randrange(end)
    name, equals, values = edited[at].partition("=")
    parts = values.split(" ")
    kind = draw.randrange(5)
    if kind == 0:
        del edited[at]
    elif kind == 1:
        parts[draw.randrange(len(parts))] = draw.choice(["-999999999", "999999999", "nan", "", "x", "-1", "1e400"])
        edited[at] = name + equals + " ".join(parts)
    elif kind == 2:
        edited[at] = name + equals + " ".join(parts[:-1])
    elif kind == 3:
        edited[at] = name + equals + " ".join([*parts, "0"])
    else:
        edited[at : at + 1] = []
        edited.insert(draw.randrange(end), lines[at])
    file.write_text("\\n".join(edited))
    sealed(folder, index)
    try:
        Bundle.load(folder)
    except BundleError:
        refused += 1
print(refused)
"""


def test_no_text_of_trees_ends_the_process(bundle: Bundle, tmp_path: Path) -> None:
    """LightGBM reads lists beyond their ends; a scoring service would be gone without a word."""
    folder = bundle.save(tmp_path / "bundle")
    assert (folder / "value_amount_trees.txt").exists()
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-c", EDITS, str(folder)]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=300)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 200
