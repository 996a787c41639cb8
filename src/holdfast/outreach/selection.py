"""From scored customers to the list: stage, action, exclusions, rank, budget, control.

The rule, in order:

1. Every customer gets a stage, a segment and the action that the playbook chooses.
2. The eligibility rules exclude; the first that applies is told.
3. The others are ranked by expected loss; customers of equal loss by id.
4. The budget singles out the first of them: these would be contacted.
5. Of these, the sticky draw holds back the control group. Nobody moves up into their places, so contact and control are
   the same kind of customer by construction, and their comparison needs no correction. A budget of 500 with a control
   share of 10 % contacts about 450.

Scored = contact + control + not_selected + excluded, always.

:mod:`holdfast.outreach.plan` decides what a customer alone decides. Here is the rest: what depends on the others is a
few numbers (:class:`Thresholds`), found by counting; with them each customer's group is again a matter of that one. So
customers may lie in parts on many machines, and nobody but those to contact comes here other than in passing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import DataError
from holdfast.outreach.contact_rules import NotApplied, not_applied
from holdfast.outreach.control import draws
from holdfast.outreach.net_value import ProbabilityAbove
from holdfast.outreach.overview import Overview
from holdfast.outreach.plan import PER_BAND, PLANNED, plan, require_scores
from holdfast.outreach.segments import bands, segments
from holdfast.outreach.settings import OutreachSettings
from holdfast.outreach.tables import AT_RISK, CUSTOMERS, EXCLUDED, OUTLOOK, SCORES, ContentHash, content_hash
from holdfast.outreach.thresholds import Thresholds, find_thresholds, of_band
from holdfast.partitioned import Columns, LocalParts, Parts, Spool, conform, no_rows
from holdfast.timeline import show


@dataclass(frozen=True)
class Selection:
    """A list before it is published.

    Attributes
    ----------
    customers, excluded : Spool
        The tables of :mod:`holdfast.outreach.tables`, as they will be published; ``frame()`` reads them.
    at_risk : DataFrame
        The customers to contact.
    overview : Overview
        Counts and sums over all customers.
    as_of : int
        The instant the list stands at.
    list_id : str
        Made from the contents: the same customers, scores, actions and model give the same id.
    model_version : str
    rules_not_applied : tuple of NotApplied
        Rules whose source is absent.
    """

    customers: Spool
    at_risk: pd.DataFrame
    excluded: Spool
    overview: Overview
    as_of: int
    list_id: str
    model_version: str
    rules_not_applied: tuple[NotApplied, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Rows per group, and ``scored``, which is their sum."""
        return self.overview.counts

    @property
    def excluded_by_rule(self) -> dict[str, int]:
        """How many customers each rule excluded, most first."""
        return self.overview.excluded_by_rule


def select(
    scored: pd.DataFrame,
    settings: OutreachSettings,
    as_of: int,
    *,
    model_version: str,
    probability_above: ProbabilityAbove | None = None,
) -> Selection:
    """Choose whom to contact, and how, among scored customers in one table.

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
        The value model's own distribution for the rows of ``scored``; see :func:`holdfast.outreach.net_value.worth`.

    Raises
    ------
    DataError
        Columns are missing, a customer stands twice, a score is not finite, or every customer is excluded.
    """
    require_scores(scored)
    twice = int(scored["customer_id"].duplicated().sum())
    if twice:
        raise DataError(f"Wanted each customer once, found {twice:,} further rows. Score one cutoff at a time.")
    planned = LocalParts.of(plan(scored, settings, probability_above))
    return select_planned(
        planned, settings, as_of, model_version=model_version, rules_not_applied=not_applied(scored.columns)
    )


