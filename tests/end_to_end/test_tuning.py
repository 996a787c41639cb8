"""A search from the configuration: told by the commands, kept with the run, taken up again by later ones."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from holdfast import Project
from tests.end_to_end.command import done, holdfast
from tests.end_to_end.shop import Shop, settings

SEARCH = {"trials": 4, "minutes": 5, "folder": "trials"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop whose training looks for parameters."""
    return Shop.build(tmp_path_factory.mktemp("tuned"), training={"tuning": SEARCH})


def journals(made: Shop) -> dict[Path, bytes]:
    """The kept trials of each search."""
    return {path: path.read_bytes() for path in (made.folder / "trials").glob("*.jsonl")}


def test_training_says_what_was_chosen_and_why_and_the_run_keeps_it(made: Shop) -> None:
    """Who meets the model in a year can see that it was tuned; where its trials lie is nobody's business there."""
    told = done("train", made.config).out
    for score in ("risk", "any value", "amount"):
        assert re.search(rf"tuning: {score} (is tuned to|keeps its defaults).*4 trials, \d of them stopped early", told)
    assert len(journals(made)) == 6, "three scores, of the evaluation and of the model"
    with Project.open(made.config) as project:
        again = project.train()
        run = MlflowClient(project.tracker.location).get_run(again.run_id)
        bundle = project.tracker.challenger("shop").bundle
        evaluated = project.backtest()
    assert again.tuning is not None
    assert not again.fresh
    assert run.data.params["training.tuning.trials"] == "4"
    assert run.data.params["tuned.risk.chosen"] == again.tuning["risk"]["chosen"]
    assert float(run.data.params["tuned.amount.num_leaves"]) == again.tuning["amount"]["parameters"]["num_leaves"]
    assert not [name for name in run.data.params if "folder" in name]
    assert "seconds" not in (bundle / "bundle.json").read_text(encoding="utf-8")
    assert evaluated.bundles[evaluated.cutoffs[-1]].card.training.tuning["risk"]["trials"] == 4


def test_a_backtest_takes_up_the_trials_of_the_training(made: Shop) -> None:
    """Its latest test cutoff is the one that training evaluates at."""
    done("train", made.config)
    before = journals(made)
    done("backtest", made.config)
    assert journals(made) == before


def test_where_trials_are_kept_changes_no_model(made: Shop, tmp_path: Path) -> None:
    """The same configuration elsewhere is the same configuration."""
    moved = settings(training={"tuning": SEARCH | {"folder": str(tmp_path / "elsewhere")}})
    with Project.open(made.config) as here, Project.open(moved, base=made.folder) as there:
        assert here.evaluation.fingerprints == there.evaluation.fingerprints
        other = settings(training={"tuning": SEARCH | {"trials": 5}})
        assert Project.open(other, base=made.folder).configuration.fingerprint != here.configuration.fingerprint


def test_without_optuna_nothing_is_read(made: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour of reading before a package is missed would be an hour lost."""
    monkeypatch.setitem(sys.modules, "optuna", None)
    for command in ("train", "backtest"):
        answer = holdfast(command, made.config)
        assert answer.code == 2
        assert "pip install 'holdfast[tune]'" in answer.err
        assert "rows" not in answer.out


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"trials": 0}, "training.tuning.trials: Input should be greater than or equal to 1, found 0."),
        ({"minutes": 0}, "training.tuning.minutes: Input should be greater than 0, found 0."),
        ({}, "training.tuning: wanted a budget for tuning, found none; give trials, minutes, or both."),
    ],
)
def test_a_budget_that_cannot_be_is_refused(search: dict[str, float], message: str, tmp_path: Path) -> None:
    """With its place in the file."""
    answer = holdfast("train", Shop.build(tmp_path, training={"tuning": search}).config)
    assert answer.code == 2
    assert message in answer.err
