"""Population, cutoffs, features and labels, put together: one row per customer and cutoff."""

from holdfast.snapshots.building import build_snapshots, require_members, snapshot_parts
from holdfast.snapshots.cutoffs import (
    CutoffSettings,
    complete_until,
    observed_until,
    require_complete,
    training_cutoffs,
)
from holdfast.snapshots.declared import Snapshots, feature_columns
from holdfast.snapshots.file import write_snapshots
from holdfast.snapshots.population import PopulationSettings

__all__ = [
    "CutoffSettings",
    "PopulationSettings",
    "Snapshots",
    "build_snapshots",
    "complete_until",
    "feature_columns",
    "observed_until",
    "require_complete",
    "require_members",
    "snapshot_parts",
    "training_cutoffs",
    "write_snapshots",
]
