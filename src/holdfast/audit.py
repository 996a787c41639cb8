"""Does anything know the future, or name a person? Audits of a snapshots table against the data it was built from.

Three kinds of evidence, strongest first:

- **Rebuilt**: a sample of snapshots, built again from data that was physically cut at the cutoff, must be equal to
  the bit.
- **Injected**: events planted at and after the cutoff must change nothing.
- **Suspicious**: an attribute that does not say since when it is known, a row that was changed after it counts as
  known, a feature that alone separates churners nearly perfectly, an outcome window that begins before features end;
  and a text that nearly every customer has alone.

The audit names what it finds and lets a person decide: a finding stops training unless its name is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from holdfast.errors import AuditError
from holdfast.features.feature import Feature
from holdfast.history.stream import Window
from holdfast.labels import LabelSettings
from holdfast.models.encoding import FEWEST_CUSTOMERS
from holdfast.progress import SILENT, Progress
from holdfast.settings import Settings
from holdfast.snapshots import PopulationSettings, build_snapshots
from holdfast.sources import Engine
from holdfast.timeline import MICROSECONDS_PER_DAY, show

_MOST_TEXTS_PER_CUSTOMER = 0.5
_ROWS_TO_RANK = 50_000  # snapshots, evenly: more tell the same AUC of a feature within .003


class AuditSettings(Settings):
    """How hard to look, and what a person has looked at and allows."""

    allow: tuple[str, ...] = Field(default=(), description="Names of findings that a person has examined and accepts.")
    sample: int = Field(default=200, ge=1, description="Customers per audited cutoff.")
    cutoffs: int = Field(
        default=3, ge=1, description="How many cutoffs to rebuild: the first, the last and some between."
    )
    most_auc_alone: float = Field(
        default=0.95, gt=0.5, le=1, description="A feature that alone ranks churners better is named."
    )
    seed: int = Field(default=0, description="Chooses the sample.")


@dataclass(frozen=True)
class Finding:
    """What may know the future or name a person: which check found it, how to allow it by name, what was seen."""

    check: str
    name: str
    detail: str


@dataclass(frozen=True)
class Audit:
    """What was checked and what was found.

    Attributes
    ----------
    checks : dict of check to the number of things examined
    findings : what was found and is not allowed
    allowed : what was found and is allowed by name
    """

    checks: dict[str, int]
    findings: tuple[Finding, ...]
    allowed: tuple[Finding, ...] = ()

    def require_clean(self) -> None:
        """Stop unless every finding is allowed.

        Raises
        ------
        AuditError
            Lists the findings and how to allow one.
        """
        if self.findings:
            lines = "\n".join(f"  {finding.name}: {finding.detail}" for finding in self.findings)
            doubts = "1 doubt" if len(self.findings) == 1 else f"{len(self.findings)} doubts"
            raise AuditError(
                f"Wanted features that know nothing of the future and name nobody, found {doubts}:\n{lines}\n"
                "Mend the source or the feature; what is known to be harmless goes by name under audit.allow."
            )

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


def audit(
    tables: Engine,
    snapshots: pd.DataFrame,
    features: Sequence[Feature],
    *,
    population: PopulationSettings,
    labels: LabelSettings,
    settings: AuditSettings,
    progress: Progress = SILENT,
) -> Audit:
    """Audit a training table.

    Parameters
    ----------
    tables : Engine
        The sources that the snapshots were built from; they are opened again for some customers.
    snapshots : DataFrame
        As ``build_snapshots`` made it, with labels.
    """
    chosen = _cutoffs(snapshots, settings.cutoffs)
    build = _Builder(tables, snapshots, features, population, settings)
    findings: list[Finding] = []
    with progress("Auditing", total=len(chosen) + 2) as advance:
        for cutoff in chosen:
            findings += build.rebuilt(cutoff)
            advance(1)
        findings += build.injected(chosen)
        advance(1)
        findings += [*_undated(tables), *_changed_later(tables)]
        late = [feature.name for feature in features if Window.before(feature.window).end > labels.gap]
        findings += [Finding("overlap", name, "its window ends after the outcome window begins") for name in late]
        latest = snapshots[snapshots["cutoff"] == snapshots["cutoff"].max()]  # what was filled in today shows here most
        for table in (snapshots, latest):
            findings += _too_good(table, features, settings.most_auc_alone)
        findings += _naming_persons(snapshots, features)
        advance(1)
    unique = list({(finding.check, finding.name): finding for finding in reversed(findings)}.values())[::-1]
    return Audit(
        checks={
            "snapshots rebuilt from cut data": build.compared,
            "snapshots with injected future": build.injected_into,
            "features tried alone": len(features),
            "texts counted by customer": sum(feature.is_category for feature in features),
        },
        findings=tuple(finding for finding in unique if finding.name not in settings.allow),
        allowed=tuple(finding for finding in unique if finding.name in settings.allow),
    )


def _cutoffs(snapshots: pd.DataFrame, most: int) -> list[int]:
    """Evenly spread cutoffs, the last among them, and the first if they are several."""
    every = np.sort(snapshots["cutoff"].unique())
    return [int(every[i]) for i in np.unique(np.linspace(len(every) - 1, 0, most).round().astype(int))]


class _Builder:
    """Builds samples of snapshots again under other circumstances and compares them with the table."""

    def __init__(
        self,
        tables: Engine,
        snapshots: pd.DataFrame,
        features: Sequence[Feature],
        population: PopulationSettings,
        settings: AuditSettings,
    ) -> None:
        self.tables, self.features, self.population = tables, features, population
        self.snapshots, self.settings = snapshots, settings
        self.compared = self.injected_into = 0

    def sample(self, cutoff: int) -> list[str]:
        """Half of the sample belongs to the table at the cutoff, half is anybody."""
        half = -(-self.settings.sample // 2)
        random = np.random.default_rng((self.settings.seed, cutoff % 2**32))
        members = self.snapshots.loc[self.snapshots["cutoff"] == cutoff, "customer_id"].to_numpy(dtype=object)
        picked = random.choice(members, min(len(members), half), replace=False)
        return sorted({*picked, *self.tables.sample(half, int(random.integers(2**32)))})

    def rebuilt(self, cutoff: int) -> list[Finding]:
        """From data that ends at the cutoff."""
        ids = self.sample(cutoff)
        with self.tables.reopened(as_of=cutoff, customers=ids) as cut:
            again = self.build(cut, cutoff)
        self.compared += len(again)
        return self.differences("rebuilt", cutoff, ids, again, "rebuilt from data cut at the cutoff")

    def injected(self, cutoffs: Sequence[int]) -> list[Finding]:
        """From data in which every event of the sample happens once more at a cutoff, and once more a day later.

        The latest cutoff comes first: what was planted there is the future of those before.
        """
        ids = sorted({each for cutoff in cutoffs for each in self.sample(cutoff)})
        found: list[Finding] = []
        with self.tables.reopened(as_of=None, customers=ids) as more:
            for cutoff in sorted(cutoffs, reverse=True):
                for later in (0, MICROSECONDS_PER_DAY):
                    more.plant(cutoff + later, before=cutoff)
                again = self.build(more, cutoff)
                self.injected_into += len(again)
                found += self.differences("injected", cutoff, ids, again, "events were planted at and after the cutoff")
        return found

    def build(self, tables: Engine, cutoff: int) -> pd.DataFrame:
        return build_snapshots(tables, self.features, population=self.population, cutoffs=[cutoff])

    def differences(
        self, check: str, cutoff: int, ids: list[str], again: pd.DataFrame, circumstance: str
    ) -> list[Finding]:
        """One finding for each column that is not equal to the bit."""
        rows = self.snapshots[(self.snapshots["cutoff"] == cutoff) & self.snapshots["customer_id"].isin(ids)]
        before, after = rows.set_index("customer_id"), again.set_index("customer_id")
        known = after.index.isin(before.index)  # labels may have dropped those who left in the gap
        strangers = len(before.index.difference(after.index))
        findings = []
        if strangers:
            detail = f"{strangers} of {len(before)} customers at {show(cutoff)} do not belong to it when {circumstance}"
            findings.append(Finding(check, "population", detail))
        common = after.index[known]
        before, after = before.loc[common], after.loc[common]
        for feature in self.features:
            differing = np.count_nonzero(~_same(before[feature.name], after[feature.name]))
            if differing:
                detail = f"differs in {differing} of {len(common)} snapshots at {show(cutoff)} when {circumstance}"
                findings.append(Finding(check, feature.name, detail))
        return findings


def _same(one: pd.Series, other: pd.Series) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Equal to the bit, cell by cell; missing equals missing."""
    if one.dtype == np.float64:
        a, b = one.to_numpy(dtype=np.float64), other.to_numpy(dtype=np.float64)
        equal: np.ndarray[Any, np.dtype[np.bool_]] = (a.view(np.int64) == b.view(np.int64)) | (
            np.isnan(a) & np.isnan(b)
        )
        return equal
    return ((one == other) | (one.isna() & other.isna())).to_numpy(dtype=bool)


