"""The whole way on a simulated business, told step by step: what ``make demo`` runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

import pandas as pd

from holdfast.errors import ConfigError
from holdfast.metrics import RISK_METRICS
from holdfast.progress import Progress
from holdfast.project import Project
from holdfast.report import console
from holdfast.simulate import Kind, simulate
from holdfast.timeline import show


def run_demo(kind: Kind, config: Path, customers: int, progress: Progress) -> None:
    """Simulate, check, train, backtest, promote, score; a second run finds everything done and says so.

    The raw tables go to ``demo/<kind>`` beside the folder of the configuration.
    """
    if not config.is_file():
        raise ConfigError(
            f"Wanted the demo's configuration at {config}, found no file. "
            "Run the demo in the project's folder, or name the file with --config."
        )
    with _step("simulate", f"a {kind} business of {customers:,} customers"):
        business = simulate(
            kind, config.resolve().parent.parent / "demo" / kind, customers=customers, progress=progress
        )
        what = "is there already" if business.reused else "built"
        console.line(
            f"{what}: {sum(business.rows.values()):,} rows in {len(business.rows)} tables in {business.folder}"
        )
    with Project.open(config, progress=progress) as project:
        with _step("check", "read and validate the raw tables"):
            checked = project.check()
            console.show(checked, as_json=False)
            checked.require()
        with _step("train", "audit, train, track"):
            console.show(project.train(), as_json=False)
        with _step("backtest", "what the model would have known at earlier cutoffs"):
            console.line(_backtest(project, business.folder, business.truth))
        with _step("promote", "challenger against champion"):
            console.show(project.promote(), as_json=False)
        with _step("score", f"publish the list as of {business.as_of}"):
            console.show(project.score(business.as_of.isoformat()), as_json=False)
        console.line(f"MLflow  mlflow ui --backend-store-uri {project.tracker.location}")


@contextmanager
def _step(name: str, about: str) -> Iterator[None]:
    console.line(f"\n[bold cyan]{name}[/] {about}")
    begun = perf_counter()
    yield
    console.line(f"[dim]{perf_counter() - begun:.0f} s[/]")


def _backtest(project: Project, folder: Path, truth: Path) -> str:
    """The backtest beside the truth; kept in the folder, so that unchanged inputs need not be tested again."""
    kept = folder / "backtest.json"
    fingerprints = project.evaluation.fingerprints
    if kept.is_file():
        stored = json.loads(kept.read_text(encoding="utf-8"))
        if stored["fingerprints"] == fingerprints:
            return str(stored["text"])
    result = project.backtest(plots=folder / "plots", track=True)
    text = f"{console.text(result.table())}\n{_best_possible(result.predictions, truth)}\nplots   {folder / 'plots'}"
    kept.write_text(json.dumps({"fingerprints": fingerprints, "text": text}), encoding="utf-8")
    return text


def _best_possible(predictions: pd.DataFrame, truth: Path) -> str:
    """AUC of the true probabilities on the same customers: nobody who sees the tables alone could do better."""
    known = pd.read_parquet(truth, columns=["customer_id", "cutoff", "p_churn"])
    known["cutoff"] = known["cutoff"].dt.tz_localize(None).astype("datetime64[us]").astype("int64")
    both = predictions[["customer_id", "cutoff", "churned"]].merge(known, on=["customer_id", "cutoff"])
    auc = RISK_METRICS["auc"].function
    by_cutoff = ", ".join(
        f"{show(cutoff)} {float(auc(rows['churned'].to_numpy(), rows['p_churn'].to_numpy(), None)):.3f}"
        for cutoff, rows in ((int(at), both[both["cutoff"] == at]) for at in sorted(both["cutoff"].unique()))
    )
    return f"AUC of the truth itself, which also knows what no table tells: {by_cutoff}"
