"""A search that stops at its budget, goes on where it was, trusts no lucky trial, and repeats to the byte."""

from __future__ import annotations

import errno
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.base import clone

from holdfast.errors import ConfigError, StorageError
from holdfast.learning import AtRiskClassifier, HorizonClassifier, Tuning, ValueRegressor, tuning
from holdfast.learning.trial_study import Trial, opened
from holdfast.learning.tuning import SPACE, tuning_sentence
from holdfast.learning.tuning_rule import FoldLosses, judge
from tests.conftest import ROOT
from tests.unit.learning.samples import shop
from tests.unit.learning.tunings import GOOD, POOR, TRIALS, rows, tuned

pytestmark = pytest.mark.slow


def stored(model: AtRiskClassifier) -> tuple[str, str]:
    """All that a bundle would keep of it."""
    return json.dumps([model.model_.to_parts(), model.calibration_record_]), json.dumps(model.tuning_record_)


def lines(folder: Path) -> list[dict[str, Any]]:
    """The journal of the one search in the folder."""
    (path,) = folder.glob("*.jsonl")
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def trials_in(folder: Path) -> list[dict[str, Any]]:
    """What the one search in the folder keeps of each finished trial."""
    return [line for line in lines(folder) if "losses" in line.get("user_attrs", ())]


def numbers(folder: Path) -> list[int]:
    """The trials of the one search in the folder; one that is there twice has the number of the first."""
    parameters = [line["params"] for line in trials_in(folder)]
    return [parameters.index(each) for each in parameters]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, str]]:
    """A search that nobody interrupted, and its journal."""
    folder = tmp_path_factory.mktemp("trials")
    return folder, stored(tuned(Tuning(trials=TRIALS, folder=folder)))


@pytest.mark.parametrize("jobs", [1, 3])
def test_the_result_depends_on_neither_folder_nor_cores(whole: tuple[Path, tuple[str, str]], jobs: int) -> None:
    """Who repeats a training elsewhere gets the same model."""
    assert stored(tuned(Tuning(trials=TRIALS), n_jobs=jobs)) == whole[1]


def test_a_draw_follows_from_seed_number_and_record() -> None:
    """And from no generator that has a past, because an interrupted search has none."""
    with opened(None, "one", SPACE, 5) as study:
        study.add(Trial(dict.fromkeys(SPACE, 0.0), (0.5,), stopped=False), seconds=0.0)
        for number in range(1, 14):
            drawn = Trial(study.draw(number, number), (1 / number,), stopped=number % 3 == 0)
            study.add(drawn, seconds=0.0)
    again = [study.draw(number, number) for number in reversed(range(1, 14))]
    assert again[::-1] == [trial.parameters for trial in study.trials[1:]]
    assert replace(study, seed=6).draw(13, 13) != again[0]
    for parameters in again:
        assert all(at.low <= parameters[name] <= at.high for name, at in SPACE.items())
        assert all(isinstance(parameters[name], int) for name, at in SPACE.items() if at.whole)


def test_trials_are_as_many_as_the_budget_and_the_default_is_the_first(whole: tuple[Path, tuple[str, str]]) -> None:
    """So a budget of one changes nothing."""
    first = trials_in(whole[0])[0]
    default = AtRiskClassifier()
    assert numbers(whole[0]) == list(range(TRIALS))
    assert first["params"]["num_leaves"] in default.num_leaves
    assert first["params"]["reg_lambda"] == default.reg_lambda
    one, none = tuned(Tuning(trials=1)), tuned(None)
    assert one.model_.to_parts() == none.model_.to_parts()
    assert (one.tuning_record_["trials"], one.tuning_record_["why"]) == (1, "no recipe beats it")
    assert none.tuning_record_ is None


def test_a_larger_budget_goes_on_and_a_smaller_one_uses_what_it_would_have_had(
    whole: tuple[Path, tuple[str, str]], tmp_path: Path
) -> None:
    """Odd and even ones, because trials are drawn in pairs."""
    for trials in (1, 2, 5, TRIALS):
        found = stored(tuned(Tuning(trials=trials, folder=tmp_path)))
        assert numbers(tmp_path) == list(range(trials))
    assert found == whole[1]
    before = (tmp_path / next(tmp_path.glob("*.jsonl")).name).read_bytes()
    assert stored(tuned(Tuning(trials=5, folder=tmp_path))) == stored(tuned(Tuning(trials=5)))
    assert next(tmp_path.glob("*.jsonl")).read_bytes() == before, "what is known is not tried again"


