"""What training costs, beside one default LightGBM on the same matrix: CPU seconds, user and system, of one run.

    python -m benchmarks.training
    python -m benchmarks.training --customers 8000 --folder businesses

Shops are simulated; their snapshots are built before the clock starts, and every part has run once on a smaller shop,
so that nothing is imported or compiled. ``train`` is the command's work: audit, evaluation at the latest test cutoff,
fit on everything, registration in a store of its own. LightGBM fits a classifier with its defaults and 200 trees on all
cutoffs; the least of three runs counts, because threads that wait for each other use CPU seconds as well. ``shares``
tell where the time of a training goes. The last line is a JSON object: figures of the first shop, and those of all
under ``shops``.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

import lightgbm as lgb
import numpy as np
import yaml

from holdfast import Project, trained_models
from holdfast.dataset import Dataset
from holdfast.evaluation import Evaluation
from holdfast.learning import AtRiskClassifier, ValueRegressor, training
from holdfast.models import categorical_columns, learn_categories, to_matrix
from holdfast.simulate import simulate
from holdfast.tracking import Tracker

CONFIGURATION = Path(__file__).resolve().parents[1] / "configs" / "demo_retail.yaml"
TREES = 200
SMALLEST = 400  # customers of the shop on which everything runs once
PARTS = {
    "audit": (Dataset, "audit"),
    "evaluation": (Evaluation, "at"),
    "fit": (trained_models, "fit"),
    "registration": (Tracker, "log_training"),
}
PARTS_OF_FIT = {
    "risk": (AtRiskClassifier, "fit"),
    "value": (ValueRegressor, "fit"),
    "states": (training, "learn_states"),
}


def cpu() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


@contextmanager
def counted(parts: dict[str, tuple[Any, str]], spent: dict[str, float]) -> Iterator[None]:
    """Add up the CPU seconds of functions; of one called within another, to both."""

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            begun = cpu()
            try:
                return function(*given, **named)
            finally:
                spent[name] = spent.get(name, 0.0) + cpu() - begun

        return run

    with ExitStack() as patched:
        for name, (owner, attribute) in parts.items():
            patched.enter_context(patch.object(owner, attribute, timed(name, getattr(owner, attribute))))
        yield


def shop(folder: Path, customers: int, effort: str) -> Path:
    """The configuration of a simulated shop, trained with an effort."""
    simulate("retail", folder / "demo" / "retail", customers=customers)
    settings = yaml.safe_load(CONFIGURATION.read_text(encoding="utf-8"))
    settings["training"] = {**settings.get("training", {}), "effort": effort}
    settings["tracking"] = {"folder": f"../models/{effort}"}
    file = folder / "configs" / f"{effort}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    return file


def lightgbm_seconds(snapshots: Any, records: Sequence[Any]) -> float:
    """One fit with defaults, all cutoffs, all features: the least of three runs."""
    features = learn_categories(snapshots, records)
    X, churned = to_matrix(snapshots, features), snapshots["churned"].to_numpy(dtype=np.int64)
    categorical, seconds = list(categorical_columns(features)), []
    for _ in range(3):
        begun = cpu()
        lgb.LGBMClassifier(n_estimators=TREES, verbosity=-1).fit(X, churned, categorical_feature=categorical)
        seconds.append(cpu() - begun)
    return min(seconds)


def trained(config: Path, *, peer: bool = False) -> dict[str, Any]:
    """What a training costs, and its parts; with ``peer``, LightGBM's fit as well."""
    spent: dict[str, float] = {}
    with Project.open(config) as project:
        evaluation = project.models.evaluation
        snapshots = evaluation.training_snapshots()
        found: dict[str, Any] = {"snapshots": len(snapshots), "features": len(project.features())}
        if peer:
            found["lightgbm_cpu_seconds"] = lightgbm_seconds(snapshots, evaluation.spec().features)
        with counted(PARTS, spent), counted(PARTS_OF_FIT, spent):
            clock, begun = perf_counter(), cpu()
            project.train(force=True)
            found |= {"train_cpu_seconds": cpu() - begun, "train_seconds": perf_counter() - clock}
    return {**found, "shares": {name: part / found["train_cpu_seconds"] for name, part in spent.items()}}


def measured(folder: Path, customers: int) -> dict[str, Any]:
    """One shop, with both efforts."""
    full, quick = (shop(folder, customers, effort) for effort in ("full", "quick"))
    found, fast = trained(full, peer=True), trained(quick)
    peer = found["lightgbm_cpu_seconds"]
    return {
        **found,
        "ratio": found["train_cpu_seconds"] / peer,
        "quick_cpu_seconds": fast["train_cpu_seconds"],
        "quick_seconds": fast["train_seconds"],
        "quick_ratio": fast["train_cpu_seconds"] / peer,
        "quick_shares": fast["shares"],
    }


def text(found: dict[str, Any]) -> str:
    """For people."""
    shares = ", ".join(f"{name} {part:.0%}" for name, part in found["shares"].items())
    quick = ", ".join(f"{name} {part:.0%}" for name, part in found["quick_shares"].items())
    return (
        f"{found['snapshots']:,} snapshots, {found['features']} features: "
        f"LightGBM {found['lightgbm_cpu_seconds']:.1f} s of CPU; "
        f"train {found['train_cpu_seconds']:.1f} s, {found['ratio']:.1f} times ({shares}); "
        f"quick {found['quick_cpu_seconds']:.1f} s, {found['quick_ratio']:.1f} times ({quick})"
    )


def rounded(found: Any) -> Any:
    """Three digits of every number."""
    if isinstance(found, dict):
        return {name: rounded(each) for name, each in found.items()}
    if isinstance(found, list):
        return [rounded(each) for each in found]
    return round(found, 3) if isinstance(found, float) else found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, nargs="+", default=[8_000, 3_000], help="of each shop")
    parser.add_argument("--folder", type=Path, help="where shops stay for the next run")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        root = asked.folder or Path(temporary)
        measured(root / str(SMALLEST), SMALLEST)
        shops = []
        for customers in asked.customers:
            shops.append(measured(root / str(customers), customers))
            print(text(shops[-1]), flush=True)
    print(json.dumps(rounded({**shops[0], "shops": shops})))


if __name__ == "__main__":
    main()
