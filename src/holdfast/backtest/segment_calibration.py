"""Whether the risk is true in every part of the business: by attributes of customers, and by their expected value."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from holdfast.backtest.fold_fitter import MODEL
from holdfast.metrics import bands, calibration_by_segment
from holdfast.metrics.segments import ALL
from holdfast.models.feature_record import FeatureRecord
from holdfast.sampling import weights

_BY_VALUE = "expected value"
_MOST_TOLD = 5


def segment_calibration(
    predictions: pd.DataFrame, snapshots: pd.DataFrame, features: Sequence[FeatureRecord], *, draws: int, seed: int
) -> pd.DataFrame:
    """Predicted and observed churn by segment, over all test cutoffs.

    Parameters
    ----------
    predictions : DataFrame
        Of a backtest, cutoff after cutoff.
    snapshots : DataFrame
        Where the attributes stand; at each cutoff its rows are in the order of the predictions.

    Returns
    -------
    DataFrame
        ``by`` (an attribute, or ``"expected value"``) and the columns of
        :func:`holdfast.metrics.calibration_by_segment`; the first row is everyone.
    """
    attributes = [feature.name for feature in features if feature.family == "attribute"]
    tested = pd.concat([snapshots.loc[snapshots["cutoff"] == at, attributes] for at in predictions["cutoff"].unique()])
    segments = {name: tested[name].to_numpy(dtype=object) for name in attributes}
    segments[_BY_VALUE] = bands(predictions[f"{MODEL}_value"])
    found = [
        calibration_by_segment(
            predictions["churned"],
            predictions[f"{MODEL}_p_churn"],
            segment,
            weights=weights(predictions),
            customers=predictions["customer_id"],
            draws=draws,
            seed=seed,
        ).assign(by=by)
        for by, segment in segments.items()
    ]
    table = pd.concat(found, ignore_index=True)
    everyone = table["segment"] == ALL
    table = pd.concat([table[everyone].head(1).assign(by=ALL), table[~everyone]], ignore_index=True)
    return table[["by", *(name for name in table if name != "by")]]


def told(table: pd.DataFrame) -> list[str]:
    """Everyone, then the segments whose risk is off beyond chance, farthest first, and how many are not."""
    if table.empty:
        return []
    everyone, segments = table.iloc[0], table[1:]
    judged = segments[~segments["small"].astype(bool)]
    off = judged[(judged["low"] > 0) | (judged["high"] < 0)]
    farthest = off["difference"].abs().sort_values(ascending=False, kind="stable").index
    lines = [f"Of all customers {_came(everyone)}."]
    for _, row in off.loc[farthest[:_MOST_TOLD]].iterrows():
        too = "high" if row["difference"] > 0 else "low"
        lines.append(
            f"{_named(row['by'], row['segment'])} ({row['customers']:,} customers): {_came(row)}; "
            f"the risk is too {too} there beyond chance."
        )
    if len(off) > _MOST_TOLD:
        lines.append(f"{len(off) - _MOST_TOLD} more segments are off beyond chance.")
    if len(judged):
        by = ", ".join(dict.fromkeys(judged["by"]))
        lines.append(
            f"In {len(judged) - len(off)} of {len(judged)} segments ({by}) risk and outcome differ by chance alone."
        )
    return lines


def _named(by: str, segment: str) -> str:
    if by == _BY_VALUE:
        return f"Expected value {segment.partition(': ')[2] or segment}"  # without the number that sorts the bands
    return f"{by} {segment}"


def _came(row: pd.Series) -> str:
    return f"{row['predicted']:.1%} were expected to leave, {row['observed']:.1%} left"
