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

:mod:`holdfast.outreach.plan` decides what a customer alone decides. Here is the rest: what depends on the others is a
few numbers (:class:`Cut`), found by counting; with them each customer's group is again a matter of that customer. So
customers may lie in parts on many machines, and nobody but those to contact comes here other than in passing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import ConfigError, DataError
from holdfast.outreach.control import draws
from holdfast.outreach.eligibility import RULES, NotApplied, not_applied
from holdfast.outreach.overview import Overview, most_first
from holdfast.outreach.plan import PER_BAND, PLANNED, if_band, plan, require_scores
from holdfast.outreach.segments import bands, high_value_above, segments
from holdfast.outreach.settings import OutreachSettings
from holdfast.outreach.tables import AT_RISK, CUSTOMERS, EXCLUDED, SCORES, ContentHash, content_hash
from holdfast.outreach.words import VALUE_BANDS
from holdfast.outreach.worth import ProbabilityAbove
from holdfast.parts import Columns, LocalParts, Parts, Spool, conform, kth_largest, no_rows
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
        The value model's own distribution for the rows of ``scored``; see :func:`holdfast.outreach.worth.worth`.

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
    decide = _Decide(settings, show(as_of), find_cut(planned, settings))
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


@dataclass(frozen=True)
class Cut:
    """All that a customer's group depends on beside the customer.

    Attributes
    ----------
    high_above : float
        A larger value is a high one.
    loss : float
        A customer who may be contacted and has a larger expected loss is singled out; infinity singles out nobody.
    last_id : str or None
        Of the customers with this very loss, those up to this id are singled out; None: all of them.
    """

    high_above: float
    loss: float
    last_id: str | None


def find_cut(planned: Parts, settings: OutreachSettings) -> Cut:
    """Where the budget cuts, exactly, without a look at all customers at once.

    Raises
    ------
    DataError
        There is nobody, or every customer is excluded.
    ConfigError
        The budget singles out more customers than may come here at once.
    """
    scored = planned.count()
    if not scored:
        raise DataError("Wanted scored customers, found none. Check the population and the cutoff.")
    high_above = high_value_above(planned, settings.high_value_share, scored)
    by_rule = planned.tally(_RuleOf(high_above), reads=["value", *(if_band("rule", band) for band in VALUE_BANDS)])
    eligible = by_rule.pop(_ELIGIBLE, 0)
    if not eligible:
        raise DataError(_everyone_excluded(Counter({RULES[i].name: count for i, count in by_rule.items()})))
    places = min(settings.budget.places(scored), eligible)
    if not places:
        return Cut(high_above, np.inf, None)
    if planned.most_rows is not None and places > planned.most_rows:
        raise ConfigError(
            f"The budget singles out {places:,} customers; at most {planned.most_rows:,} may come to the driver, where "
            "the list is put in order. Lower outreach.budget, or allow more rows on the driver."
        )
    losses = _Losses(high_above)
    place = kth_largest(planned, losses, places, reads=losses.reads)
    left = places - place.larger
    if left == place.equal:
        return Cut(high_above, place.value, None)
    tied = planned.map(_Tied(losses, place.value), {"customer_id": "str"}, reads=["customer_id", *losses.reads])
    for ids in tied.frames():
        if left <= len(ids):
            return Cut(high_above, place.value, str(ids["customer_id"].iloc[left - 1]))
        left -= len(ids)
    raise AssertionError("The tied customers were counted a moment ago.")


_ELIGIBLE = -1


def _of_band(rows: pd.DataFrame, name: str, high_above: float) -> NDArray[np.object_]:
    """What was planned for the band that holds."""
    high = rows["value"].to_numpy(dtype=np.float64) > high_above
    return np.where(high, *(rows[if_band(name, band)].to_numpy(dtype=object) for band in ("high", "regular")))


@dataclass(frozen=True)
class _RuleOf:
    """The place in ``RULES`` of the rule that excludes, or ``_ELIGIBLE``."""

    high_above: float

    def __call__(self, rows: pd.DataFrame) -> NDArray[np.int64]:
        place = {"": _ELIGIBLE, **{rule.name: i for i, rule in enumerate(RULES)}}
        return np.array([place[rule] for rule in _of_band(rows, "rule", self.high_above)], dtype=np.int64)


