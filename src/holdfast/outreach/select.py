"""From scored customers to the list: stage, action, exclusions, rank, budget, control.

The rule, in order:

1. Every customer gets a stage, a segment and the action that the playbook chooses.
2. The eligibility rules exclude; the first that applies is told.
3. The others are ranked by expected loss, ``p_churn * value``; customers of equal loss by id.
4. The budget singles out the first of them: these would be contacted.
5. Of these, the sticky draw holds back the control group. Nobody moves up into their places, so contact and control are
   the same kind of customer by construction, and their comparison needs no correction. A budget of 500 with a control
   share of 10 % contacts about 450.

Scored = contact + control + not_selected + excluded, always.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import pandas as pd

from holdfast.errors import DataError
from holdfast.outreach.control import draws
from holdfast.outreach.eligibility import NotApplied, excluded, open_complaint
from holdfast.outreach.playbook import choose
from holdfast.outreach.segments import segments, value_bands
from holdfast.outreach.settings import OutreachSettings
from holdfast.outreach.stages import stages
from holdfast.outreach.tables import AT_RISK, CUSTOMERS, EXCLUDED, conform, content_hash
from holdfast.outreach.words import GROUPS
from holdfast.outreach.worth import ProbabilityAbove, worth
from holdfast.timeline import show

_SCORES = ("p_churn", "value", "value_low", "value_high", "expected_loss")
_REASONS = tuple(f"reason_{i}{suffix}" for i in (1, 2, 3) for suffix in ("", "_feature", "_contribution"))
_WANTED = ("customer_id", *_SCORES, *_REASONS, "reason_1_family", "base_log_odds", "other_contribution")


@dataclass(frozen=True)
class Selection:
    """A list before it is published.

    Attributes
    ----------
    customers, at_risk, excluded : DataFrame
        The tables of :mod:`holdfast.outreach.tables`.
    as_of : int
        The instant the list stands at.
    list_id : str
        Made from the contents: the same customers, scores, actions and model give the same id.
    model_version : str
    rules_not_applied : tuple of NotApplied
        Rules whose source is absent.
    """

    customers: pd.DataFrame
    at_risk: pd.DataFrame
    excluded: pd.DataFrame
    as_of: int
    list_id: str
    model_version: str
    rules_not_applied: tuple[NotApplied, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Rows per group, and ``scored``, which is their sum."""
        found = self.customers["group"].value_counts()
        return {"scored": len(self.customers), **{group: int(found.get(group, 0)) for group in GROUPS}}

    @property
    def excluded_by_rule(self) -> dict[str, int]:
        """How many customers each rule excluded, most first."""
        return _by_rule(self.excluded)


def select(
    scored: pd.DataFrame,
    settings: OutreachSettings,
    as_of: int,
    *,
    model_version: str,
    probability_above: ProbabilityAbove | None = None,
) -> Selection:
    """Choose whom to contact, and how.

    Parameters
    ----------
    scored : DataFrame
        One row per customer: what :func:`holdfast.scoring.score` gives, and the columns of
        :func:`holdfast.outreach.state.state` that the data can tell.
    as_of : int
        The cutoff, in microseconds.
    model_version : str
        Stands in every row of the list.
    probability_above : callable or None
        The value model's own distribution for the rows of ``scored``; see :func:`holdfast.outreach.worth.worth`.

    Raises
    ------
    DataError
        Columns are missing, a customer stands twice, a score is not finite, or every customer is excluded.
    """
    _require(scored)
    plan = _planned(scored.reset_index(drop=True), settings, probability_above)
    plan["as_of"] = show(as_of)
    out, skipped = excluded(plan, settings)
    if len(out) == len(plan):
        raise DataError(_everyone_excluded(out))
    plan["group"] = "not_selected"
    plan.loc[out.index, "group"] = "excluded"
    ranked = plan.drop(index=out.index).sort_values(["expected_loss", "customer_id"], ascending=[False, True])
    singled_out = ranked.iloc[: settings.budget.places(len(plan))]
    held_back = draws(singled_out["customer_id"], settings.control_salt) < settings.control_share
    plan.loc[singled_out.index, "group"] = np.where(held_back, "control", "contact")
    at_risk = singled_out[~held_back].assign(
        rank=np.arange(1, int((~held_back).sum()) + 1), model_version=model_version, list_id=""
    )
    customers = conform(plan.sort_values("customer_id"), CUSTOMERS)
    at_risk = conform(at_risk, AT_RISK)
    out = conform(out.sort_values("customer_id"), EXCLUDED)
    list_id = _list_id(show(as_of), customers, at_risk, out)
    at_risk["list_id"] = pd.array([list_id] * len(at_risk), dtype="str")
    return Selection(customers, at_risk, out, as_of, list_id, model_version, tuple(skipped))


