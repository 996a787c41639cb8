"""What a backtest found: a record, with its forms as a table for people and as JSON for programs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from holdfast.backtest.baselines import Baseline
from holdfast.backtest.contact_value import ContactValue
from holdfast.backtest.fold_fitter import MODEL
from holdfast.backtest.segment_calibration import told as segments_told
from holdfast.metrics import RISK_METRICS, VALUE_METRICS, Difference, Interval, Metric, sentences
from holdfast.models import Bundle
from holdfast.sampling import Sample, told, weights
from holdfast.timeline import show

_WIDTH = 100
_TOLD = ("auc", "log_loss", "mae")  # the differences that people read in sentences; the JSON has all


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
    resumed : tuple of int
        Cutoffs that an earlier run had finished; the result is the same without.
    baselines : tuple of Baseline
    contacts : dict
        Cutoff, or ``"pooled"`` → what lists of contacts would have brought; empty without costs and save rates.
    segments : DataFrame
        See :func:`holdfast.backtest.segment_calibration.segment_calibration`.
    """

    predictions: pd.DataFrame
    models: tuple[str, ...]
    metrics: Mapping[int | str, Mapping[str, Mapping[str, Interval]]]
    differences: Mapping[str, Mapping[str, Difference]]
    bundles: Mapping[int, Bundle]
    horizon_days: float
    resumed: tuple[int, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    contacts: Mapping[int | str, ContactValue] = field(default_factory=dict)
    segments: pd.DataFrame = field(default_factory=pd.DataFrame)

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
        """Metrics of the model, and of the list that it makes, by name; at one test cutoff or over all of them."""
        metrics = {name: interval.estimate for name, interval in self.metrics[cutoff][MODEL].items()}
        return metrics | (self.contacts[cutoff].figures() if cutoff in self.contacts else {})

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
        """The estimates, the differences to the baselines, and what lists would have brought, as text for people."""
        frame = self.frame()
        parts = []
        money = self.contacts["pooled"].terms.currency if self.contacts else None
        value = f"Value of the next {self.horizon_days:g} days{f', in {money}' if money else ''}"
        for heading, metrics in (("Risk of leaving", RISK_METRICS), (value, VALUE_METRICS)):
            kept = frame.reindex(columns=list(metrics)).dropna(how="all")
            text = pd.DataFrame(
                {
                    metric.label: [("" if np.isnan(x) else f"{x:.{metric.digits}f}") for x in kept[name]]
                    for name, metric in metrics.items()
                },
                index=kept.index,
            )
            parts.append(f"{heading}; {_better(metrics)}\n{text.to_string()}")
        parts.append(_paragraphs(f"{baseline.words()}." for baseline in self.baselines))
        lines = sentences(self.differences, RISK_METRICS | VALUE_METRICS, only=_TOLD)
        if len(self.cutoffs) > 1 and self.differences:
            beaten = ", ".join(f"than {baseline} at {self._beaten(baseline)}" for baseline in self.differences)
            lines.append(f"The model has the lower log loss {beaten} of {len(self.cutoffs)} cutoffs.")
        parts.append(_paragraphs(lines))
        if self.contacts:
            parts.append(self.contacts["pooled"].table(len(self.cutoffs)))
            parts.append(_paragraphs(self.contacts["pooled"].sentences()))
        parts.append(_paragraphs(segments_told(self.segments)))
        if self.sample is not None:
            parts.append(f"tested on {told(self.sample)}")
        if self.resumed:
            parts.append(f"{len(self.resumed)} of {len(self.cutoffs)} cutoffs were taken up from an earlier run")
        return "\n\n".join(part for part in parts if part)

    def _beaten(self, baseline: str) -> int:
        """At how many cutoffs the model has the lower log loss."""
        losses = ({name: of["log_loss"].estimate for name, of in self.metrics[at].items()} for at in self.cutoffs)
        return sum(loss[MODEL] < loss[baseline] for loss in losses)

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
                    "card": self.bundles[at].card.to_json(),
                    "metrics": _plain(self.metrics[at]),
                }
                for at in self.cutoffs
            ],
            "pooled": _plain(self.metrics["pooled"]),
            "differences": {
                baseline: {name: {**d.to_dict(), "share_better": d.share_better} for name, d in found.items()}
                for baseline, found in self.differences.items()
            },
            "segments": self.segments.astype(object).where(self.segments.notna(), None).to_dict("records"),
            **({"contacts": self.contacts["pooled"].to_dict()} if self.contacts else {}),
        }


def _share(rows: pd.DataFrame) -> float:
    """The share that churned."""
    return float(np.average(rows["churned"].to_numpy(dtype=np.float64), weights=weights(rows)))


def _plain(models: Mapping[str, Mapping[str, Interval]]) -> dict[str, dict[str, Any]]:
    return {model: {name: interval.to_dict() for name, interval in found.items()} for model, found in models.items()}


def _shown(at: int | str) -> str:
    return at if isinstance(at, str) else show(at)


def _paragraphs(sentences: Iterable[str]) -> str:
    """Each sentence from a line of its own on, none wider than the tables."""
    return "\n".join(textwrap.fill(sentence, _WIDTH, subsequent_indent="  ") for sentence in sentences)


def _better(metrics: Mapping[str, Metric]) -> str:
    """Which columns are not the better the more they show."""
    ways = {"lower": "less is better", "zero": "nearer to 0 is better"}
    found = {said: [metric.label for metric in metrics.values() if metric.better == way] for way, said in ways.items()}
    return ", ".join(f"{said} for {', '.join(labels)}" for said, labels in found.items() if labels)
