"""Time to churn on simulated worlds: horizons that are monotone for everyone, and each calibrated.

One stands half a year before the export, so that every outcome is in the tables, and learns from what was complete.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contest.world import settings_of
from holdfast import Project
from holdfast.labels import LabelSettings
from holdfast.learning.training import fit, known_by
from holdfast.metrics import area_under_curve, calibration_error
from holdfast.simulate import Kind, simulate
from holdfast.snapshots import build_snapshots
from holdfast.timeline import instant

HORIZONS = (30.0, 60.0, 90.0, 180.0)
AS_OF = "2024-07-01"
_DRAWS = 20


def measure(kind: Kind, customers: int, seeds: int, folder: Path) -> dict[str, Any]:
    """ECE, AUC and share of each horizon over worlds, and how many customers' horizons are out of order."""
    worlds = [_one(kind, customers, seed, folder) for seed in range(seeds)]
    eces = {f"{h:g}": [w["horizons"][f"{h:g}"]["ece"] for w in worlds] for h in HORIZONS}
    return {
        "customers": customers,
        "out_of_order": sum(w["out_of_order"] for w in worlds),
        "ece_median": {h: float(np.median(of)) for h, of in eces.items()},
        "ece_worst": {h: max(of) for h, of in eces.items()},
        "by_chance": {h: float(np.mean([w["horizons"][h]["by_chance"] for w in worlds])) for h in eces},
        "worlds": worlds,
    }


def _one(kind: Kind, customers: int, seed: int, folder: Path) -> dict[str, Any]:
    at, place = instant(AS_OF), folder / f"{kind}-{customers}-{seed}"
    simulate(kind, place, customers=customers, seed=seed)
    with Project.open(settings_of(kind, place)) as project:
        labels = project.configuration.labels
        known = known_by(project.snapshots(), at, labels.complete_after)
        present = project.snapshots(AS_OF)
        bundle = fit(known, replace(project.evaluation.spec(), seed=seed), recent=present)
        said = project.survival(AS_OF, horizons=HORIZONS, bundle=bundle)
        each: dict[str, dict[str, float]] = {}
        for horizon in HORIZONS:
            ahead = LabelSettings(
                churn=labels.churn.model_copy(update={"horizon_days": horizon}),
                value=labels.value.model_copy(update={"horizon_days": horizon}),
            )
            came = build_snapshots(
                project.tables, [], population=project.configuration.population, cutoffs=[at], labels=ahead
            )
            joined = came[["customer_id", "churned"]].merge(said, on="customer_id", validate="one_to_one")
            churned, p = joined["churned"].to_numpy(dtype=float), joined[f"p_churn_{horizon:g}d"].to_numpy()
            each[f"{horizon:g}"] = {
                "ece": float(calibration_error(churned, p)),
                "by_chance": by_chance(p, seed),
                "auc": float(area_under_curve(churned, p)),
                "churned": float(churned.mean()),
                "predicted": float(p.mean()),
            }
    steps = np.diff(said[[f"p_churn_{horizon:g}d" for horizon in HORIZONS]].to_numpy(), axis=1)
    steps = -steps if kind == "retail" else steps  # no order within longer is less likely, an end is more likely
    found = {"seed": seed, "out_of_order": int((steps < 0).any(axis=1).sum()), "horizons": each}
    print(f"  {kind} {seed}: " + ", ".join(f"{h} d ECE {of['ece']:.4f} AUC {of['auc']:.3f}" for h, of in each.items()))
    return found


def by_chance(p: np.ndarray, seed: int) -> float:
    """The mean ECE of probabilities that are right, on as many customers: what chance alone makes of it."""
    drawn = np.random.default_rng(seed).random((_DRAWS, len(p))) < p
    return float(np.mean([calibration_error(churned.astype(float), p) for churned in drawn]))


def text(kind: str, found: Mapping[str, Any]) -> str:
    """For people."""
    told = ", ".join(
        f"{h} days {of:.4f} (worst {found['ece_worst'][h]:.4f}, by chance {found['by_chance'][h]:.4f})"
        for h, of in found["ece_median"].items()
    )
    return f"{kind}: ECE {told}; {found['out_of_order']} customers out of order"
