"""Puts a list where others read it: the folder of its instant with its tables, page and manifest.

The bytes depend on the contents alone, never on the clock, so publishing the same list again changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from holdfast.errors import ConfigError
from holdfast.files import Bytes, Content, VersionedFolder
from holdfast.outreach.selection import Selection
from holdfast.outreach.spreadsheet import csv_bytes
from holdfast.outreach.tables import AT_RISK
from holdfast.partitioned import Spool
from holdfast.timeline import MICROSECONDS_PER_DAY, moment, show

MANIFEST_FORMAT = "holdfast-list/1"
_OWN_FIELDS = ("format", "list_id", "as_of", "counts", "excluded_by_rule", "rules_not_applied", "files")


def publish(selection: Selection, output: VersionedFolder, *, report_html: str, manifest: Mapping[str, Any]) -> Path:
    """Write the list's folder whole, or leave what was there.

    Parameters
    ----------
    selection : Selection
    output : VersionedFolder
        From ``with versioned_folder(path) as output``.
    report_html : str
        The page for people.
    manifest : mapping
        Further plain JSON for the manifest: ``model`` (name and version), ``fingerprints`` (of configuration and of
        data), ``currency``, … Nothing that changes from run to run, such as the time of day.

    Returns
    -------
    Path
        ``output/as_of=2025-01-01``; :func:`folder_name` tells it for every instant.

    Raises
    ------
    StorageError
        The disk refused; the previous list is intact.
    ConfigError
        The manifest's further fields bear names of its own.
    """
    files: dict[str, Content] = {
        "customers.parquet": selection.customers,
        "at_risk.parquet": _parquet(selection.at_risk),
        "at_risk.csv": Bytes(csv_bytes(selection.at_risk)),
        "excluded.parquet": selection.excluded,
        "report.html": Bytes(report_html.encode()),
    }
    files["manifest.json"] = Bytes(_manifest(selection, files, manifest))
    return output.replace(folder_name(selection.as_of), files)


def folder_name(as_of: int) -> str:
    """The name of the list's folder, one per instant: the date alone at midnight of UTC, with the time otherwise.

    Without colons, which not every file system takes: ``as_of=2025-01-01``, ``as_of=2024-12-31T230000Z``.
    """
    at = moment(as_of)
    if as_of % MICROSECONDS_PER_DAY == 0:
        return f"as_of={at:%Y-%m-%d}"
    return f"as_of={at:%Y-%m-%dT%H%M%S}{f'.{at:%f}' if at.microsecond else ''}Z"


def _parquet(at_risk: pd.DataFrame) -> Spool:
    spool = Spool(AT_RISK)
    spool.append(at_risk)
    return spool.finish()


def _manifest(selection: Selection, files: Mapping[str, Content], further: Mapping[str, Any]) -> bytes:
    taken = sorted(set(further) & {*_OWN_FIELDS, "holdfast_version"})
    if taken:
        raise ConfigError(f"Wanted further fields for the manifest, found its own: {', '.join(taken)}. Rename them.")
    content = {
        "format": MANIFEST_FORMAT,
        "list_id": selection.list_id,
        "as_of": show(selection.as_of),
        "counts": selection.counts,
        "excluded_by_rule": selection.excluded_by_rule,
        "rules_not_applied": list(selection.rules_not_applied),
        "files": {name: {"bytes": content.size, "sha256": content.sha256} for name, content in files.items()},
        "holdfast_version": version("holdfast"),
        **further,
    }
    return (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
