"""What an edit-run cycle gives up is said, and what it keeps is a bundle like any other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from holdfast.learning import training
from holdfast.learning.effort import EFFORTS, EffortLevel
from holdfast.learning.training import fit
from holdfast.models import Bundle
from tests.unit.learning.samples import snapshots, training_spec

QUICK = EFFORTS["quick"]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """More snapshots than a quick training reads."""
    assert QUICK.most_rows is not None
    return snapshots(customers=1 + QUICK.most_rows // 8)


@pytest.fixture(scope="module")
def quick(table: pd.DataFrame) -> Bundle:
    """What the quick effort learns of them."""
    return fit(table, training_spec(effort="quick"))


def test_a_quick_training_reads_part_and_says_so(quick: Bundle, table: pd.DataFrame) -> None:
    """Whoever sees the model later must know that it is no candidate."""
    learnt = quick.card.training
    assert learnt is not None
    assert learnt.snapshots == -(-len(table) // 2), "of more than may be read, every second"
    assert learnt.gives_up == QUICK.gives_up
    assert "8,000 snapshots" in str(learnt.gives_up)
    assert len(learnt.cutoffs) == table["cutoff"].nunique(), "every cutoff keeps its share"


def test_a_full_training_gives_up_nothing() -> None:
    """And reads all there is."""
    table = snapshots(customers=250, cutoffs=4)
    learnt = fit(table, training_spec()).card.training
    assert learnt is not None
    assert (learnt.snapshots, learnt.gives_up) == (len(table), None)


def test_a_quick_training_sets_customers_apart(quick: Bundle, table: pd.DataFrame) -> None:
    """It is rough, not wrong: the truth behind the sample ranks as it does."""
    latest = table[table["cutoff"] == table["cutoff"].max()]
    said = quick.predict(latest)["p_churn"].to_numpy()
    assert np.corrcoef(np.log(said / (1 - said)), latest["log_odds"])[0, 1] > 0.9


def test_no_recipe_is_chosen_in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """One recipe and one cutoff to judge are what makes it quick."""
    asked = []

    class Listening(training.AtRiskClassifier):
        def fit(self, *given: object, **named: object) -> training.AtRiskClassifier:
            asked.append(self.get_params())
            return super().fit(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(training, "AtRiskClassifier", Listening)
    fit(snapshots(customers=250, cutoffs=5), training_spec(effort="quick"))
    assert {name: asked[0][name] for name in QUICK.parameters} == dict(QUICK.parameters)


@pytest.mark.parametrize(("most", "rows", "step"), [(None, 10**6, 1), (100, 100, 1), (100, 101, 2), (100, 1000, 10)])
def test_rows_are_taken_evenly(most: int | None, rows: int, step: int) -> None:
    """Never more than may be read."""
    assert EffortLevel(most_rows=most).step(rows) == step