def test_a_killed_search_goes_on_and_ends_as_if_it_had_not_been_killed(
    whole: tuple[Path, tuple[str, str]], tmp_path: Path
) -> None:
    """Real processes, killed without warning at three moments, one after the other."""
    for wanted in (2, 5, 7):
        process = subprocess.Popen([sys.executable, "-m", "tests.unit.learning.tunings", str(tmp_path)], cwd=ROOT)
        try:
            until = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < until:
                if any(path.read_bytes().count(b"\n") > wanted for path in tmp_path.glob("*.jsonl")):
                    break
                time.sleep(0.002)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        assert process.returncode == -signal.SIGKILL, "it had ended before the kill"
    known = len(numbers(tmp_path))
    assert known >= 7
    (path,) = tmp_path.glob("*.jsonl")
    kept = path.read_bytes()
    assert stored(tuned(Tuning(trials=TRIALS, folder=tmp_path))) == whole[1]
    assert path.read_bytes().startswith(kept)


@pytest.mark.parametrize("left", [0.0, 0.03, 0.4, 0.7, 0.999])
def test_a_torn_last_line_is_cut_off_and_its_trial_tried_again(
    whole: tuple[Path, tuple[str, str]], left: float, tmp_path: Path
) -> None:
    """A kill while writing, or a disk that was full."""
    (path,) = whole[0].glob("*.jsonl")
    content = path.read_bytes()
    (tmp_path / path.name).write_bytes(content[: int(left * len(content))])
    assert stored(tuned(Tuning(trials=TRIALS, folder=tmp_path))) == whole[1]
    assert numbers(tmp_path) == list(range(TRIALS))


