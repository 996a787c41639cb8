"""The data of a configuration: tables on an engine, features, snapshots and their audit, for every room above."""

from holdfast.dataset.dataset import Dataset
from holdfast.dataset.results import Built, Checked
from holdfast.dataset.settings import DatasetSettings, TrainingDataSettings

__all__ = ["Built", "Checked", "Dataset", "DatasetSettings", "TrainingDataSettings"]