def _undated(tables: Engine) -> Iterable[Finding]:
    for name in tables.unknown_time_attributes:
        yield Finding(
            "undated attribute",
            name,
            f"the attribute '{name}' does not say since when it is known: declare it static, or map its known_time",
        )


def _changed_later(tables: Engine) -> Iterable[Finding]:
    for name, share in tables.changed_later.items():
        yield Finding(
            "changed later",
            name,
            f"{share:.1%} of the rows carry in '{name}' a time after the row counts as known: they were changed since, "
            "so their other columns may tell the future; map it as known_time, or leave the changed columns out",
        )


def _naming_persons(snapshots: pd.DataFrame, features: Sequence[Feature]) -> Iterable[Finding]:
    """Texts that nearly every customer has alone, such as an address or a number of a contract."""
    for feature in features:
        if not feature.is_category:
            continue
        known = snapshots[["customer_id", feature.name]].dropna()
        texts, customers = known[feature.name].nunique(), known["customer_id"].nunique()
        if texts >= FEWEST_CUSTOMERS and texts > _MOST_TEXTS_PER_CUSTOMER * customers:
            yield Finding(
                "names persons",
                feature.name,
                f"has {texts:,} different texts among {customers:,} customers, so it names persons and not what they "
                f"have in common; a model keeps none that fewer than {FEWEST_CUSTOMERS} share: leave it out, or map "
                "what it stands for, such as a region or the kind of a contract",
            )


