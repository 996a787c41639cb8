"""Learning curves: the same test with models that learnt from fewer cutoffs, or from fewer customers.

Fewer cutoffs are the latest ones, as if the history began later. Fewer customers are a seeded share that is the same at
every cutoff and part of every larger share. Everyone at the test cutoffs is scored, whatever the model learnt from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from holdfast.backtest.baselines import Baseline
from holdfast.backtest.curves import MEASURES, CurvePoint, LearningCurve, LearningCurves
from holdfast.backtest.execution import SEQUENTIAL, Execution, fit_folds
from holdfast.backtest.fold_fitter import MODEL, NEEDED, BacktestFold, FoldFitter, Learner
from holdfast.errors import DataError
from holdfast.learning.training import fit as fit_bundle
from holdfast.learning.training import known_by
from holdfast.learning.training_spec import TrainingSpec
from holdfast.metrics import RISK_METRICS, Difference, Interval, estimate, paired_difference
from holdfast.progress import SILENT, Progress
from holdfast.sampling import weights

SHARES = (0.125, 0.25, 0.5, 1.0)
_CLOSE = 0.8
_SMALLEST = (1, 2)  # cutoffs; then 3, and twice as many each time

Sizes = Mapping[float, Sequence[BacktestFold]]


def learning_curves(
    snapshots: pd.DataFrame,
    spec: TrainingSpec,
    test_cutoffs: Sequence[int],
    *,
    baselines: Sequence[Baseline] | None = None,
    learner: Learner = fit_bundle,
    draws: int = 200,
    execution: Execution = SEQUENTIAL,
    progress: Progress = SILENT,
) -> LearningCurves:
    """Judge models that learnt from the latest 1, 2, 3, 6, 12, … cutoffs, and from 1/8, 1/4, 1/2 and all customers.

    The most cutoffs are as many as every test cutoff has known ones, so that each size means the same everywhere.
    Parameters and errors are those of :func:`backtest`, whose fits are shared where ``execution`` keeps them.
    """
    cutoffs = sorted({int(at) for at in test_cutoffs})
    fitter = FoldFitter.of(spec, baselines, learner)
    narrow = snapshots[NEEDED]
    known = {at: known_by(narrow, at, spec.complete_after)["cutoff"].nunique() for at in cutoffs}
    by_cutoffs, few = _learnable(
        narrow,
        fitter,
        {
            k: [BacktestFold(at, slices=None if k == known[at] else k) for at in cutoffs]
            for k in _counts(min(known.values()))
        },
    )
    by_customers, fewer = _learnable(narrow, fitter, {s: [BacktestFold(at, share=s) for at in cutoffs] for s in SHARES})
    wanted = dict.fromkeys(fold for sizes in (by_cutoffs, by_customers) for of in sizes.values() for fold in of)
    results = fit_folds(snapshots, fitter, list(wanted), execution, "Learning curves", progress)

    def curve(by: Literal["cutoffs", "customers"], sizes: Sizes, left_out: Sequence[float]) -> LearningCurve:
        frames = {
            size: pd.concat([results.fitted[fold].predictions for fold in of], ignore_index=True)
            for size, of in sizes.items()
        }
        most = frames[max(frames)]
        points = []
        with progress(f"Intervals by {by}", total=len(frames)) as advance:
            for size, frame in frames.items():
                learnt = [fitter.training_rows(narrow, fold)["customer_id"] for fold in sizes[size]]
                points.append(
                    CurvePoint(
                        size,
                        float(np.mean([len(who) for who in learnt])),
                        float(np.mean([who.nunique() for who in learnt])),
                        **_judged(frame, most, draws, spec.seed),
                    )
                )
                advance(1)
        return LearningCurve(by, tuple(points), tuple(left_out))

    return LearningCurves(
        tuple(cutoffs),
        curve("cutoffs", by_cutoffs, few),
        curve("customers", by_customers, fewer),
        len(wanted),
        results.new,
    )


def _counts(most: int) -> list[int]:
    """Numbers of cutoffs to learn from: 1, 2, 3, 6, 12, … and the most; a number just below it would say little."""
    found, k = [each for each in _SMALLEST if each < most], 3
    while k <= _CLOSE * most:
        found.append(k)
        k *= 2
    return [*found, most]


def _learnable(narrow: pd.DataFrame, fitter: FoldFitter, sizes: Sizes) -> tuple[Sizes, list[float]]:
    """The sizes that can be learnt from at every test cutoff, and those that cannot; the largest is always tried."""
    left_out = []
    for size, of in sizes.items():
        try:
            for fold in of:
                fitter.training_rows(narrow, fold)
        except DataError:
            if size == max(sizes):
                raise
            left_out.append(size)
    return {size: of for size, of in sizes.items() if size not in left_out}, left_out


def _judged(less: pd.DataFrame, most: pd.DataFrame, draws: int, seed: int) -> dict[str, Any]:
    how: dict[str, Any] = {
        "weights": weights(most),
        "customers": most["customer_id"].to_numpy(),
        "draws": draws,
        "seed": seed,
    }
    metrics: dict[str, Interval] = {}
    to_most: dict[str, Difference] = {}
    for name, metric in MEASURES.items():
        truth, what = ("churned", "p_churn") if name in RISK_METRICS else ("future_value", "value")
        column = f"{MODEL}_{what}"
        metrics |= estimate({name: metric}, most[truth], less[column], **how)
        to_most[name] = paired_difference(metric, most[truth], less[column], most[column], **how)
    return {"metrics": metrics, "to_most": to_most}
