"""How well we would have done: at each test cutoff, train on what was known there, score, and look at what came.

Beside the model stand baselines that anyone could compute. Every metric carries the interval that resampling customers
gives, and the differences to the baselines carry theirs, because one customer appears at several cutoffs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from holdfast.errors import DataError
from holdfast.metrics import RISK_METRICS, VALUE_METRICS, Difference, Interval, estimate, paired_difference
from holdfast.models import Bundle, LogisticBaseline, MeanRateRegressor, to_matrix
from holdfast.progress import SILENT, Progress
from holdfast.sampling import WEIGHT, Sample, told, weights
from holdfast.timeline import Days, show
from holdfast.training import fit as fit_bundle
from holdfast.training import known_by, require_learnable

MODEL = "model"
_KEYS = ["customer_id", "cutoff", "churned", "future_value"]
_IF_THERE = ["treated", WEIGHT]
_RECENCY = ("days_since_order", "days_since_engagement", "days_since_renewal", "subscription_tenure_days")
_FREQUENCY = ("orders_365d", "orders_lifetime", "active_days_90d", "engagement_90d")
_SPEND = ("spend_365d", "spend_lifetime", "mrr")


class Learner(Protocol):
    """What turns labelled snapshots into a bundle: :func:`holdfast.training.fit`, or another to compare with."""

    def __call__(
        self,
        snapshots: pd.DataFrame,
        features: Sequence[Mapping[str, Any]],
        *,
        complete_after: Days,
        seed: int,
        meta: Mapping[str, Any],
    ) -> Bundle:
        """Fit risk and value."""


@dataclass(frozen=True)
class Baseline:
    """Logistic risk on a few columns, and value as past spend times one rate.

    Attributes
    ----------
    name : str
    risk : tuple of str
        Feature columns; none gives everyone the share that churned.
    value : str or None
        Column of past spend; None judges the risk alone.
    """

    name: str
    risk: tuple[str, ...]
    value: str | None = None


def default_baselines(features: Sequence[Mapping[str, Any]]) -> tuple[Baseline, ...]:
    """Recency alone; and recency, frequency, value, as far as the features at hand give them."""
    names = {str(spec["name"]) for spec in features}
    recency, frequency, spend = (
        next((name for name in wanted if name in names), None) for wanted in (_RECENCY, _FREQUENCY, _SPEND)
    )
    three = tuple(name for name in (recency, frequency, spend) if name is not None)
    return Baseline("rfm", three, spend), Baseline("recency", three[:1] if recency else ())


@dataclass(frozen=True)
class Backtest:
    """What came out.

    Attributes
    ----------
    predictions : DataFrame
        ``customer_id``, ``cutoff``, ``churned``, ``future_value``, ``treated`` if the snapshots say so, ``value_low``,
        ``value_high``, and per model ``<name>_p_churn`` and ``<name>_value``; of a sample also ``sample_weight``.
    models : tuple of str
        ``"model"`` first, then the baselines.
    metrics : dict
        Cutoff in microseconds, or ``"pooled"`` → model → metric → :class:`Interval`.
    differences : dict
        Baseline → metric → :class:`Difference`: the model's pooled metric minus the baseline's.
    bundles : dict
        Cutoff → the bundle as it was trained there.
    horizon_days : float
        Of the value.
    """

    predictions: pd.DataFrame
    models: tuple[str, ...]
    metrics: Mapping[int | str, Mapping[str, Mapping[str, Interval]]]
    differences: Mapping[str, Mapping[str, Difference]]
    bundles: Mapping[int, Bundle]
    horizon_days: float

    @property
    def sample(self) -> dict[str, Any] | None:
        """What was kept of the snapshots tested on, if they are a sample; see :class:`holdfast.sampling.Sample`."""
        found = Sample.of_table(self.predictions)
        return None if found is None else found.to_dict()

    @property
    def cutoffs(self) -> tuple[int, ...]:
        """The test cutoffs in microseconds, earliest first."""
        return tuple(self.bundles)

    def figures(self, cutoff: int | str = "pooled") -> dict[str, float]:
        """Metrics of the model, by name, at one test cutoff or over all of them."""
        return {name: interval.estimate for name, interval in self.metrics[cutoff][MODEL].items()}

    def frame(self) -> pd.DataFrame:
        """Estimates as a table: a row for each cutoff (and ``pooled``) and model, a column for each metric."""
        rows = {
            (_shown(at), model): {name: interval.estimate for name, interval in found.items()}
            for at, models in self.metrics.items()
            for model, found in models.items()
        }
        table = pd.DataFrame.from_dict(rows, orient="index")
        table.index = pd.MultiIndex.from_tuples(table.index, names=["cutoff", "model"])
        return table

    def table(self) -> str:
        """The estimates and the differences to the baselines, as text for people."""
        frame = self.frame()
        parts = []
        for metrics in (RISK_METRICS, VALUE_METRICS):
            kept = frame.reindex(columns=list(metrics)).dropna(how="all")
            text = pd.DataFrame(
                {
                    metric.label: [("" if np.isnan(x) else f"{x:.{metric.digits}f}") for x in kept[name]]
                    for name, metric in metrics.items()
                },
                index=kept.index,
            )
            parts.append(text.to_string())
        lines = [
            f"{MODEL} against {baseline}: AUC {_signed(found['auc'])}, log loss {_signed(found['log_loss'])}"
            for baseline, found in self.differences.items()
        ]
        sample = self.sample
        if sample is not None:
            lines.append(f"tested on {told(sample)}")
        return "\n\n".join([*parts, "\n".join(lines)])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON: every model and metric with its interval, per cutoff and pooled; differences to the baselines."""
        rows = {at: self.predictions[self.predictions["cutoff"] == at] for at in self.cutoffs}
        sample = self.sample
        return {
            **({} if sample is None else {"sample": sample}),
            "models": list(self.models),
            "horizon_days": self.horizon_days,
            "cutoffs": [
                {
                    "cutoff": show(at),
                    "customers": len(rows[at]),
                    "churned": _share(rows[at]),
                    "training": self.bundles[at].meta,
                    "metrics": _plain(self.metrics[at]),
                }
                for at in self.cutoffs
            ],
            "pooled": _plain(self.metrics["pooled"]),
            "differences": {
                baseline: {name: {**d.to_dict(), "share_better": d.share_better} for name, d in found.items()}
                for baseline, found in self.differences.items()
            },
        }


