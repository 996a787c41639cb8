"""What few customers cost: log loss of everyone who learns from a few of a world's customers, on all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.contest.peers import OURS, contest
from benchmarks.contest.world import world
from holdfast.metrics import log_loss
from holdfast.simulate import Kind

NAMES = (OURS, "logistic", "lifetimes", "lightgbm", "lightgbm_one_slice")
FEWEST_JUDGES = 3_000
"""So many customers a world has at least, so that those who learn from few are judged on many."""


def measure(kind: Kind, sizes: Sequence[int], seeds: int, folder: Path) -> dict[str, Any]:
    """Mean log loss over seeds by size; ``worse_by`` is by how much the best peer's loss is exceeded, as a share."""
    found: dict[int, dict[str, Any]] = {}
    losses: dict[int, dict[str, list[float]]] = {size: {} for size in sizes}
    for seed in range(seeds):
        whole = world(kind, max(FEWEST_JUDGES, *sizes), seed, folder)
        for size in sizes:
            few = whole.of_few(size, seed)
            said = contest(few.task, seed, NAMES)
            for name, each in said.items():
                losses[size].setdefault(name, []).append(float(log_loss(few.task.churned, each.p)))
            print(f"  {kind} {seed} {size}: " + ", ".join(f"{n} {of[-1]:.4f}" for n, of in losses[size].items()))
    for size, by_name in losses.items():
        mean = {name: float(np.mean(of)) for name, of in by_name.items()}
        best = min(value for name, value in mean.items() if name != OURS)
        found[size] = {"mean": mean, "worse_by": mean[OURS] / best - 1, "seeds": by_name}
    return {"customers": max(FEWEST_JUDGES, *sizes), "sizes": found}


def text(kind: str, found: Mapping[str, Any]) -> str:
    """For people."""
    rows = {size: {**of["mean"], "worse by %": 100 * of["worse_by"]} for size, of in found["sizes"].items()}
    return f"{kind}: mean log loss\n{pd.DataFrame.from_dict(rows, orient='index').round(4).to_string()}"
