"""The model at each test cutoff beside the baselines, and how sure one can be of the difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from holdfast.backtest.baselines import Baseline
from holdfast.backtest.contact_value import ContactTerms, contact_value
from holdfast.backtest.execution import SEQUENTIAL, Execution, fit_folds
from holdfast.backtest.fold_fitter import MODEL, BacktestFold, FoldFitter, Learner
from holdfast.backtest.result import Backtest
from holdfast.backtest.segment_calibration import segment_calibration
from holdfast.learning.training import fit as fit_bundle
from holdfast.learning.training_spec import TrainingSpec
from holdfast.metrics import RISK_METRICS, VALUE_METRICS, Difference, Interval, estimate, paired_differences
from holdfast.progress import SILENT, Progress
from holdfast.sampling import weights

DRAWS = 200
"""Bootstrap resamples of customers, unless more or fewer are asked for."""


def backtest(
    snapshots: pd.DataFrame,
    spec: TrainingSpec,
    test_cutoffs: Sequence[int],
    *,
    baselines: Sequence[Baseline] | None = None,
    learner: Learner = fit_bundle,
    terms: ContactTerms | None = None,
    draws: int = DRAWS,
    execution: Execution = SEQUENTIAL,
    progress: Progress = SILENT,
) -> Backtest:
    """Evaluate a way of training on cutoffs that it had not seen.

    Parameters
    ----------
    snapshots : DataFrame
        ``customer_id``, ``cutoff`` (int64 microseconds), feature columns, ``churned``, ``future_value``. If they are a
        sample, its weights count in learning and in every metric, and figures are those of all snapshots.
    spec : TrainingSpec
        How to train. With ``tuning``, each cutoff looks for better parameters in what was known there, and all cutoffs
        together have its minutes.
    test_cutoffs : sequence of int
        Microseconds. The model of each learns from snapshots whose outcome was complete by then.
    baselines : sequence of Baseline, optional
        By default recency, frequency, value, and recency alone.
    terms : ContactTerms, optional
        With them, the result tells what lists of contacts would have brought.
    draws : int
        Bootstrap resamples of customers.
    execution : Execution
        How many cutoffs at once, and where they are kept as they finish; the result is the same to the byte.

    Raises
    ------
    DataError
        A test cutoff has no snapshots, only one class, or nothing known before it; fewer than 200 customers.
    LockedError, StorageError, ConfigError
        The folder to keep them in is in use, refuses, or cannot serve a learner of your own.
    """
    cutoffs = sorted({int(at) for at in test_cutoffs})
    fitter = FoldFitter.of(spec, baselines, learner)
    results = fit_folds(snapshots, fitter, [BacktestFold(at) for at in cutoffs], execution, "Backtest", progress)
    predictions = pd.concat([fitted.predictions for fitted in results.fitted.values()], ignore_index=True)
    models = (MODEL, *(baseline.name for baseline in fitter.baselines))
    slices: dict[int | str, pd.DataFrame] = {at: predictions[predictions["cutoff"] == at] for at in cutoffs}
    slices["pooled"] = predictions
    with progress("Intervals", total=len(slices)) as advance:
        metrics: dict[int | str, dict[str, dict[str, Interval]]] = {}
        for name, rows in slices.items():
            alone = metrics.get(cutoffs[0]) if len(cutoffs) == 1 else None
            metrics[name] = alone or {model: _judged(rows, model, draws, spec.seed) for model in models}
            advance(1)
    differences = {model: _compared(predictions, model, draws, spec.seed) for model in models[1:]}
    contacts = {
        name: contact_value(rows, terms, draws=draws if name == "pooled" else 0, seed=spec.seed)
        for name, rows in slices.items()
        if terms is not None
    }
    segments = segment_calibration(predictions, snapshots, spec.features, draws=draws, seed=spec.seed)
    bundles = {fold.cutoff: fitted.bundle for fold, fitted in results.fitted.items()}
    resumed = tuple(fold.cutoff for fold in results.resumed)
    return Backtest(
        predictions,
        models,
        metrics,
        differences,
        bundles,
        spec.card.value.horizon_days,
        resumed,
        fitter.baselines,
        contacts,
        segments,
    )


def _judged(rows: pd.DataFrame, model: str, draws: int, seed: int) -> dict[str, Interval]:
    how: dict[str, Any] = {
        "weights": weights(rows),
        "customers": rows["customer_id"].to_numpy(),
        "draws": draws,
        "seed": seed,
    }
    found = estimate(RISK_METRICS, rows["churned"], rows[f"{model}_p_churn"], **how)
    if f"{model}_value" in rows:
        found |= estimate(VALUE_METRICS, rows["future_value"], rows[f"{model}_value"], **how)
    return found


def _compared(rows: pd.DataFrame, baseline: str, draws: int, seed: int) -> dict[str, Difference]:
    found: dict[str, Difference] = {}
    for what, truth, metrics in (("p_churn", "churned", RISK_METRICS), ("value", "future_value", VALUE_METRICS)):
        if f"{baseline}_{what}" in rows:
            found |= paired_differences(
                metrics,
                rows[truth],
                rows[f"{MODEL}_{what}"],
                rows[f"{baseline}_{what}"],
                weights=weights(rows),
                customers=rows["customer_id"].to_numpy(),
                draws=draws,
                seed=seed,
            )
    return found
