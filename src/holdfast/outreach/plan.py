"""What is decided about a customer from the customer alone: stage, action, worth, and the rule that excludes.

One fact about everybody enters: whether the customer's value is high among all. It is not known where the features are,
so a plan is made for either band, and :class:`holdfast.outreach.selection.Selection` takes the one that turns out to
hold. What follows needs no features and no model any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import DataError
from holdfast.models import Bundle
from holdfast.models.scores import Scores
from holdfast.outreach.contact_rules import excluded, open_complaint
from holdfast.outreach.net_value import ProbabilityAbove, worth
from holdfast.outreach.playbook import choose
from holdfast.outreach.segments import VALUE_BANDS, ValueBand
from holdfast.outreach.settings import OutreachSettings
from holdfast.outreach.stages import stages
from holdfast.outreach.state import state, state_columns
from holdfast.outreach.tables import AT_RISK, OUTLOOK, SCORES
from holdfast.partitioned import Columns, conform, no_rows
from holdfast.scoring import SCORED, in_chunks

REASONS: Columns = {
    name: kind
    for name, kind in AT_RISK.items()
    if name.startswith("reason_") or name in ("base_log_odds", "other_contribution")
}
PER_BAND: Columns = {
    "action": "str",
    "channel": "str",
    "net_value": "float64",
    "net_value_low": "float64",
    "p_net_positive": "float64",
    "rule": "str",
    "detail": "str",
}
"""What depends on the band of the value; ``rule`` is empty for whom may be contacted."""


def if_band(name: str, band: ValueBand) -> str:
    """The column that holds ``name`` for a customer of this band."""
    return f"{name}_if_{band}"


PLANNED: Columns = {
    "customer_id": "str",
    **SCORES,
    **OUTLOOK,
    "stage": "str",
    **{if_band(name, band): kind for band in VALUE_BANDS for name, kind in PER_BAND.items()},
    **REASONS,
}
"""A customer with everything but the place among the others."""

_WANTED = ("customer_id", *SCORES, *OUTLOOK, *REASONS, "reason_1_family")


def plan(
    scored: pd.DataFrame, settings: OutreachSettings, probability_above: ProbabilityAbove | None = None
) -> pd.DataFrame:
    """Plan each customer, alone.

    Parameters
    ----------
    scored : DataFrame
        What :func:`holdfast.scoring.score` gives, and the columns of :func:`holdfast.outreach.state.state` that the
        data can tell.
    probability_above : callable or None
        The models' own distribution of what is at stake for the rows of ``scored``; see
        :func:`holdfast.outreach.net_value.worth`.

    Returns
    -------
    DataFrame
        The columns of ``PLANNED``, row by row.

    Raises
    ------
    DataError
        Columns are missing, or a score is not finite.
    """
    require_scores(scored)
    customers = scored.reset_index(drop=True)
    known = customers.assign(stage=stages(customers, settings.stages), open_complaint=open_complaint(customers))
    columns: dict[str, object] = {}
    before: NDArray[np.object_] | None = None
    gains = pd.DataFrame()
    for band in VALUE_BANDS:
        known["value_band"] = np.full(len(known), band, dtype=object)
        action, channel = choose(known, settings.lines, settings.actions)
        if before is None or (action != before).any():  # the model is asked again only where the band matters
            gains = worth(customers, action, settings.actions, probability_above)
        before = action
        out = excluded(known.assign(action=action), settings).reindex(known.index)
        found = {
            "action": action,
            "channel": channel,
            **{str(name): gains[name] for name in gains},
            "rule": out["rule"].fillna(""),
            "detail": out["detail"].fillna(""),
        }
        columns |= {if_band(name, band): values for name, values in found.items()}
    return conform(pd.concat([known, pd.DataFrame(columns, index=known.index)], axis=1), PLANNED)


def require_scores(scored: pd.DataFrame) -> None:
    """Refuse scores that cannot be ranked: a missing one sorts somewhere.

    Raises
    ------
    DataError
        Columns are missing, or a score is not finite.
    """
    absent = [name for name in _WANTED if name not in scored.columns]
    if absent:
        raise DataError(f"Wanted scored customers with reasons, missing are {', '.join(absent)}. Score them first.")
    broken = [name for name in (*SCORES, *OUTLOOK) if not np.isfinite(scored[name].to_numpy(dtype=np.float64)).all()]
    if broken:
        raise DataError(f"Wanted finite scores, found missing or infinite {', '.join(broken)}. Train the model again.")


def scored_columns(features: Iterable[str]) -> dict[str, str]:
    """The columns of :class:`Scorer` where snapshots have these features."""
    return {**SCORED, **dict.fromkeys(state_columns(features), "float64")}


@dataclass(frozen=True)
class Scorer:
    """From snapshots to scored customers and their state, row by row; it travels to where the snapshots are."""

    bundle: Bundle

    def __call__(self, snapshots: pd.DataFrame) -> pd.DataFrame:
        """The columns of :func:`scored_columns`."""
        if not len(snapshots):
            return no_rows(scored_columns(snapshots.columns))
        return pd.concat([scored for scored, _ in self.in_chunks(snapshots)])

    def in_chunks(self, snapshots: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, Scores]]:
        """The same chunk by chunk, each with the scores that it was made of."""
        for scored, scores in in_chunks(self.bundle, snapshots):
            yield scored.join(state(snapshots.loc[scored.index])), scores


@dataclass(frozen=True)
class Planner:
    """From snapshots to planned customers, row by row."""

    scorer: Scorer
    settings: OutreachSettings

    def __call__(self, snapshots: pd.DataFrame) -> pd.DataFrame:
        """The columns of ``PLANNED``."""
        if not len(snapshots):
            return no_rows(PLANNED)
        chunks = self.scorer.in_chunks(snapshots.reset_index(drop=True))
        planned = [plan(scored, self.settings, scores.probability_at_stake_above) for scored, scores in chunks]
        return pd.concat(planned, ignore_index=True)