def backtest(
    snapshots: pd.DataFrame,
    features: Sequence[Mapping[str, Any]],
    test_cutoffs: Sequence[int],
    *,
    complete_after: Days,
    horizon: float,
    seed: int,
    meta: Mapping[str, Any] | None = None,
    baselines: Sequence[Baseline] | None = None,
    learner: Learner = fit_bundle,
    draws: int = 200,
    progress: Progress = SILENT,
) -> Backtest:
    """Evaluate a way of training on cutoffs that it had not seen.

    Parameters
    ----------
    snapshots : DataFrame
        ``customer_id``, ``cutoff`` (int64 microseconds), feature columns, ``churned``, ``future_value``. If they are a
        sample, its weights count in learning and in every metric, and figures are those of all snapshots.
    features : sequence of feature records
        ``name``, ``dtype``, …; see :class:`holdfast.models.Bundle`.
    test_cutoffs : sequence of int
        Microseconds. The model of each learns from snapshots whose outcome was complete by then.
    complete_after : Days
        From a cutoff until both labels are known.
    horizon : float
        Days that the value looks ahead.
    baselines : sequence of Baseline, optional
        By default recency, frequency, value, and recency alone.
    draws : int
        Bootstrap resamples of customers.

    Raises
    ------
    DataError
        A test cutoff has no snapshots, only one class, or nothing known before it; fewer than 200 customers.
    """
    cutoffs = sorted({int(at) for at in test_cutoffs})
    baselines = default_baselines(features) if baselines is None else baselines
    parts, bundles = [], {}
    with progress("Backtest", total=len(cutoffs)) as advance:
        for at in cutoffs:
            test = _tested(snapshots, at)
            known = known_by(snapshots, at, complete_after)
            require_learnable(known)
            bundles[at] = learner(known, features, complete_after=complete_after, seed=seed, meta=dict(meta or {}))
            parts.append(_scored(test, known, bundles[at], baselines, features))
            advance(1)
    predictions = pd.concat(parts, ignore_index=True)
    models = (MODEL, *(baseline.name for baseline in baselines))
    slices: dict[int | str, pd.DataFrame] = {at: predictions[predictions["cutoff"] == at] for at in cutoffs}
    slices["pooled"] = predictions
    with progress("Intervals", total=len(slices)) as advance:
        metrics: dict[int | str, dict[str, dict[str, Interval]]] = {}
        for name, rows in slices.items():
            metrics[name] = {model: _judged(rows, model, draws, seed) for model in models}
            advance(1)
    differences = {model: _compared(predictions, model, draws, seed) for model in models[1:]}
    return Backtest(predictions, models, metrics, differences, bundles, horizon)


