"""Whether states and what is at stake mean what they say, on simulated worlds, whose truth tells both.

Ranks are among customers who have not gone: anybody tells a lost customer from a regular one, but whom to keep is asked
of those who are still there. The ceiling is LightGBM that learns the same features from the truth's own labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from time import process_time
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmarks.contest.world import World, world
from holdfast.learning.training import fit
from holdfast.models import categorical_columns, learn_categories
from holdfast.simulate import Kind

Numbers = NDArray[np.float64]
TENTHS = 10
_CEILING = {
    "objective": "cross_entropy",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_child_samples": 200,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.5,
    "bagging_freq": 1,
    "lambda_l2": 10.0,
    "verbosity": -1,
    "seed": 0,
}
_ROUNDS = 150


def measure(kind: Kind, customers: int, seeds: int, folder: Path) -> dict[str, Any]:
    """Figures of every world, their means, and the world that is worst in each."""
    worlds = []
    for seed in range(seeds):
        worlds.append(_one(world(kind, customers, seed, folder), folder))
        told = ", ".join(f"{name} {value:.3f}" for name, value in flat(worlds[-1]).items())
        print(f"  {kind} {seed}: {told}", flush=True)
    table = pd.DataFrame([flat(each) for each in worlds])
    worst = {name: float(values[far(name, values).idxmax()]) for name, values in table.items()}
    return {"customers": customers, "mean": table.mean().to_dict(), "worst": worst, "worlds": worlds}


def far(name: Any, values: pd.Series[float]) -> pd.Series[float]:
    """How bad figures are: a ratio by its distance from 1, an error by itself, others by how low they are."""
    return (values - 1).abs() if name.startswith("money") else values if name.startswith("ece") else -values


def flat(figures: Mapping[str, Any]) -> dict[str, float]:
    """Figures by one name each; lists and seconds are left out."""
    return {
        f"{part} {name}": float(value)
        for part, of in figures.items()
        if isinstance(of, Mapping)
        for name, value in of.items()
        if not isinstance(value, list)
    }


def _one(place: World, folder: Path) -> dict[str, Any]:
    task, truth = place.task, place.truth
    begun = process_time()
    said = fit(task.known, task.spec, recent=task.present).predict(task.test)
    seconds = process_time() - begun
    there, leaving = truth["p_gone"].to_numpy() == 0, truth["p_leaving"].to_numpy()
    if_there = said["p_leaving"].to_numpy() / np.maximum(1 - said["p_gone"].to_numpy(), 1e-9)
    rankings = {
        "p_churn": said["p_churn"].to_numpy(),
        "p_leaving": said["p_leaving"].to_numpy(),
        "leaving_if_there": if_there,
        "ceiling": ceiling(place, folder),
    }
    return {
        "seed": place.seed,
        "customers": len(truth),
        "cpu_seconds": seconds,
        "rank": {name: float(spearmanr(scores[there], leaving[there])[0]) for name, scores in rankings.items()},
        "ece": {name: error(said[name].to_numpy(), truth[name].to_numpy()) for name in ("p_gone", "p_leaving")},
        **money(said, truth),
    }


def money(said: pd.DataFrame, truth: pd.DataFrame) -> dict[str, Any]:
    """What is said to be at stake by what is, in all and by tenths; and what the top tenth of each ranking holds."""
    stake = (truth["p_leaving"] * (truth["value_if_kept"] - truth["value_if_lost"])).to_numpy()
    loss, value = said["expected_loss"].to_numpy(), said["value"].to_numpy()
    tenths = np.array_split(np.argsort(-loss, kind="stable"), TENTHS)
    rankings = {
        "expected_loss": loss,
        "p_churn_times_value": said["p_churn"].to_numpy() * value,
        "value": value,
        "truth": stake,
    }
    return {
        "money": {
            "all": ratio(loss, stake),
            "tenths": [ratio(loss[rows], stake[rows]) for rows in tenths],
        },
        "top": {
            name: float(stake[np.argsort(-scores, kind="stable")[: len(tenths[0])]].sum() / stake.sum())
            for name, scores in rankings.items()
        },
    }


def ratio(said: Numbers, true: Numbers) -> float:
    """Of two sums; NaN where nothing is at stake."""
    return float(said.sum() / true.sum()) if true.sum() > 0 else float("nan")


def error(said: Numbers, true: Numbers) -> float:
    """Mean distance between probabilities told and true, in ten bins of equally many customers."""
    bins = np.array_split(np.argsort(said, kind="stable"), TENTHS)
    return float(sum(abs(said[rows].mean() - true[rows].mean()) * len(rows) for rows in bins) / len(said))


def ceiling(place: World, folder: Path) -> Numbers:
    """Leaving, if still there, as LightGBM tells it that learnt the truth's own labels at the earlier cutoffs."""
    known = place.task.known
    truth = pd.read_parquet(folder / place.name / "truth" / "truth.parquet")
    truth["cutoff"] = truth["cutoff"].dt.as_unit("us").astype("int64")
    keys = ["customer_id", "cutoff"]
    labels = (
        known[keys]
        .astype({"customer_id": object})
        .merge(truth.astype({"customer_id": object})[[*keys, "p_gone", "p_leaving"]], on=keys, how="left")
    )
    there = (labels["p_gone"] == 0).to_numpy()
    X, test = place.task.matrices()
    categories = list(categorical_columns(learn_categories(known, place.task.spec.features)))
    data = lgb.Dataset(X[there], labels["p_leaving"].to_numpy()[there], categorical_feature=categories)
    return np.asarray(lgb.train(_CEILING, data, _ROUNDS).predict(test))


def text(kind: str, found: Mapping[str, Any]) -> str:
    """For people."""
    table = pd.DataFrame({"mean": found["mean"], "worst": found["worst"]}).round(4)
    tenths = np.mean([world["money"]["tenths"] for world in found["worlds"]], axis=0).round(2)
    return f"{kind}, {found['customers']:,} customers\n{table.to_string()}\nmoney by tenths: {tenths.tolist()}"
