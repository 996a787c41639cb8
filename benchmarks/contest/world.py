"""Simulated worlds as tasks: learn from all outcomes known on the day of the export, predict that day.

The outcome after the export is in the truth alone, so what is measured is what a user gets who trains today and scores
today. Worlds and their snapshots are kept in a folder, so that another section or run need not build them again.
"""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks.contest.task import Task, purchases, without_outcomes
from holdfast import Project
from holdfast.simulate import Kind, simulate
from holdfast.timeline import instant

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
HIDDEN = ("drift", "ticket", "sore", "hazard", "rate", "touch", "seasonal")
"""Columns of the truth that no table tells; which of them there are depends on the kind."""


@dataclass(frozen=True)
class World:
    """A task, and the truth about its test rows, row by row."""

    kind: Kind
    seed: int
    task: Task
    truth: pd.DataFrame
    name: str

    @property
    def p(self) -> np.ndarray:
        """The true probabilities of churn."""
        return self.truth["p_churn"].to_numpy()

    def of_few(self, customers: int, seed: int) -> World:
        """The same world to a business that had only so many of its customers, drawn at random, until today."""
        ids = np.unique(self.task.known["customer_id"].astype(str).to_numpy())
        if self.task.purchases is not None:
            ids = np.union1d(ids, self.task.purchases["customer_id"].astype(str).to_numpy())
        ids = np.union1d(ids, self.task.test["customer_id"].astype(str).to_numpy())
        chosen = set(np.random.default_rng([seed, customers]).choice(ids, size=min(customers, len(ids)), replace=False))

        def few(frame: pd.DataFrame) -> pd.DataFrame:
            return frame[frame["customer_id"].isin(chosen)].reset_index(drop=True)

        bought = self.task.purchases
        task = replace(
            self.task,
            known=few(self.task.known),
            present=few(self.task.present),
            purchases=None if bought is None else few(bought),
        )
        return replace(self, task=task, name=f"{self.name}-of-{customers}-{seed}")


def world(kind: Kind, customers: int, seed: int, folder: Path, *, season: float = 0.0) -> World:
    """Build a world, or take it from the folder."""
    name = f"{kind}-{customers}-{seed}" + (f"-season{season:g}" if season else "")
    kept = folder / f"{name}.{_fingerprint()}.pickle"
    if kept.is_file():
        return pickle.loads(kept.read_bytes())  # our own file, written below
    built = _build(kind, customers, seed, folder / name, season)
    folder.mkdir(parents=True, exist_ok=True)
    kept.write_bytes(pickle.dumps(built))
    return built


def settings_of(kind: Kind, folder: Path) -> dict[str, Any]:
    """The demonstration's configuration, reading this folder, every snapshot."""
    settings: dict[str, Any] = yaml.safe_load((CONFIGS / f"demo_{kind}.yaml").read_text(encoding="utf-8"))
    settings["training"] = {"most_snapshots": None}
    for source in settings["sources"].values():
        source["path"] = str(folder / Path(source["path"]).name)
    return settings


def _fingerprint() -> str:
    """Of the code that decides what a world holds: everything but the models, which change while one tries."""
    from holdfast import features, history, labels, simulate, snapshots, sources

    whole = hashlib.sha256(Path(__file__).read_bytes() + (Path(__file__).parent / "task.py").read_bytes())
    for room in (features, history, labels, simulate, snapshots, sources):
        for path in sorted(Path(str(room.__file__)).parent.rglob("*.py")):
            whole.update(path.read_bytes())
    return whole.hexdigest()[:12]


def _build(kind: Kind, customers: int, seed: int, folder: Path, season: float) -> World:
    business = simulate(kind, folder, customers=customers, seed=seed, season=season)
    as_of = instant(business.as_of)
    with Project.open(settings_of(kind, folder)) as project:
        known, test = project.snapshots(), project.snapshots(business.as_of.isoformat())
        bought = purchases(project.dataset, as_of)
        spec = project.evaluation.spec()
    truth = pd.read_parquet(business.truth)
    truth = truth[truth["cutoff"] == pd.Timestamp(business.as_of, tz="UTC")].drop(columns=["cutoff", "cause"])
    test = test.drop(columns=[name for name in ("churned", "future_value") if name in test])
    joined = (
        test[["customer_id"]]
        .astype({"customer_id": object})
        .merge(truth.astype({"customer_id": object}), on="customer_id", how="left", validate="one_to_one")
    )
    told = joined["p_churn"].notna().to_numpy()  # a row whose customer was lost to dirt may make someone up
    test = test.copy().assign(churned=joined["churned"].astype(float), future_value=joined["future_value"])
    test, joined = test[told].reset_index(drop=True), joined[told].reset_index(drop=True)
    task = Task(known, test, spec, without_outcomes(test), bought)
    return World(kind, seed, task, joined, folder.name)