def _too_good(snapshots: pd.DataFrame, features: Sequence[Feature], most: float) -> Iterable[Finding]:
    """Features that alone rank churners nearly perfectly; a text is ranked by its rate of churn.

    Without weights: those of a sample are equal within an outcome, so AUC and order of rates do not depend on them.
    """
    snapshots = snapshots.iloc[:: max(1, -(-len(snapshots) // _ROWS_TO_RANK))]
    churned = snapshots["churned"].to_numpy(dtype=bool)
    if churned.all() or not churned.any():
        return
    for feature in features:
        values = snapshots[feature.name]
        if feature.is_category:
            values = _rate_elsewhere(snapshots, values.fillna(""))
        for side in (values.fillna(-np.inf), values.fillna(np.inf)):
            auc = _auc(side, churned)
            if max(auc, 1 - auc) > most:
                detail = f"alone has an AUC of {max(auc, 1 - auc):.3f}, more than {most:g}"
                yield Finding("too good alone", feature.name, detail)
                break


def _rate_elsewhere(snapshots: pd.DataFrame, texts: pd.Series) -> pd.Series:
    """The churn rate of each text among the other half of the customers, so that a rare text does not rank itself."""
    half = pd.Series(pd.factorize(snapshots["customer_id"])[0] % 2, index=snapshots.index)
    rates = snapshots["churned"].groupby([half, texts]).mean()
    return pd.Series(rates.reindex(pd.MultiIndex.from_arrays([1 - half, texts])).to_numpy(), index=snapshots.index)


def _auc(values: pd.Series, churned: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    """Probability that a churner has the higher value, ties counting half, from the sum of ranks."""
    ranks = values.rank().to_numpy(dtype=np.float64)
    ones = int(churned.sum())
    return float((ranks[churned].sum() - ones * (ones + 1) / 2) / (ones * (len(churned) - ones)))
