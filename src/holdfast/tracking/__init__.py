"""Runs and registered models: what was trained from what, how good it was, and which version is in charge.

The only room that imports MLflow, and only when a :class:`Tracker` is opened: settings load without it.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from holdfast.tracking.settings import TrackingSettings

if TYPE_CHECKING:
    from holdfast.tracking.entries import Promotion, RunInfo, RunRecord, StoredModel, Verdict
    from holdfast.tracking.package import ServingCode
    from holdfast.tracking.tracker import Tracker

# MLflow reads these while it is imported, which only other files of this room do.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_DISABLE_AGENT_HINT", "true")
os.environ.setdefault("MLFLOW_DISABLE_SCHEMA_DETAILS", "true")  # the details are customers' rows

_HOME = {
    "Promotion": "entries",
    "RunInfo": "entries",
    "RunRecord": "entries",
    "ServingCode": "package",
    "StoredModel": "entries",
    "Tracker": "tracker",
    "Verdict": "entries",
}

__all__ = ["Promotion", "RunInfo", "RunRecord", "ServingCode", "StoredModel", "Tracker", "TrackingSettings", "Verdict"]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