@dataclass(frozen=True)
class _Losses:
    """The expected losses of whom may be contacted."""

    high_above: float

    @property
    def reads(self) -> list[str]:
        return ["value", "expected_loss", *(if_band("rule", band) for band in VALUE_BANDS)]

    def __call__(self, rows: pd.DataFrame) -> NDArray[np.float64]:
        eligible = _of_band(rows, "rule", self.high_above) == ""
        return np.asarray(rows["expected_loss"].to_numpy(dtype=np.float64)[eligible])


@dataclass(frozen=True)
class _Tied:
    """The ids of whom may be contacted and lose exactly so much."""

    losses: _Losses
    loss: float

    def __call__(self, rows: pd.DataFrame) -> pd.DataFrame:
        eligible = _of_band(rows, "rule", self.losses.high_above) == ""
        tied: pd.DataFrame = rows[["customer_id"]][eligible & (rows["expected_loss"] == self.loss).to_numpy(dtype=bool)]
        return tied


_DECIDED: Columns = {**CUSTOMERS, "rule": "str", "detail": "str"}
_LISTED: Columns = {name: kind for name, kind in AT_RISK.items() if name not in ("rank", "list_id", "model_version")}
_READ_BY_DECIDE = [
    name for name in PLANNED if name in ("customer_id", *SCORES, "stage") or name.startswith(("rule_if_", "detail_if_"))
]


@dataclass(frozen=True)
class _Decide:
    """Every customer's segment, group and rule, from the cut."""

    settings: OutreachSettings
    as_of: str
    cut: Cut

    def __call__(self, planned: pd.DataFrame) -> pd.DataFrame:
        rows = planned.reset_index(drop=True)
        rule = _of_band(rows, "rule", self.cut.high_above)
        group = np.where(rule == "", "not_selected", "excluded").astype(object)
        singled_out = (rule == "") & self._above(rows)
        held_back = draws(rows["customer_id"][singled_out], self.settings.control_salt) < self.settings.control_share
        group[singled_out] = np.where(held_back, "control", "contact")
        band = bands(rows["value"].to_numpy(dtype=np.float64), self.cut.high_above)
        detail = _of_band(rows, "detail", self.cut.high_above)
        return rows.assign(
            as_of=self.as_of, segment=segments(band, rows["stage"]), group=group, rule=rule, detail=detail
        )

    def _above(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        loss = rows["expected_loss"].to_numpy(dtype=np.float64)
        tied = loss == self.cut.loss
        if self.cut.last_id is not None and tied.any():
            tied &= (rows["customer_id"] <= self.cut.last_id).to_numpy(dtype=bool)
        return np.asarray((loss > self.cut.loss) | tied)


@dataclass(frozen=True)
class _List:
    """The customers to contact, with all that the list says of them."""

    decide: _Decide

    def __call__(self, planned: pd.DataFrame) -> pd.DataFrame:
        decided = self.decide(planned)
        rows = decided[decided["group"] == "contact"]
        high_above = self.decide.cut.high_above
        return rows.assign(**{name: _of_band(rows, name, high_above) for name in PER_BAND if name in _LISTED})


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


_REMEDIES = {
    "no_consent": "check the column mapped to consent, or outreach.unknown_consent",
    "quiet_period": "shorten outreach.quiet_days, or wait",
    "open_complaint": "offer service_recovery under outreach.actions",
    "leave_alone": "offer more actions under outreach.actions, or extend outreach.playbook",
    "nothing_to_lose": "check the amounts and the definition of value",
}


def _everyone_excluded(by_rule: Counter[str]) -> str:
    counts = most_first(by_rule)
    told = ", ".join(f"{rule} {count:,}" for rule, count in counts.items())
    todo = "; ".join(f"for {rule}, {_REMEDIES[rule]}" for rule in counts)
    return (
        f"Wanted somebody to contact, found all {by_rule.total():,} scored customers excluded: {told}. What to do: "
        f"{todo}. No list was published."
    )
