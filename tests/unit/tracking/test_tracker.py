"""Logging, registering and promoting, on real sqlite stores and one real server."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from holdfast.errors import BundleError, ConfigError, HoldfastError, LockedError
from holdfast.files import locked
from holdfast.models.feature_record import FeatureRecord
from holdfast.models.scores import PREDICTIONS
from holdfast.timeline import instant
from holdfast.tracking import RunInfo, ServingCode, StoredModel, Tracker, TrackingSettings, Verdict, store

NAME = "corner-shop"
FIRST = Verdict(accepted=True, reason="the first")
FEATURES = [
    FeatureRecord("orders_90d"),
    FeatureRecord("country", "category", "category"),
]
SERVING = """
import json
from pathlib import Path

import pandas as pd


class Half:
    def __init__(self, value):
        self.value = value

    def predict(self, frame, params=None):
        columns = ["p_churn", "value", "value_low", "value_high", "expected_loss"]
        answer = pd.DataFrame({name: frame["orders_90d"] * self.value for name in columns})
        answer["asked"] = (params or {}).get("reasons")
        return answer


def _load_pyfunc(path):
    return Half(json.loads(Path(path, "bundle.json").read_text())["value"])
"""


@pytest.fixture
def code() -> ServingCode:
    """A loader of ten lines in a package of its own, as small as serving code can be."""
    sources = {"half_serving/__init__.py": "", "half_serving/loader.py": SERVING}
    return ServingCode("half_serving.loader", sources, ["numpy", "pandas"])


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle as the loader above wants it."""
    folder = tmp_path / "trained"
    folder.mkdir()
    (folder / "bundle.json").write_text(json.dumps({"value": 0.5}))
    return folder


