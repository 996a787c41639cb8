"""How near the package comes to the truth of simulated worlds, and what the rest is made of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.contest.judging import differences, figures, over_worlds, told
from benchmarks.contest.peers import OURS, Predicted, contest
from benchmarks.contest.world import HIDDEN, World, world
from holdfast.metrics import RISK_METRICS, area_under_curve
from holdfast.simulate import Kind

NAMES = (OURS, "lightgbm_one_slice", "lightgbm", "logistic", "recency")
TRUTH = "truth"
COMPARED = ("auc", "log_loss")


def measure(kind: Kind, customers: int, seeds: int, folder: Path, *, draws: int) -> dict[str, Any]:
    """All worlds of one kind: figures per world and on average, differences, the way to the truth, hidden traits."""
    worlds = []
    for seed in range(seeds):
        worlds.append(_one(world(kind, customers, seed, folder), draws))
        print(f"  {kind} {seed}: " + ", ".join(f"{n} {of['auc']:.4f}" for n, of in worlds[-1]["figures"].items()))
    names = list(worlds[0]["figures"])
    mean = {
        name: {metric: float(np.mean([w["figures"][name][metric] for w in worlds])) for metric in COMPARED}
        | {"calibration_error": float(np.mean([w["figures"][name]["calibration_error"] for w in worlds]))}
        for name in names
    }
    found = {
        peer: {
            metric: over_worlds([w["differences"][peer][metric].estimate for w in worlds], RISK_METRICS[metric])
            for metric in COMPARED
        }
        for peer in names
        if peer not in (OURS, TRUTH)
    }
    alone, ours, true = (mean[name]["auc"] for name in ("recency", OURS, TRUTH))
    traits = {
        trait: {key: float(np.mean([w["hidden"][trait][key] for w in worlds])) for key in worlds[0]["hidden"][trait]}
        for trait in worlds[0]["hidden"]
    }
    return {
        "customers": customers,
        "mean": mean,
        "differences": found,
        "share_of_the_way": (ours - alone) / (true - alone),
        "hidden": traits,
        "worlds": worlds,
    }


def _one(place: World, draws: int) -> dict[str, Any]:
    said = contest(place.task, place.seed, NAMES, called=place.name)
    said[TRUTH] = Predicted(place.p)
    churned, came = place.task.churned, place.task.came
    who = place.task.test["customer_id"].to_numpy()
    return {
        "seed": place.seed,
        "rows": len(churned),
        "figures": {name: figures(churned, came, each) for name, each in said.items()},
        "differences": {
            name: differences(churned, came, said[OURS], each, customers=who, draws=draws, names=COMPARED)
            for name, each in said.items()
            if name not in (OURS, TRUTH)
        },
        "seconds": {name: each.seconds for name, each in said.items()},
        "hidden": hidden(place, said[OURS].p),
    }


def hidden(place: World, p: np.ndarray) -> dict[str, dict[str, float]]:
    """What each hidden trait explains of the difference between true and predicted log-odds.

    ``alone`` is R² of the difference on the trait's levels, ``beside_the_others`` by how much R² of all traits falls
    without it, ``auc`` the AUC on the outcome of the prediction once the trait is known too (the true log-odds
    regressed on the predicted ones and the trait). ``all`` is all of them together; what it lacks to 1 is their
    interplay.
    """
    gap = _logit(place.p) - _logit(p)
    there = [name for name in HIDDEN if name in place.truth]
    levels = {name: _levels(place.truth[name]) for name in there}
    whole = _r2(np.column_stack(list(levels.values())), gap)
    found = {"all": {"alone": whole, "beside_the_others": whole, "auc": _helped(place, p, levels.values())}}
    for name in there:
        others = np.column_stack([part for other, part in levels.items() if other != name])
        found[name] = {
            "alone": _r2(levels[name], gap),
            "beside_the_others": whole - _r2(others, gap),
            "auc": _helped(place, p, [levels[name]]),
        }
    return found


def _helped(place: World, p: np.ndarray, parts: Any) -> float:
    z = _logit(p)[:, None]
    basis = np.column_stack([np.ones(len(p)), z, *parts, *(part * z for part in parts)])
    fitted = basis @ np.linalg.lstsq(basis, _logit(place.p), rcond=None)[0]
    return float(area_under_curve(place.task.churned, fitted))


def _levels(column: pd.Series[float]) -> np.ndarray:
    """A column for each level of a trait but the first."""
    return pd.get_dummies(column, drop_first=True).to_numpy(dtype=np.float64)


def _r2(parts: np.ndarray, gap: np.ndarray) -> float:
    basis = np.column_stack([np.ones(len(gap)), parts])
    left = gap - basis @ np.linalg.lstsq(basis, gap, rcond=None)[0]
    return float(1 - left.var() / gap.var())


def _logit(p: np.ndarray) -> np.ndarray:
    p = np.clip(p, 1e-4, 1 - 1e-4)
    return np.asarray(np.log(p / (1 - p)))


def text(kind: str, found: Mapping[str, Any]) -> str:
    """For people."""
    table = pd.DataFrame.from_dict(found["mean"], orient="index").round(4).to_string()
    traits = pd.DataFrame.from_dict(found["hidden"], orient="index").round(3).to_string()
    way = f"{kind}: {found['share_of_the_way']:.0%} of the way from recency alone to the truth"
    return "\n".join([table, *told(found["differences"], COMPARED), way, "what hidden traits explain:", traits])
