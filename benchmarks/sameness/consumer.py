"""A program: ask a registered model about snapshots, as a team would that has MLflow and not our package.

    python consumer.py TRACKING_URI NAME SNAPSHOTS FOLDER HORIZON …

Writes ``predicted.parquet``, the scores of every snapshot and its value within each horizon, and
``contributions.parquet``, what every feature adds to the log-odds of every snapshot of the latest cutoffs.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
from mlflow.types import DataType

KEYS = ["customer_id", "cutoff"]
YEARLY_DISCOUNT = 0.1
EXPLAINED = 4  # cutoffs; the registered model takes its time over hundreds of reasons a customer


def contributions(said: pd.DataFrame, features: Sequence[str]) -> pd.DataFrame:
    """From the k-th largest contribution and its feature, for all k, to one column per feature."""
    names, found, rows = pd.Index(features), np.full((len(said), len(features)), np.nan), np.arange(len(said))
    for k in range(1, len(features) + 1):
        found[rows, names.get_indexer(pd.Index(said[f"reason_{k}_feature"]))] = said[f"reason_{k}_contribution"]
    return pd.DataFrame(found, index=said.index, columns=list(features))


def _is_the_package(module: str) -> bool:
    """The code of a model has a package name of its own, the package's and more."""
    return "." not in module and module.startswith("holdfast")


def main(uri: str, name: str, snapshots: str, folder: str, *horizons: str) -> None:
    """Ask for everything that the model can say."""
    mlflow.set_tracking_uri(uri)
    model = mlflow.pyfunc.load_model(f"models:/{name}@champion")
    places = {str(Path(module.__file__ or "").parent) for name, module in sys.modules.items() if _is_the_package(name)}
    if not any("code" in Path(place).parts for place in places):
        raise SystemExit(f"Wanted the code that came with the model, found {', '.join(sorted(places)) or 'none'}.")
    frame = pd.read_parquet(snapshots)
    inputs = {column.name: column.type for column in model.metadata.get_input_schema()}
    given = frame[list(inputs)].astype({n: np.float64 for n, kind in inputs.items() if kind == DataType.double})
    asked = {"horizons": [float(days) for days in horizons], "yearly_discount": YEARLY_DISCOUNT} if horizons else None
    said = model.predict(given, params=asked)
    pd.concat([frame[KEYS], said], axis=1).to_parquet(Path(folder) / "predicted.parquet")
    latest = frame["cutoff"].isin(sorted(frame["cutoff"].unique())[-EXPLAINED:])
    why = contributions(model.predict(given[latest], params={"reasons": len(inputs)}), list(inputs))
    pd.concat([frame.loc[latest, KEYS], why], axis=1).to_parquet(Path(folder) / "contributions.parquet")


if __name__ == "__main__":
    main(*sys.argv[1:])