def select_planned(
    planned: Parts,
    settings: OutreachSettings,
    as_of: int,
    *,
    model_version: str,
    rules_not_applied: Sequence[NotApplied] = (),
) -> Selection:
    """Choose whom to contact among planned customers, wherever they are.

    Parameters
    ----------
    planned : Parts
        What :func:`holdfast.outreach.plan.plan` gives, each customer once. They are gone through several times, so
        keep them.

    Raises
    ------
    DataError
        There is nobody, a customer stands twice, or every customer is excluded.
    ConfigError
        The budget singles out more customers than may come here at once.
    """
    decide = _Decide(settings, show(as_of), find_thresholds(planned, settings))
    customers, excluded, overview = Spool(CUSTOMERS), Spool(EXCLUDED), Overview()
    contents = {"customers": ContentHash(CUSTOMERS), "excluded": ContentHash(EXCLUDED)}
    for decided in _each_once(planned.map(decide, _DECIDED, reads=_READ_BY_DECIDE).frames()):
        overview.add(decided)
        out = conform(decided[decided["rule"] != ""], EXCLUDED)
        customers.append(decided)
        excluded.append(out)
        contents["customers"].update(decided)
        contents["excluded"].update(out)
    listed = [no_rows(_LISTED), *planned.map(_List(decide), _LISTED).frames()]
    at_risk = pd.concat(listed).sort_values(["expected_loss", "customer_id"], ascending=[False, True])
    at_risk = conform(
        at_risk.assign(rank=np.arange(1, len(at_risk) + 1), model_version=model_version, list_id=""), AT_RISK
    )
    hashes = (contents["customers"].hexdigest(), content_hash(at_risk, AT_RISK), contents["excluded"].hexdigest())
    list_id = f"{show(as_of)[:10]}-{sha256(''.join(hashes).encode()).hexdigest()[:12]}"
    at_risk["list_id"] = pd.array([list_id] * len(at_risk), dtype="str")
    return Selection(
        customers.finish(),
        at_risk,
        excluded.finish(),
        overview,
        as_of,
        list_id,
        model_version,
        tuple(rules_not_applied),
    )


_DECIDED: Columns = {**CUSTOMERS, "rule": "str", "detail": "str"}
_LISTED: Columns = {name: kind for name, kind in AT_RISK.items() if name not in ("rank", "list_id", "model_version")}
_READ_BY_DECIDE = [
    name
    for name in PLANNED
    if name in ("customer_id", *SCORES, *OUTLOOK, "stage") or name.startswith(("rule_if_", "detail_if_"))
]


@dataclass(frozen=True)
class _Decide:
    """Every customer's segment, group and rule, from the thresholds."""

    settings: OutreachSettings
    as_of: str
    thresholds: Thresholds

    def __call__(self, planned: pd.DataFrame) -> pd.DataFrame:
        rows = planned.reset_index(drop=True)
        rule = of_band(rows, "rule", self.thresholds.high_above)
        group = np.where(rule == "", "not_selected", "excluded").astype(object)
        singled_out = (rule == "") & self._above(rows)
        held_back = draws(rows["customer_id"][singled_out], self.settings.control_salt) < self.settings.control_share
        group[singled_out] = np.where(held_back, "control", "contact")
        band = bands(rows["value"].to_numpy(dtype=np.float64), self.thresholds.high_above)
        detail = of_band(rows, "detail", self.thresholds.high_above)
        return rows.assign(
            as_of=self.as_of, segment=segments(band, rows["stage"]), group=group, rule=rule, detail=detail
        )

    def _above(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        loss = rows["expected_loss"].to_numpy(dtype=np.float64)
        tied = loss == self.thresholds.loss
        if self.thresholds.last_id is not None and tied.any():
            tied &= (rows["customer_id"] <= self.thresholds.last_id).to_numpy(dtype=bool)
        return np.asarray((loss > self.thresholds.loss) | tied)


@dataclass(frozen=True)
class _List:
    """The customers to contact, with all that the list says of them."""

    decide: _Decide

    def __call__(self, planned: pd.DataFrame) -> pd.DataFrame:
        decided = self.decide(planned)
        rows = decided[decided["group"] == "contact"]
        high_above = self.decide.thresholds.high_above
        listed = rows.assign(**{name: of_band(rows, name, high_above) for name in PER_BAND if name in _LISTED})
        return listed.assign(
            action_words=listed["action"].map(self.decide.settings.action_words),
            channel_words=listed["channel"].map(self.decide.settings.channel_words),
        )


def _each_once(frames: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """The pieces, once their customers are seen to come in order and not twice."""
    last: list[str] = []
    for frame in frames:
        ids = np.array([*last, *frame["customer_id"]], dtype=object)
        wrong = int((ids[1:] <= ids[:-1]).sum())
        if wrong:
            raise DataError(
                f"Wanted each customer once and in order of their ids, found {wrong:,} rows of {len(ids):,} whose "
                "customer does not come after the one before. Score one cutoff at a time."
            )
        last = [ids[-1]]
        yield frame
