"""Reads a published list as a careful consumer does: resolve the pointer once, then check every hash."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

FILES = {"manifest.json", "customers.parquet", "at_risk.parquet", "at_risk.csv", "excluded.parquet", "report.html"}


def read_manifest(pointer: Path) -> dict[str, Any]:
    """The manifest, after every file was found whole and of this list; fails otherwise."""
    folder = pointer.resolve(strict=True)
    assert {path.name for path in folder.iterdir()} == FILES
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    for name, told in manifest["files"].items():
        content = (folder / name).read_bytes()
        assert len(content) == told["bytes"], name
        assert sha256(content).hexdigest() == told["sha256"], name
    assert set(manifest["files"]) == FILES - {"manifest.json"}
    listed = pq.read_table(folder / "at_risk.parquet")
    assert set(listed["list_id"].to_pylist()) <= {manifest["list_id"]}
    assert len(listed) == manifest["counts"]["contact"]
    return manifest