@pytest.fixture(scope="module")
def prepared_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an empty store; creating one takes seconds, copying it nothing."""
    base = tmp_path_factory.mktemp("prepared")
    Tracker.open(TrackingSettings(), base)
    return base


@pytest.fixture
def tracker(prepared_store: Path) -> Tracker:
    """A tracker on the shared local store; each test uses its own model name."""
    return Tracker.open(TrackingSettings(), prepared_store)


def log(tracker: Tracker, bundle: Path, code: ServingCode, name: str = NAME, **changes: object) -> RunInfo:
    """Log a training whose every part is small."""
    figure = Figure()
    figure.subplots().plot([0, 1], [0, 1])
    march, june = instant("2011-03-01"), instant("2011-06-01")
    given: dict[str, object] = {
        "features": FEATURES,
        "parameters": {"model": {"learning_rate": 0.03, "windows": [7, 30]}, "where": "Price > 0"},
        "metrics": {"auc": 0.8, "lift_10": float("nan")},
        "metrics_by_cutoff": {june: {"auc": 0.82}, march: {"auc": 0.78}},
        "fingerprints": {"data": "d" * 64, "configuration": "c" * 64},
        "plots": {"calibration": figure},
        "audit": {"passed": True},
        "backtest": {"pooled": {"auc": 0.8}},
        "code": code,
    }
    return tracker.log_training(bundle, name=name, **{**given, **changes})  # type: ignore[arg-type]  # parts by name


def test_the_first_version_becomes_challenger_and_nobody_champion(
    tracker: Tracker, bundle: Path, code: ServingCode
) -> None:
    """A model that nobody compared with anything must not start to score by itself."""
    run = log(tracker, bundle, code, "first")
    challenger = tracker.challenger("first")
    assert (challenger.version, challenger.run_id) == (run.version, run.run_id)
    assert json.loads((challenger.bundle / "bundle.json").read_text()) == {"value": 0.5}
    with pytest.raises(HoldfastError, match="holdfast promote"):
        tracker.champion("first")


def test_everything_about_a_training_can_be_read_back(tracker: Tracker, bundle: Path, code: ServingCode) -> None:
    """A run that cannot be questioned later was not worth logging."""
    run = log(tracker, bundle, code, "readable")
    client = tracker._store.client
    kept = client.get_run(run.run_id)
    assert kept.data.params["model.learning_rate"] == "0.03"
    assert kept.data.params["model.windows"] == "[7, 30]"
    assert kept.data.metrics["auc"] == 0.8
    assert "lift_10" not in kept.data.metrics
    history = [(entry.step, entry.value) for entry in client.get_metric_history(run.run_id, "auc_by_cutoff")]
    assert history == [(0, 0.78), (1, 0.82)]
    assert kept.data.tags["holdfast.cutoff.0"] == "2011-03-01"
    assert kept.data.tags["mlflow.source.name"] == "holdfast"
    assert {entry.path for entry in client.list_artifacts(run.run_id)} == {"audit.json", "backtest.json", "plots"}
    assert [entry.path for entry in client.list_artifacts(run.run_id, "plots")] == ["plots/calibration.png"]
    (output,) = kept.outputs.model_outputs
    assert {metric.dataset_name for metric in client.get_logged_model(output.model_id).metrics} == {
        None,
        "cutoff 2011-03-01",
        "cutoff 2011-06-01",
    }
    assert client.get_model_version("readable", run.version).tags["holdfast.fingerprint.data"] == "d" * 64


def test_runs_are_listed_newest_first_with_version_and_aliases(
    tracker: Tracker, bundle: Path, code: ServingCode
) -> None:
    """The list answers: what did we train, how good was it, and which one is in charge."""
    first, second = log(tracker, bundle, code, "listed"), log(tracker, bundle, code, "listed")
    newest, oldest = tracker.runs("listed")
    assert (newest.run_id, newest.version, newest.aliases) == (second.run_id, "2", ("challenger",))
    assert (oldest.run_id, oldest.version, oldest.aliases) == (first.run_id, "1", ())
    assert newest.metrics == {"auc": 0.8}
    assert newest.fingerprints["configuration"] == "c" * 64
    assert newest.status == "finished"


def test_only_the_present_challenger_counts_as_trained_already(
    tracker: Tracker, bundle: Path, code: ServingCode
) -> None:
    """Training twice on the same inputs is a waste; going back to older inputs is a new training."""
    march, april = {"data": "march"}, {"data": "april"}
    assert tracker.find("found", march) is None
    first = log(tracker, bundle, code, "found", fingerprints=march)
    found = tracker.find("found", march)
    assert found is not None
    assert found.run_id == first.run_id
    log(tracker, bundle, code, "found", fingerprints=april)
    assert tracker.find("found", march) is None


def test_a_folder_kept_with_a_run_comes_back(tracker: Tracker, bundle: Path, code: ServingCode, tmp_path: Path) -> None:
    """A comparison needs the model as it was evaluated, not only as it scores."""
    kept = tmp_path / "evaluated"
    kept.mkdir()
    (kept / "bundle.json").write_text("{}")
    run = log(tracker, bundle, code, "folders", folders={"evaluation": kept})
    assert (tracker.folder(run.run_id, "evaluation") / "bundle.json").read_text() == "{}"
    with pytest.raises(BundleError, match="holdfast train"):
        tracker.folder(run.run_id, "diary")


def test_a_model_never_trained_has_no_runs_and_says_what_to_do(tracker: Tracker) -> None:
    """The first command of a newcomer may well be the wrong one."""
    assert tracker.runs("never") == []
    with pytest.raises(HoldfastError, match="holdfast train"):
        tracker.challenger("never")


def test_an_accepted_challenger_becomes_champion_and_a_refused_one_does_not(
    tracker: Tracker, bundle: Path, code: ServingCode
) -> None:
    """The judge decides, and its reason stays with the version."""
    log(tracker, bundle, code, "judged")
    moved = tracker.promote(
        "judged", lambda champion, challenger: Verdict(accepted=champion is None, reason="no champion")
    )
    assert (moved.champion, moved.moved) == ("1", True)

    log(tracker, bundle, code, "judged")
    seen: list[tuple[StoredModel | None, StoredModel]] = []

    def refuse(champion: StoredModel | None, challenger: StoredModel) -> Verdict:
        seen.append((champion, challenger))
        return Verdict(accepted=False, reason="log loss .61 against .58", figures={"log_loss_difference": 0.03})

    kept = tracker.promote("judged", refuse)
    assert (kept.champion, kept.challenger, kept.moved) == ("1", "2", False)
    assert [(old.version if old else None, new.version) for old, new in seen] == [("1", "2")]
    assert tracker.champion("judged").version == "1"
    tags = tracker._store.client.get_model_version("judged", "2").tags
    assert tags["holdfast.verdict.reason"] == "log loss .61 against .58"
    assert json.loads(tags["holdfast.verdict.figures"]) == {"log_loss_difference": 0.03}


def test_promoting_twice_changes_nothing(tracker: Tracker, bundle: Path, code: ServingCode) -> None:
    """A second `holdfast promote` must not compare a model with itself."""
    log(tracker, bundle, code, "twice")
    tracker.promote("twice", lambda champion, challenger: FIRST)
    again = tracker.promote("twice", lambda champion, challenger: pytest.fail("compared a model with itself"))
    assert not again.moved
    assert "already" in again.reason


def test_a_training_that_ends_during_the_comparison_stops_the_promotion(
    tracker: Tracker, bundle: Path, code: ServingCode
) -> None:
    """Otherwise the alias would move to a version that the judge has not seen."""
    log(tracker, bundle, code, "raced")

    def slow(champion: StoredModel | None, challenger: StoredModel) -> Verdict:
        log(tracker, bundle, code, "raced")
        return Verdict(accepted=True, reason="better")

    with pytest.raises(LockedError, match="another job"):
        tracker.promote("raced", slow)


def test_a_failed_logging_leaves_a_failed_run_and_no_version(
    tracker: Tracker, bundle: Path, code: ServingCode, tmp_path: Path
) -> None:
    """Half a model must never be somebody's challenger."""
    log(tracker, bundle, code, "failing")
    with pytest.raises(HoldfastError):
        log(tracker, tmp_path / "no-such-bundle", code, "failing")
    assert tracker.challenger("failing").version == "1"
    assert [run.status for run in tracker.runs("failing")] == ["failed", "finished"]


