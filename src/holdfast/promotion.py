"""May a challenger take over? Both models, as they stood at the latest test cutoff, on the same customers there."""

from __future__ import annotations

import pandas as pd

from holdfast.metrics import RISK_METRICS, VALUE_METRICS, paired_difference
from holdfast.models import Bundle
from holdfast.sampling import weights
from holdfast.timeline import show
from holdfast.tracking.entries import Verdict

MEASURES = (
    (RISK_METRICS["log_loss"], "p_churn", "churned"),
    (RISK_METRICS["auc"], "p_churn", "churned"),
    (VALUE_METRICS["mae"], "value", "future_value"),
)


def judge(champion: Bundle, challenger: Bundle, snapshots: pd.DataFrame) -> Verdict:
    """Accept unless a measure is worse beyond chance: its 95 % interval of the paired difference excludes zero.

    Parameters
    ----------
    champion, challenger : Bundle
        Trained on nothing later than the cutoff of the snapshots.
    snapshots : DataFrame
        Labelled snapshots of one cutoff, with the features of both; if they are a sample, its weights count.
    """
    scores = [bundle.predict(snapshots) for bundle in (challenger, champion)]
    figures: dict[str, float] = {}
    worse, told = [], []
    for metric, column, truth in MEASURES:
        new, old = (score[column].to_numpy() for score in scores)
        found = paired_difference(metric, snapshots[truth].to_numpy(), new, old, weights=weights(snapshots))
        figures |= {metric.name: found.estimate, f"{metric.name}_low": found.low, f"{metric.name}_high": found.high}
        text = f"{metric.label} {found.estimate:+.{metric.digits}f} [{found.low:+.{metric.digits}f}, "
        text += f"{found.high:+.{metric.digits}f}]"
        told.append(text)
        if (found.low > 0) if metric.better == "lower" else (found.high < 0):
            worse.append(text)
    where = f"{len(snapshots):,} customers at {show(int(snapshots['cutoff'].iloc[0]))}"
    if worse:
        return Verdict(
            accepted=False, reason=f"it is worse than the champion on {where}: {'; '.join(worse)}", figures=figures
        )
    return Verdict(
        accepted=True, reason=f"it is not worse than the champion on {where}: {'; '.join(told)}", figures=figures
    )
