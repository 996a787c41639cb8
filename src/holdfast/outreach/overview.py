"""What the page, the manifest and the console tell about all customers: counts and sums, taken piece by piece."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from holdfast.outreach.stages import STAGES
from holdfast.outreach.tables import GROUPS

RISK_BARS = 20
_EDGES = np.linspace(0, 1, RISK_BARS + 1)
Bars = np.ndarray[tuple[int], np.dtype[np.int64]]


@dataclass
class Overview:
    """Counts and sums over customers in their groups.

    Attributes
    ----------
    groups, rules, stages, contacted : Counter
        Customers by group, by the rule that excludes them, by stage, and those to contact by stage.
    risk : dict
        The sum of ``p_churn`` by stage.
    expected_loss : float
        Its sum, in currency.
    everyone, listed : array of shape (RISK_BARS,)
        All customers, and those to contact, by risk in bars of equal width.
    """

    groups: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    stages: Counter[str] = field(default_factory=Counter)
    contacted: Counter[str] = field(default_factory=Counter)
    risk: dict[str, float] = field(default_factory=dict)
    expected_loss: float = 0.0
    everyone: Bars = field(default_factory=lambda: np.zeros(RISK_BARS, dtype=np.int64))
    listed: Bars = field(default_factory=lambda: np.zeros(RISK_BARS, dtype=np.int64))

    def add(self, customers: pd.DataFrame) -> None:
        """Take in a piece: ``group``, ``rule``, ``stage``, ``p_churn``, ``expected_loss``.

        The sums depend on the pieces in their last digits, so pieces should not depend on the machine.
        """
        contact = (customers["group"] == "contact").to_numpy(dtype=bool)
        risk = customers["p_churn"].to_numpy(dtype=np.float64)
        _count(self.groups, customers["group"])
        _count(self.rules, customers["rule"][customers["rule"] != ""])
        _count(self.stages, customers["stage"])
        _count(self.contacted, customers["stage"][contact])
        for stage, total in customers.groupby("stage")["p_churn"].sum().items():
            self.risk[str(stage)] = self.risk.get(str(stage), 0.0) + float(total)
        self.expected_loss += float(customers["expected_loss"].sum())
        self.everyone = self.everyone + np.histogram(risk, _EDGES)[0]
        self.listed = self.listed + np.histogram(risk[contact], _EDGES)[0]

    @property
    def counts(self) -> dict[str, int]:
        """Rows per group, and ``scored``, which is their sum."""
        return {"scored": self.groups.total(), **{group: self.groups[group] for group in GROUPS}}

    @property
    def excluded_by_rule(self) -> dict[str, int]:
        """How many customers each rule excluded, most first."""
        return most_first(self.rules)

    @property
    def by_stage(self) -> list[tuple[str, int, float, int]]:
        """Stage, scored customers, mean risk, customers to contact; stages without customers are left out."""
        return [
            (stage, self.stages[stage], self.risk[stage] / self.stages[stage], self.contacted[stage])
            for stage in STAGES
            if self.stages[stage]
        ]


def most_first(counts: Counter[str]) -> dict[str, int]:
    """The counts, largest first and then by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _count(counts: Counter[str], words: pd.Series[str]) -> None:
    counts.update({str(word): int(n) for word, n in words.value_counts().items()})
