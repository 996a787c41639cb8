"""Whether probabilities and intervals mean what they say on a day whose outcome nobody knows yet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contest.peers import OURS, contest
from benchmarks.contest.world import World, world
from holdfast.metrics import bias_percent, calibration_error
from holdfast.metrics.value import interval_coverage
from holdfast.simulate import Kind

SEASON = 0.4


def measure(kind: Kind, customers: int, seeds: int, folder: Path, *, season: float) -> dict[str, Any]:
    """ECE over worlds, coverage of the 90 % intervals of value, and the bias of the total.

    ``by_chance`` is the ECE of the true probabilities on the same outcomes, which nobody can be expected to beat;
    ``to_truth`` the ECE against the true probabilities, which knows no chance; ``level`` the mean prediction minus the
    mean truth.
    """
    worlds = []
    for seed in range(seeds):
        worlds.append(_one(world(kind, customers, seed, folder, season=season)))
        print(f"  {kind} season {season:g} seed {seed}: " + ", ".join(f"{k} {v:.4f}" for k, v in worlds[-1].items()))
    every = {key: np.array([found[key] for found in worlds]) for key in worlds[0]}
    return {
        "customers": customers,
        "season": season,
        **{f"{key}_median": float(np.median(values)) for key, values in every.items()},
        **{f"{key}_worst": float(values[np.argmax(np.abs(values))]) for key, values in every.items()},
        "coverage_all": float(every["coverage"].mean()),
        "worlds": worlds,
    }


def _one(place: World) -> dict[str, float]:
    said = contest(place.task, place.seed, (OURS,), called=place.name)[OURS]
    churned, came = place.task.churned, place.task.came
    if said.value is None or said.low is None or said.high is None:
        raise ValueError("The package gave no values.")
    return {
        "ece": float(calibration_error(churned, said.p)),
        "by_chance": float(calibration_error(churned, place.p)),
        "to_truth": float(calibration_error(place.p, said.p)),
        "level": float(said.p.mean() - place.p.mean()),
        "coverage": float(interval_coverage(came, said.low, said.high)),
        "value_bias": float(bias_percent(came, said.value)),
    }


def text(kind: str, found: Mapping[str, Any]) -> str:
    """For people."""
    season = f" with a season of ±{found['season']:.0%}" if found["season"] else ""
    return (
        f"{kind}{season}: ECE median {found['ece_median']:.4f}, worst {found['ece_worst']:.4f} "
        f"(the truth itself: {found['by_chance_median']:.4f}, {found['by_chance_worst']:.4f}); "
        f"90 % intervals of value cover {found['coverage_all']:.1%}; "
        f"value bias median {found['value_bias_median']:.1f} %"
    )