@pytest.mark.parametrize("damage", [b"{}\n", b'{"op_code": 4, "study_id": 0}\n', b"\x00\xff\n", b"[]\n"])
def test_a_damaged_file_begins_anew_and_the_log_says_so(
    whole: tuple[Path, tuple[str, str]], damage: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Trials after the damage were drawn from a record that is no longer there."""
    (path,) = whole[0].glob("*.jsonl")
    content = path.read_bytes().splitlines(keepends=True)
    content[4] = damage
    (tmp_path / path.name).write_bytes(b"".join(content))
    assert stored(tuned(Tuning(trials=TRIALS, folder=tmp_path))) == whole[1]
    assert numbers(tmp_path) == list(range(TRIALS))
    assert f"{tmp_path / path.name} holds something else than the trials of this search" in caplog.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"user_attrs": {"losses": ["a", "b", "c", "d"], "seconds": 1.0}},
        {"user_attrs": {"losses": [], "seconds": 1.0}},
        {"user_attrs": {"losses": [0.5, 0.5], "seconds": 1.0}},
        {"user_attrs": {"losses": [float("nan")] * 4, "seconds": 1.0}},
        {"user_attrs": {"losses": [0.5] * 4, "seconds": None}},
        {"user_attrs": {}},
        {"params": None},
        {"params": {"num_leaves": 7}},
        {"study_name": "another", "op_code": 0},
    ],
)
def test_a_line_that_holds_something_else_is_damaged_too(
    whole: tuple[Path, tuple[str, str]], wrong: dict[str, Any], tmp_path: Path
) -> None:
    """Someone's editor, or another program: well formed, and no trial of this search."""
    (path,) = whole[0].glob("*.jsonl")
    content = path.read_bytes().splitlines(keepends=True)
    content[4] = json.dumps(json.loads(content[4]) | wrong).encode() + b"\n"
    (tmp_path / path.name).write_bytes(b"".join(content))
    assert stored(tuned(Tuning(trials=TRIALS, folder=tmp_path))) == whole[1]
    assert numbers(tmp_path) == list(range(TRIALS))


@pytest.mark.parametrize("other", [{"random_state": 1}, {"reg_lambda": 3.0}, {"purge_days": 60}])
def test_trials_of_other_data_or_settings_are_not_taken_up(other: dict[str, Any], tmp_path: Path) -> None:
    """A loss of another search says nothing of this one."""
    tuned(Tuning(trials=2, folder=tmp_path))
    again = Tuning(trials=2, folder=tmp_path)
    assert stored(tuned(again, **other)) == stored(tuned(Tuning(trials=2), **other))
    assert len(list(tmp_path.glob("*.jsonl"))) == 2
    tuned(again, n_jobs=1)
    assert len(list(tmp_path.glob("*.jsonl"))) == 2, "the number of threads decides nothing"


def test_two_searches_for_the_same_do_not_damage_each_other(
    whole: tuple[Path, tuple[str, str]], tmp_path: Path
) -> None:
    """The second waits, and has the trials of the first."""
    found: list[tuple[str, str]] = []
    search = Tuning(trials=TRIALS, folder=tmp_path)
    both = [threading.Thread(target=lambda: found.append(stored(tuned(search)))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert found == [whole[1], whole[1]]
    assert numbers(tmp_path) == list(range(TRIALS))


def test_minutes_end_the_search_between_fits_and_are_spent_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unfinished trial does not count, and who comes back with the same budget gets the same model at once."""
    ticks = itertools.count()  # a second at each look, of which every fit takes one: the same on any machine
    monkeypatch.setattr(tuning, "time", SimpleNamespace(monotonic=lambda: float(next(ticks))))
    search = Tuning(minutes=40 / 60, folder=tmp_path)
    first = tuned(search, n_jobs=1)
    found = numbers(tmp_path)
    spent = sum(line["user_attrs"]["seconds"] for line in lines(tmp_path)[1:])
    assert 40 <= spent < 40 + 2 * 4, "no more than the two trials under way at four folds"
    assert found == list(range(len(found)))
    assert first.tuning_record_["trials"] == len(found) > 3
    assert len(found) < len(lines(tmp_path)) - 1, "the time ended two trials between their fits"
    before = next(ticks)
    assert stored(tuned(search)) == stored(first)
    assert next(ticks) - before == 1, "no clock is asked, as no trial is fitted"
    assert numbers(tmp_path) == found
    assert stored(tuned(Tuning(trials=len(found)))) == stored(first), "the number of trials is all that time decides"


def test_whichever_bound_is_reached_first_ends_the_search(tmp_path: Path) -> None:
    """Both may be given."""
    tuned(Tuning(trials=3, minutes=5, folder=tmp_path))
    assert numbers(tmp_path) == [0, 1, 2]
    tuned(Tuning(trials=10_000, minutes=1e-6, folder=tmp_path))
    assert numbers(tmp_path) == [0, 1, 2]


def test_a_trial_that_is_worse_at_the_latest_fold_is_stopped_there(tmp_path: Path) -> None:
    """It costs one fold instead of four, and could not have won; who goes on later knows that it was stopped."""
    for trials in (6, TRIALS):
        model = tuned(Tuning(trials=trials, folder=tmp_path), **GOOD)
    assert stored(model) == stored(tuned(Tuning(trials=TRIALS), **GOOD))
    with opened(tmp_path, json.loads(next(tmp_path.glob("*.jsonl")).open().readline())["study_name"], SPACE, 1) as kept:
        trials = kept.trials
    assert len(trials) == TRIALS
    assert model.tuning_record_["stopped"] == sum(trial.stopped for trial in trials)
    assert {trial.stopped for trial in trials} == {True, False}
    for trial in trials:
        assert len(trial.losses) == (1 if trial.stopped else 4)
        assert not trial.stopped or trial.losses[0] > trials[0].losses[0]


def test_a_poor_default_is_replaced_and_a_better_model_comes_of_it() -> None:
    """Else there would be no point in searching."""
    X, y, cutoff = rows()
    later = cutoff == cutoff.max()
    models = [
        AtRiskClassifier(**POOR, purge_days=30, tuning=tuning).fit(X[~later], y[~later], cutoff=cutoff[~later])
        for tuning in (None, Tuning(trials=15))
    ]
    record = models[1].tuning_record_
    assert record["chosen"] == "tuned"
    assert record["loss"]["tuned"] < record["loss"]["default"] - record["gain"]["standard_error"]
    assert record["parameters"]["linear_penalty"] == models[1].recipe_["linear_penalty"] < 1e5
    p = [model.predict_proba(X[later])[:, 1] for model in models]
    losses = [float(np.mean(-np.log(np.where(y[later] == 1, each, 1 - each)))) for each in p]
    assert losses[1] < losses[0] - 0.02
    assert tuning_sentence("risk", record).startswith("tuning: risk is tuned to learning_rate 0.")


def test_a_search_that_finds_nothing_leaves_the_record_of_the_choice_as_it_was() -> None:
    """What training tells of the risk is what the model that is used lost, and not what a refused one did."""
    how = {**GOOD, "random_state": 4}
    found, plain = tuned(Tuning(trials=6), **how), tuned(None, **how)
    record = found.tuning_record_
    assert record["chosen"] == "default"
    assert record["loss"]["tuned"] < record["loss"]["default"], "another looked better"
    assert found.choice_record_ == plain.choice_record_


def test_where_the_customer_base_is_the_default_ridge_and_trees_are_searched() -> None:
    """It has nothing to search for: a ridge that is bound too much for what the others know can be let loose."""
    X, came, cutoff = shop(customers=150, seed=2)
    draw = np.random.default_rng(0)
    known = draw.normal(size=len(X))
    churned = np.where(draw.random(len(X)) < 0.5, known > 0, came == 0)
    X = np.column_stack([X, known, draw.normal(size=(len(X), 10))])
    how: dict[str, Any] = {"linear_penalty": 1e4, "n_estimators": 1, "learning_rate": 1e-6, "purge_days": 90}
    how |= {"horizon_days": 90, "history_columns": (0, 1, 2)}
    plain, found = (
        AtRiskClassifier(**how, tuning=tuning).fit(X, churned, cutoff=cutoff) for tuning in (None, Tuning(trials=10))
    )
    assert plain.choice_record_["chosen"] == "customer base"
    assert found.tuning_record_["chosen"] == "tuned"
    assert found.choice_record_["chosen"].startswith("ridge")


def measured(*folds: list[float]) -> FoldLosses:
    """Losses of four rows at each fold, the latest first."""
    return FoldLosses(tuple(np.array(each) for each in folds), (None,) * len(folds))


DEFAULT = measured([0.5, 0.6, 0.4, 0.5], [0.5, 0.6, 0.4, 0.5])


@pytest.mark.parametrize(
    ("best", "losses", "why"),
    [
        ([[0.4, 0.5, 0.3, 0.4], [0.4, 0.5, 0.31, 0.4]], [[0.5, 0.5], [0.4, 0.4]], None),
        ([[0.2, 0.9, 0.3, 0.4], [0.4, 0.8, 0.1, 0.5]], [[0.5, 0.5], [0.45, 0.45]], "no more than chance"),
        ([[0.51, 0.61, 0.41, 0.51], [0.2, 0.3, 0.1, 0.2]], [[0.5, 0.5], [0.51, 0.2]], "worse at the latest fold"),
        (
            [[0.4, 0.5, 0.3, 0.4], [0.4, 0.5, 0.31, 0.4]],
            [[0.5, 0.5], [0.4, 0.4], [0.3, 0.6]],
            "at a fold left out of it",
        ),
    ],
    ids=["a real gain", "chance", "the latest", "luck"],
)
def test_the_best_replaces_the_default_only_by_more_than_chance(
    best: list[list[float]], losses: list[list[float]], why: str | None
) -> None:
    """The winner of many trials is praised by the losses that chose it."""
    verdict = judge(DEFAULT, measured(*best), losses)
    assert verdict.accepted == (why is None)
    assert why is None or why in verdict.why


def test_noise_is_not_learnt() -> None:
    """Where nothing tells customers apart, some trial always looks best; the default stays."""
    draw = np.random.default_rng(0)
    X, y = draw.normal(size=(1500, 5)), (draw.random(1500) < 0.4).astype(float)
    cutoff = np.repeat(np.arange(5), 300)
    records = [
        AtRiskClassifier(n_estimators=20, random_state=seed, tuning=Tuning(trials=8)).fit(X, y, cutoff=cutoff)
        for seed in range(3)
    ]
    assert [model.tuning_record_["chosen"] for model in records] == ["default"] * 3


def test_weights_count_in_the_search_and_rows_without_time_are_tuned_on_three_fifths() -> None:
    """A weight of 0 is a row that is not there; a data scientist may have no cutoffs."""
    X, y, cutoff = rows()
    search = Tuning(trials=4)
    there = np.arange(len(y)) % 3 > 0
    some = AtRiskClassifier(n_estimators=20, tuning=search).fit(X[there], y[there], cutoff=cutoff[there])
    weighed = AtRiskClassifier(n_estimators=20, tuning=search).fit(
        X, y, cutoff=cutoff, sample_weight=there.astype(float)
    )
    assert stored(some) == stored(weighed)
    assert AtRiskClassifier(n_estimators=20, tuning=search).fit(X, y).tuning_record_["folds"] == 3
    assert AtRiskClassifier(n_estimators=20, tuning=search).fit(X[:30], y[:30]).tuning_record_ is None
    assert "fewer than two" in tuning_sentence("risk", None)
    assert "all customers did the same" in tuning_sentence("any_value", None), "then the part is a constant"


def test_the_value_is_tuned_in_both_parts() -> None:
    """Whether anything comes and how much are two scores."""
    X, y, cutoff = rows()
    value = np.where(y == 0, np.exp(X[:, 1] / 5), 0.0)
    model = ValueRegressor(n_estimators=20, purge_days=30, tuning=Tuning(trials=4)).fit(X, value, cutoff=cutoff)
    assert {name: record["trials"] for name, record in model.tuning_record_.items()} == {"any_value": 4, "amount": 4}
    with_one = ValueRegressor(n_estimators=20, tuning=Tuning(trials=4)).fit(X, np.zeros(len(y)), cutoff=cutoff)
    assert with_one.tuning_record_ == {"any_value": None, "amount": None}


def test_the_search_is_a_parameter_like_others() -> None:
    """Clones, copies and the classifier of several horizons take it along."""
    model = AtRiskClassifier(n_estimators=10, tuning=Tuning(trials=2))
    assert clone(model).get_params()["tuning"] == Tuning(trials=2)
    assert "Tuning(trials=2" in repr(model)
    X, y, cutoff = rows()
    several = HorizonClassifier((30, 60), classifier=model).fit(X, np.where(y == 1, 20.0, 50.0), cutoff=cutoff)
    assert several.predict_proba_by_horizon(X[:3]).shape == (3, 2)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"trials": 0}, "greater than or equal to 1"),
        ({"minutes": 0}, "greater than 0"),
        ({"minutes": float("nan")}, "greater than 0|finite"),
        ({}, "wanted a budget for tuning, found none; give trials, minutes, or both"),
        ({"trial": 3}, "Extra inputs are not permitted"),
    ],
)
def test_a_budget_that_cannot_be_is_refused(wrong: dict[str, Any], message: str) -> None:
    """Before anything is fitted."""
    with pytest.raises(ValidationError, match=message):
        Tuning(**wrong)


def test_without_optuna_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is fitted."""
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"needs optuna, which is not installed.*pip install 'holdfast\[tune\]'"):
        tuned(Tuning(trials=2))
    tuned(None)


def test_a_folder_that_refuses_is_named(tmp_path: Path) -> None:
    """What was meant to be kept would be lost unnoticed."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"trials of tuning in .*file/trials.*training\.tuning\.folder"):
        tuned(Tuning(trials=2, folder=tmp_path / "file" / "trials"))


def test_a_full_disk_is_named_and_what_was_kept_is_there(
    whole: tuple[Path, tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next search goes on from it."""
    tuned(Tuning(trials=3, folder=tmp_path))

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="No space left on device"):
            tuned(Tuning(trials=TRIALS, folder=tmp_path))
    assert numbers(tmp_path)[:3] == [0, 1, 2]
    assert stored(tuned(Tuning(trials=TRIALS, folder=tmp_path))) == whole[1]
