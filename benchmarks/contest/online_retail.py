"""Online Retail II on the reference's keys: the package's own backtest beside the peers and a hand-made pipeline.

The keys' labels measure and do nothing else: everybody learns from the package's own snapshots.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
import yaml

from benchmarks.contest.judging import RISK, VALUE, differences, figures, told
from benchmarks.contest.peers import CONTENDERS, OURS, Predicted, contest
from benchmarks.contest.task import Task, purchases, without_outcomes
from benchmarks.contest.world import CONFIGS
from holdfast import Project
from holdfast.learning.training import known_by
from holdfast.metrics import RISK_METRICS, VALUE_METRICS, verdict
from holdfast.timeline import instant, show

REFERENCE = {
    "reference a": "a_recency",
    "reference b": "b_rfm_logit",
    "reference c": "c_bgnbd_gg",
    "reference d": "d_lgbm_default",
    "reference e": "e_best",
}
PEERS = tuple(name for name in CONTENDERS if name != OURS)
KEYS = ["customer_id", "cutoff"]
TOLD = ("auc", "log_loss", "mae", "spearman", "gini")


def measure(reference: Path, *, draws: int, seed: int, timed: bool = True) -> dict[str, Any]:
    """The default configuration, pooled and at each cutoff.

    ``seconds`` has the reading and feature building, the training (with its audit and its own evaluation, into a
    registry of its own), and the backtest, whose fit at the last cutoff the training has made already.
    """
    keys = _keys(reference)
    settings = yaml.safe_load((CONFIGS / "online_retail.yaml").read_text(encoding="utf-8"))
    with TemporaryDirectory() as folder, Project.open({**settings, "tracking": {"folder": folder}}, base=CONFIGS) as us:
        begun = perf_counter()
        snapshots = us.snapshots()
        seconds = {"snapshots": perf_counter() - begun}
        if timed:
            us.train()
            seconds["train"] = perf_counter() - begun - seconds["snapshots"]
        started = perf_counter()
        tested = us.backtest().predictions
        seconds["backtest"] = perf_counter() - started
        seconds["all"] = perf_counter() - begun
        print("  seconds: " + ", ".join(f"{name} {value:.0f}" for name, value in seconds.items()))
        columns = {"model_p_churn": "p", "model_value": "value", "value_low": "low", "value_high": "high"}
        parts = {OURS: [tested[[*KEYS, *columns]].rename(columns=columns)]}
        for day in settings["cutoffs"]["test"]:
            for name, part in _peers(us, snapshots, instant(day), seed).items():
                parts.setdefault(name, []).append(part)
    said = {name: _on_keys(keys, pd.concat(frames)) for name, frames in parts.items()}
    for name, column in REFERENCE.items():
        said[name] = Predicted(keys[f"{column}__p"].to_numpy(), keys[f"{column}__v"].to_numpy())
    return {**_judged(keys, said, draws), "seconds": seconds}


def _keys(reference: Path) -> pd.DataFrame:
    keys = pd.read_parquet(reference / "online_retail_ii_keys.parquet")
    others = pd.read_parquet(reference / "online_retail_ii_predictions.parquet")
    keys = keys.merge(others, on=KEYS, validate="one_to_one")
    return keys.assign(
        customer_id=keys["customer_id"].astype(str), cutoff=keys["cutoff"].astype("datetime64[us]").astype(np.int64)
    )


def _peers(us: Project, snapshots: pd.DataFrame, cutoff: int, seed: int) -> dict[str, pd.DataFrame]:
    test = snapshots[snapshots["cutoff"] == cutoff]
    task = Task(
        known=known_by(snapshots, cutoff, us.configuration.labels.complete_after),
        test=test,
        spec=us.evaluation.spec(),
        present=without_outcomes(test),
        purchases=purchases(us.dataset, cutoff),
    )
    return {
        name: task.test[KEYS].assign(p=each.p, value=np.nan if each.value is None else each.value)
        for name, each in contest(task, seed, PEERS).items()
    }


def _on_keys(keys: pd.DataFrame, said: pd.DataFrame) -> Predicted:
    """In the order of the keys; every key must be there."""
    joined = keys[KEYS].merge(said, on=KEYS, how="left", validate="one_to_one")
    if joined["p"].isna().any() or len(said) != len(keys):
        raise SystemExit(f"Wanted predictions for {len(keys)} keys, found {len(said)}, not all the same.")
    parts = [joined[name].to_numpy() if name in joined else None for name in ("value", "low", "high")]
    return Predicted(joined["p"].to_numpy(), *(None if x is None or np.isnan(x).any() else x for x in parts))


def _judged(keys: pd.DataFrame, said: Mapping[str, Predicted], draws: int) -> dict[str, Any]:
    churned, came = keys["churned"].to_numpy(dtype=np.float64), keys["future_value"].to_numpy()
    who, cutoff = keys["customer_id"].to_numpy(), keys["cutoff"].to_numpy()
    by_cutoff = {
        show(at): {name: figures(churned[rows], came[rows], _some(each, rows)) for name, each in said.items()}
        for at, rows in ((int(at), cutoff == at) for at in np.unique(cutoff))
    }
    return {
        "keys": len(keys),
        "pooled": {name: figures(churned, came, each) for name, each in said.items()},
        "cutoffs": by_cutoff,
        "differences": {
            name: differences(churned, came, said[OURS], each, customers=who, draws=draws)
            for name, each in said.items()
            if name != OURS
        },
    }


def _some(said: Predicted, rows: np.ndarray) -> Predicted:
    return Predicted(said.p[rows], None if said.value is None else said.value[rows])


def text(found: Mapping[str, Any]) -> str:
    """For people."""
    metrics = {name: {**RISK_METRICS, **VALUE_METRICS}[name] for name in (*RISK, *VALUE)}
    table = pd.DataFrame.from_dict(found["pooled"], orient="index").round(4).to_string()
    ours = pd.DataFrame.from_dict({at: of[OURS] for at, of in found["cutoffs"].items()}, orient="index").round(4)
    verdicts = [verdict(of, metrics, name, subject=OURS) for name, of in found["differences"].items()]
    sentences = told({name: found["differences"][name] for name in ("reference e",)}, (*RISK, *VALUE))
    return "\n".join([table, "", ours.to_string(), "", *verdicts, "", *sentences])
