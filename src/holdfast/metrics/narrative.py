"""What is significant, in sentences: which way a difference goes, how far, and whether chance alone explains it.

"Excludes zero" is said of one interval by itself. Of many differences some exclude zero by chance, about one in twenty
at 95 %, so read them together.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import numpy as np

from holdfast.metrics.bootstrap import Difference
from holdfast.metrics.catalogue import Metric

_MOST_DIGITS = 8
_WAYS = {"higher": ("higher", "lower"), "lower": ("higher", "lower"), "zero": ("farther from 0", "nearer to 0")}


def sentence(
    difference: Difference, metric: Metric, baseline: str, *, subject: str = "the model", coverage: float = 0.95
) -> str:
    """One difference in words.

    For example: "Against rfm the model's log loss is 0.031 lower, which is better (95 % interval 0.024 to 0.038 lower);
    the difference excludes zero."

    Parameters
    ----------
    difference : Difference
        The subject's metric minus the baseline's; see :func:`holdfast.metrics.paired_difference`.
    metric : Metric
    baseline, subject : str
        What is compared, as it shall be called.
    coverage : float
        Of the interval, as it was asked for.
    """
    begin = f"Against {baseline} {subject}'s {metric.label}"
    if np.isnan(difference.estimate):
        return f"{begin} cannot be compared: it does not exist for both on these rows."
    edges = (difference.low, difference.high)
    if difference.estimate == difference.low == difference.high == 0:
        return f"{begin} is the same on every draw."
    digits = _digits([difference.estimate, *edges], metric.digits)
    far = _told(difference.estimate, metric, digits)
    rank = _rank(difference.estimate, metric)
    begin = (
        f"{begin} is the same" if difference.estimate == 0 else f"{begin} is {far}{f', which is {rank}' * bool(rank)}"
    )
    if np.isnan(edges).any():
        return f"{begin}; without an interval, chance alone may explain it."
    interval = f"{coverage * 100:g} % interval {_between(*edges, metric, digits)}"
    if excludes_zero(difference):
        return f"{begin} ({interval}); the difference excludes zero."
    return f"{begin} ({interval}); the difference cannot be told from zero."


def sentences(
    differences: Mapping[str, Mapping[str, Difference]],
    metrics: Mapping[str, Metric],
    *,
    only: Collection[str] | None = None,
    subject: str = "the model",
    coverage: float = 0.95,
) -> list[str]:
    """A sentence for every baseline and metric, baselines first to last, metrics in the order of the catalogue.

    Parameters
    ----------
    differences : dict
        Baseline → metric → :class:`Difference`, as a backtest holds them.
    metrics : dict
        The catalogue; differences of other names are passed over.
    only : collection of str, optional
        Names of metrics to tell.
    """
    return [
        sentence(found[name], metric, baseline, subject=subject, coverage=coverage)
        for baseline, found in differences.items()
        for name, metric in metrics.items()
        if name in found and (only is None or name in only)
    ]


def verdict(
    found: Mapping[str, Difference], metrics: Mapping[str, Metric], baseline: str, *, subject: str = "the model"
) -> str:
    """All differences to one baseline in one sentence: better beyond chance in …; worse in …; in … no one can tell."""
    compared = {name: metric for name, metric in metrics.items() if name in found}
    clear = {name for name in compared if excludes_zero(found[name])}
    better, worse, open_ = [], [], []
    for name, metric in compared.items():
        if name not in clear:
            open_.append(metric.label)
        elif _rank(found[name].estimate, metric) == "better":
            better.append(metric.label)
        else:
            worse.append(metric.label)
    told = [f"better beyond chance in {_listed(better)}", f"worse beyond chance in {_listed(worse)}"]
    end = f"; in {_listed(open_)} the two cannot be told apart" if open_ else ""
    return f"Against {baseline} {subject} is {', '.join(told)}{end}."


def excludes_zero(difference: Difference) -> bool:
    """Whether the whole interval lies on one side of 0; one that ends at 0 or does not exist excludes nothing."""
    return bool(difference.low > 0 or difference.high < 0)


def _rank(amount: float, metric: Metric) -> str:
    if amount == 0:
        return ""
    return "better" if (amount > 0) == (metric.better == "higher") else "worse"


def _told(amount: float, metric: Metric, digits: int) -> str:
    up, down = _WAYS[metric.better]
    return f"{abs(amount):,.{digits}f} {up if amount >= 0 else down}"


def _between(low: float, high: float, metric: Metric, digits: int) -> str:
    if low < 0 < high:
        return f"from {_told(low, metric, digits)} to {_told(high, metric, digits)}"
    up, down = _WAYS[metric.better]
    near, far = sorted((abs(low), abs(high)))
    return f"{near:,.{digits}f} to {far:,.{digits}f} {up if high > 0 else down}"


def _digits(amounts: Iterable[float], usual: int) -> int:
    """As many decimals as the metric has, or more where an amount that is not 0 would read as 0."""
    least = min((abs(amount) for amount in amounts if amount and not np.isnan(amount)), default=1.0)
    return next((d for d in range(usual, _MOST_DIGITS) if round(least, d) > 0), _MOST_DIGITS)


def _listed(labels: list[str]) -> str:
    return ", ".join(labels) if labels else "nothing"