def test_no_password_reaches_the_store(tracker: Tracker, bundle: Path, code: ServingCode, prepared_store: Path) -> None:
    """Configurations hold database addresses; whoever may read runs may not read those."""
    secret = "hunter2hunter2"
    settings = {
        "sources": {"orders": {"postgres": {"uri": f"postgresql://analyst:{secret}@db.example:5432/shop"}}},
        "options": f"host=db password={secret}",
        "spark": {"conf": {"spark.hadoop.fs.s3a.secret.key": secret}},
    }
    audit = {
        "source": f"postgresql://analyst:{secret}@db.example/shop",
        "said": f'{{"apikey": "{secret}"}}',
        "token": 3,
    }
    log(tracker, bundle, code, "secret", parameters=settings, audit=audit)
    files = [path for path in prepared_store.rglob("*") if path.is_file()]
    assert [path for path in files if secret.encode() in path.read_bytes()] == []


def test_the_registered_model_answers_with_its_signature(
    tracker: Tracker, bundle: Path, code: ServingCode, tmp_path: Path
) -> None:
    """A consumer asks MLflow, gets numbers for rows with missing values, and may ask for reasons."""
    log(tracker, bundle, code, "served")
    tracker.promote("served", lambda champion, challenger: FIRST)
    program = f"""
import mlflow, pandas as pd
mlflow.set_tracking_uri({tracker._store.uri!r})
model = mlflow.pyfunc.load_model("models:/served@champion")
frame = pd.DataFrame({{"orders_90d": [2.0, float("nan")], "country": pd.array(["FR", None], dtype="str")}})
answer = model.predict(frame, params={{"reasons": 3}})
print(answer["p_churn"].tolist(), answer["asked"].tolist())
print(model.metadata.get_input_schema().to_dict(), model.metadata.get_output_schema().input_names())
print(open(mlflow.pyfunc.get_model_dependencies("models:/served@champion")).read())
"""
    result = subprocess.run(
        [sys.executable, "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    answer, schema, *requirements = result.stdout.splitlines()
    assert answer == "[1.0, nan] [3, 3]"
    assert "'double', 'name': 'orders_90d', 'required': True" in schema
    assert "'string', 'name': 'country', 'required': False" in schema
    assert str(list(PREDICTIONS)) in schema
    assert f"numpy=={np.__version__}" in requirements
    assert f"pandas=={pd.__version__}" in requirements
    assert [line.split("==")[0] for line in requirements if line] == ["mlflow", "numpy", "pandas"]


def test_the_stored_example_is_invented(tracker: Tracker, bundle: Path, code: ServingCode) -> None:
    """Nobody's data travels with the model."""
    log(tracker, bundle, code, "example")
    package = tracker.challenger("example").bundle.parents[1]
    example = json.loads((package / "input_example.json").read_text())
    assert example["data"] == [[1.0, "example"]]


def test_a_lost_model_folder_is_named(tracker: Tracker, bundle: Path, code: ServingCode) -> None:
    """Stores get moved and cleaned by hand; the message says which folder is missed."""
    log(tracker, bundle, code, "lost")
    folder = tracker.challenger("lost").bundle
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink()
    folder.rmdir()
    with pytest.raises(BundleError, match="holdfast train"):
        tracker.challenger("lost")


LOGS = """
import sys, time
from pathlib import Path
from holdfast.models.feature_record import FeatureRecord
from holdfast.tracking import ServingCode, Tracker, TrackingSettings

class Plot:
    def savefig(self, *_, **__):
        print("logging", flush=True)
        sys.stdin.readline()

base, bundle, name = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
code = ServingCode("half.loader", {"half/__init__.py": "", "half/loader.py": ""}, ["numpy"])
run = Tracker.open(TrackingSettings(), base).log_training(
    bundle, name=name, features=[FeatureRecord("orders_90d")], parameters={}, metrics={},
    metrics_by_cutoff={}, fingerprints={"data": "d"}, plots={"plot": Plot()}, audit={}, backtest={}, code=code,
    unless_known=True,
)
print(run.version, run.fresh)
"""


def logging(base: Path, bundle: Path, name: str) -> subprocess.Popen[str]:
    """A process that logs a training; it says so in the middle, and goes on when it is told to."""
    command = [sys.executable, "-c", LOGS, str(base), str(bundle), name]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_the_next_to_open_the_store_ends_the_runs_of_the_dead_and_of_nobody_else(
    tracker: Tracker, bundle: Path, prepared_store: Path
) -> None:
    """A run that says "running" for ever is looked after every morning, and its files fill the disk."""
    with logging(prepared_store, bundle, "killed") as job:
        assert job.stdout is not None
        assert job.stdout.readline() == "logging\n"
        Tracker.open(TrackingSettings(), prepared_store)
        assert [run.status for run in tracker.runs("killed")] == ["running"]
        job.kill()
    Tracker.open(TrackingSettings(), prepared_store)
    (run,) = tracker.runs("killed")
    assert (run.status, run.version) == ("killed", None)
    client = tracker._store.client
    (model,) = client.search_logged_models([tracker._store.experiment_id], f"source_run_id = '{run.run_id}'")
    assert model.status == "FAILED"
    assert list(tracker._store.running.iterdir()) == []


def test_equal_trainings_at_once_are_one_version(tracker: Tracker, bundle: Path, prepared_store: Path) -> None:
    """A scheduler that starts a job twice must not leave a champion to be chosen among equals."""
    jobs = [logging(prepared_store, bundle, "equal") for _ in range(3)]
    for job in jobs:
        assert job.stdin is not None
        job.stdin.close()  # all may go on
    said = [job.stdout.read().split()[-2:] for job in jobs if job.stdout is not None]
    assert [job.wait() for job in jobs] == [0, 0, 0]
    assert sorted(said) == [["1", "False"], ["1", "False"], ["1", "True"]]
    assert [run.version for run in tracker.runs("equal")] == ["1"]


def test_a_registry_that_somebody_holds_is_not_waited_for_without_end(
    tracker: Tracker, bundle: Path, code: ServingCode, prepared_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job that hangs would hang all others; they leave with the code of a lock and say who is in the way."""
    monkeypatch.setattr(store, "_REGISTERING_SECONDS", 0.5)
    held = locked(prepared_store / "models" / "registry.lock", "hang")
    with held, pytest.raises(LockedError, match=rf"registry\.lock.*process {os.getpid()} on") as refused:
        log(tracker, bundle, code, "hung")
    assert refused.value.exit_code == 6
    assert tracker.runs("hung") == []


def test_a_store_in_the_making_is_not_waited_for_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for the first job of all; once the store is made, nobody asks for its lock."""
    monkeypatch.setattr(store, "_PREPARING_SECONDS", 0.5)
    (tmp_path / "models").mkdir()
    with locked(tmp_path / "models" / "mlflow.lock", "hang"), pytest.raises(LockedError, match=r"mlflow\.lock"):
        Tracker.open(TrackingSettings(), tmp_path)


@pytest.mark.parametrize("name", ["", "a/b", "x' OR '1' = '1", "models:/x"])
def test_a_name_that_the_registry_would_misread_is_refused(tracker: Tracker, name: str) -> None:
    """Names become parts of filters and addresses."""
    with pytest.raises(ConfigError, match="name"):
        tracker.runs(name)


@pytest.fixture
def server(tmp_path: Path, prepared_store: Path) -> Iterator[str]:
    """A real tracking server on this machine that hands out artifacts itself."""
    shutil.copyfile(prepared_store / "models" / "mlflow.db", tmp_path / "server.db")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            *(Path(sys.executable).with_name("mlflow"), "server", "--host", "127.0.0.1", "--port", str(port)),
            *("--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}", "--workers", "1"),
            *("--artifacts-destination", str(tmp_path / "server-artifacts")),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
    )
    uri = f"http://127.0.0.1:{port}"
    try:
        yield uri
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the server and its workers
        process.wait()


@pytest.mark.slow
def test_a_remote_server_keeps_and_returns_the_model(
    server: str, bundle: Path, code: ServingCode, tmp_path: Path
) -> None:
    """The same calls work over the network; the champion is fetched once and kept."""
    for _ in range(60):
        try:
            tracker = Tracker.open(TrackingSettings(uri=server, experiment="remote"), tmp_path)
            break
        except HoldfastError:
            time.sleep(1)
    run = log(tracker, bundle, code)
    tracker.promote(NAME, lambda champion, challenger: FIRST)
    champion = tracker.champion(NAME)
    assert (champion.version, champion.run_id) == (run.version, run.run_id)
    assert champion.bundle.is_relative_to(tmp_path / "models" / "fetched")
    assert json.loads((champion.bundle / "bundle.json").read_text()) == {"value": 0.5}
    assert tracker.champion(NAME) == champion
    assert tracker.runs(NAME)[0].aliases == ("challenger", "champion")
