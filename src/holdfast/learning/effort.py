"""How much work a training takes: all of it, or what an edit-run cycle has time for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Effort = Literal["full", "quick"]


@dataclass(frozen=True)
class EffortLevel:
    """What a training may cost.

    Attributes
    ----------
    most_rows : int or None
        Snapshots that are learnt from: of more, every so manieth.
    most_state_rows : int
        The same for the models of states.
    audit_cutoffs : int or None
        At so many the audit builds snapshots again; None leaves that to its settings.
    draws : int
        Of customers, for the intervals of the evaluation.
    parameters : mapping
        Of both estimators, where they are not the defaults.
    gives_up : str or None
        What is lost against the full effort, in a sentence; None where nothing is.
    """

    most_rows: int | None = None
    most_state_rows: int = 10_000
    audit_cutoffs: int | None = None
    draws: int = 100
    parameters: Mapping[str, Any] = field(default_factory=dict)
    gives_up: str | None = None

    def step(self, rows: int) -> int:
        """Every so manieth of so many rows is learnt from."""
        return 1 if self.most_rows is None else max(1, -(-rows // self.most_rows))


EFFORTS: Mapping[Effort, EffortLevel] = {
    "full": EffortLevel(),
    "quick": EffortLevel(
        most_rows=8_000,
        most_state_rows=3_000,
        audit_cutoffs=1,
        draws=0,
        parameters={"learning_rate": 0.1, "num_leaves": 15, "linear_penalty": 30.0, "n_folds": 1},
        gives_up="at most 8,000 snapshots teach, no recipe is chosen, trees learn in large steps, one earlier cutoff "
        "judges, the audit looks at the latest cutoff alone and figures come without intervals; train with the full "
        "effort what is to be promoted",
    ),
}
"""By the name that the configuration has for them."""