def _tested(snapshots: pd.DataFrame, at: int) -> pd.DataFrame:
    test = snapshots[snapshots["cutoff"] == at]
    if test.empty:
        have = ", ".join(show(int(cutoff)) for cutoff in np.unique(snapshots["cutoff"]))
        raise DataError(f"No snapshot stands at the test cutoff {show(at)}; found {have}. Build snapshots there too.")
    if test["churned"].nunique() < 2:
        raise DataError(
            f"At the test cutoff {show(at)} all {len(test)} customers had one outcome; found one class only, and no "
            "metric can tell models apart. Check the definition of churn, or test at another cutoff."
        )
    return test


def _scored(
    test: pd.DataFrame,
    known: pd.DataFrame,
    bundle: Bundle,
    baselines: Sequence[Baseline],
    features: Sequence[Mapping[str, Any]],
) -> pd.DataFrame:
    kept = [*_KEYS, *(name for name in _IF_THERE if name in test)]
    weight = weights(known)
    weight = None if weight is None else weight / weight.mean()
    out = test[kept].reset_index(drop=True)
    scores = bundle.predict(test)
    out[["value_low", "value_high"]] = scores[["value_low", "value_high"]].to_numpy()
    out[f"{MODEL}_p_churn"], out[f"{MODEL}_value"] = scores["p_churn"].to_numpy(), scores["value"].to_numpy()
    by_name = {str(spec["name"]): spec for spec in features}
    for baseline in baselines:
        risk = [by_name[name] for name in baseline.risk] or list(by_name.values())[:1]
        columns = None if baseline.risk else ()
        p_churn = LogisticBaseline(columns).fit(
            _numbers(known, risk), known["churned"].to_numpy(dtype=np.float64), sample_weight=weight
        )
        out[f"{baseline.name}_p_churn"] = p_churn.predict_proba(_numbers(test, risk))[:, 1]
        if baseline.value is not None:
            spend = [by_name[baseline.value]]
            came = known["future_value"].to_numpy(dtype=np.float64)
            value = MeanRateRegressor().fit(_numbers(known, spend), came, sample_weight=weight)
            out[f"{baseline.name}_value"] = value.predict(_numbers(test, spend))
    return out


def _numbers(frame: pd.DataFrame, features: Sequence[Mapping[str, Any]]) -> np.ndarray:
    return to_matrix(frame, [{**spec, "categories": spec.get("categories", ())} for spec in features])


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
    who = rows["customer_id"].to_numpy()
    pairs = [("p_churn", "churned", RISK_METRICS), ("value", "future_value", VALUE_METRICS)]
    return {
        name: paired_difference(
            metric,
            rows[truth],
            rows[f"{MODEL}_{what}"],
            rows[f"{baseline}_{what}"],
            weights=weights(rows),
            customers=who,
            draws=draws,
            seed=seed,
        )
        for what, truth, metrics in pairs
        if f"{baseline}_{what}" in rows
        for name, metric in metrics.items()
    }


def _share(rows: pd.DataFrame) -> float:
    """The share that churned."""
    return float(np.average(rows["churned"].to_numpy(dtype=np.float64), weights=weights(rows)))


def _plain(models: Mapping[str, Mapping[str, Interval]]) -> dict[str, dict[str, Any]]:
    return {model: {name: interval.to_dict() for name, interval in found.items()} for model, found in models.items()}


def _shown(at: int | str) -> str:
    return at if isinstance(at, str) else show(at)


def _signed(difference: Difference) -> str:
    return f"{difference.estimate:+.3f} ({difference.low:+.3f} to {difference.high:+.3f})"