def _planned(
    customers: pd.DataFrame, settings: OutreachSettings, probability_above: ProbabilityAbove | None
) -> pd.DataFrame:
    """Every customer with stage, segment, action, channel and the worth of the action."""
    value = customers["value"].to_numpy(dtype=np.float64)
    stage, bands = stages(customers, settings.stages), value_bands(value, settings.high_value_share)
    known = customers.assign(
        stage=stage, segment=segments(bands, stage), value_band=bands, open_complaint=open_complaint(customers)
    )
    action, channel = choose(known, settings.playbook, settings.actions.keys())
    usual = [settings.actions[name].channel if name in settings.actions else "" for name in action]
    gains = worth(customers, action, settings.actions, probability_above)
    return known.assign(
        action=action, channel=np.where(channel == "", usual, channel), **{str(name): gains[name] for name in gains}
    )


def _list_id(as_of: str, *tables: pd.DataFrame) -> str:
    contents = sha256("".join(content_hash(table) for table in tables).encode()).hexdigest()
    return f"{as_of[:10]}-{contents[:12]}"


def _by_rule(out: pd.DataFrame) -> dict[str, int]:
    counts = out["rule"].value_counts()
    return {str(rule): int(count) for rule, count in sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))}


_REMEDIES = {
    "no_consent": "check the column mapped to consent, or outreach.unknown_consent",
    "quiet_period": "shorten outreach.quiet_days, or wait",
    "open_complaint": "offer service_recovery under outreach.actions",
    "leave_alone": "offer more actions under outreach.actions, or extend outreach.playbook",
    "nothing_to_lose": "check the amounts and the definition of value",
}


def _everyone_excluded(out: pd.DataFrame) -> str:
    counts = _by_rule(out)
    told = ", ".join(f"{rule} {count:,}" for rule, count in counts.items())
    todo = "; ".join(f"for {rule}, {_REMEDIES[rule]}" for rule in counts)
    return (
        f"Wanted somebody to contact, found all {len(out):,} scored customers excluded: {told}. What to do: {todo}. "
        "No list was published."
    )


def _require(scored: pd.DataFrame) -> None:
    absent = [name for name in _WANTED if name not in scored.columns]
    if absent:
        raise DataError(f"Wanted scored customers with reasons, missing are {', '.join(absent)}. Score them first.")
    if scored.empty:
        raise DataError("Wanted scored customers, found none. Check the population and the cutoff.")
    twice = int(scored["customer_id"].duplicated().sum())
    if twice:
        raise DataError(f"Wanted each customer once, found {twice:,} further rows. Score one cutoff at a time.")
    broken = [name for name in _SCORES if not _finite(scored, [name])]
    if broken:
        raise DataError(f"Wanted finite scores, found missing or infinite {', '.join(broken)}. Train the model again.")


def _finite(scored: pd.DataFrame, names: Sequence[str]) -> bool:
    return bool(np.isfinite(scored[list(names)].to_numpy(dtype=np.float64)).all())
