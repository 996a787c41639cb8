"""From raw tables to a published list, on a shop and on a service under contract, through the command line."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from holdfast import Project
from holdfast.config import json_schema
from holdfast.labels import SIGNS
from holdfast.snapshots import build_snapshots
from holdfast.timeline import instant
from tests.end_to_end.command import apart, done
from tests.end_to_end.conftest import AS_OF, CUSTOMERS, Way

SCORES = ["p_churn", "value", "value_low", "value_high", "expected_loss"]
STATES = ["p_gone", "p_leaving", "p_staying"]
KEPT = ["value_if_kept", "value_if_kept_low", "value_if_kept_high", "value_if_lost"]
REASONS = ["reason_1", "reason_2", "reason_3"]
COLUMNS = {
    "customers.parquet": ["customer_id", "as_of", *SCORES, "stage", "segment", "group", *STATES, *KEPT],
    "at_risk.parquet": [
        *["rank", "customer_id", "as_of", *SCORES, "action", "channel", "net_value", "net_value_low", "p_net_positive"],
        *["stage", "segment", *REASONS, *(f"{reason}_feature" for reason in REASONS)],
        *[*(f"{reason}_contribution" for reason in REASONS), "list_id", "model_version"],
        *["base_log_odds", "other_contribution", "action_words", "channel_words", *STATES, *KEPT],
    ],
    "excluded.parquet": ["customer_id", "rule", "detail"],
}
FILES = {*COLUMNS, "manifest.json", "at_risk.csv", "report.html"}
COMMANDS = ["demo", "init", "simulate", "check", "features", "train", "backtest", "promote", "score", "runs", "schema"]


def contents(folder: Path) -> dict[str, str]:
    """Hashes of the files of a list."""
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_each_command_tells_what_it_did(way: Way) -> None:
    """A person who runs them by hand must see how many rows went in, what came out, and where it lies."""
    said = {name: answer.out for name, answer in way.answers.items()}
    assert "export" in said["simulate"]
    assert f"{CUSTOMERS:,} customers" in said["check"]
    assert "missing customer id" in said["check"]
    assert "good" in said["check"]
    assert "trained and registered" in said["train"]
    assert "MLflow: sqlite:///" in said["train"]
    assert "promoted" in said["promote"]
    assert all(answer.err == "" for answer in way.answers.values())


def test_what_check_rejects_can_be_looked_at(way: Way) -> None:
    """Rows in are rows valid and rows rejected, and each rejected row is there with its reason."""
    checked = done("check", way.config, "--json").json
    rejects = pd.read_parquet(way.config.parent.parent / "rejects.parquet")
    for name, source in checked["sources"].items():
        assert source["rows_in"] == source["rows_valid"] + sum(source["rejected"].values())
        kept = rejects[rejects["source"] == name]
        assert kept["reason"].value_counts().to_dict() == source["rejected"]
    assert len(rejects) > 0


def test_the_model_beats_both_baselines(way: Way) -> None:
    """If recency alone did as well, nobody would need the rest."""
    result = way.answers["backtest"].json
    assert result["models"] == ["model", "rfm", "recency"]
    assert [entry["cutoff"] for entry in result["cutoffs"]] == [
        str(cutoff) for cutoff in Project.open(way.config).configuration.cutoffs.test
    ]
    for entry in (*(each["metrics"] for each in result["cutoffs"]), result["pooled"]):
        assert set(entry) == {"model", "rfm", "recency"}
        assert {"auc", "average_precision", "log_loss", "brier", "mae", "lift_at_10"} <= set(entry["model"])
    pooled = {model: {name: found["estimate"] for name, found in of.items()} for model, of in result["pooled"].items()}
    for baseline in ("rfm", "recency"):
        assert pooled["model"]["auc"] > pooled[baseline]["auc"]
        assert pooled["model"]["log_loss"] < pooled[baseline]["log_loss"]


def test_the_list_holds_exactly_the_promised_files_and_columns(way: Way) -> None:
    """Consumers build on these names."""
    assert set(contents(way.list_folder)) == FILES
    for name, columns in COLUMNS.items():
        assert pq.read_schema(way.list_folder / name).names == columns
    spreadsheet = pd.read_csv(way.list_folder / "at_risk.csv")
    assert list(spreadsheet.columns) == COLUMNS["at_risk.parquet"]
    manifest = json.loads((way.list_folder / "manifest.json").read_text(encoding="utf-8"))
    hashes = {name: entry["sha256"] for name, entry in manifest["files"].items()}
    assert hashes == {name: found for name, found in contents(way.list_folder).items() if name != "manifest.json"}
    assert manifest["model"] == {"name": f"demo_{way.kind}", "version": "1"}
    assert set(manifest["fingerprints"]) >= {"configuration", "data"}
    assert (manifest["as_of"], manifest["holdfast_version"]) == (AS_OF, "0.1.0")


def test_every_scored_customer_is_in_one_group(way: Way) -> None:
    """Scored = contact + control + not selected + excluded, in the tables as in what the command says."""
    told = way.answers["score"].json
    customers = pd.read_parquet(way.list_folder / "customers.parquet")
    at_risk = pd.read_parquet(way.list_folder / "at_risk.parquet")
    excluded = pd.read_parquet(way.list_folder / "excluded.parquet")
    counts = told["counts"]
    assert customers["customer_id"].is_unique
    assert len(customers) == counts["scored"] > 100
    assert counts["scored"] == sum(counts[group] for group in ("contact", "control", "not_selected", "excluded"))
    assert customers["group"].value_counts().to_dict() == {
        group: count for group, count in counts.items() if group != "scored" and count
    }
    of_group = {group: set(rows["customer_id"]) for group, rows in customers.groupby("group")}
    assert set(at_risk["customer_id"]) == of_group["contact"]
    assert set(excluded["customer_id"]) == of_group["excluded"]
    assert at_risk["rank"].tolist() == list(range(1, len(at_risk) + 1))
    assert set(at_risk["list_id"]) == {told["list_id"]}


def test_every_reason_adds_up(way: Way) -> None:
    """Base and contributions are the calibrated log-odds of each row, so nobody can call the reasons made up."""
    at_risk = pd.read_parquet(way.list_folder / "at_risk.parquet").set_index("customer_id")
    with Project.open(way.config) as project:
        bundle, _ = project.champion()
        table = build_snapshots(
            project.tables,
            project.features(),
            population=project.configuration.population,
            cutoffs=[instant(AS_OF)],
        ).set_index("customer_id")
        log_odds = bundle.scores(table.loc[at_risk.index]).log_odds
        scores = bundle.predict(table)
    parts = ["base_log_odds", *(f"{reason}_contribution" for reason in REASONS), "other_contribution"]
    total = at_risk[parts].sum(axis=1).to_numpy()
    assert np.abs(total - log_odds).max() <= 1e-9
    assert np.abs(total - np.log(at_risk["p_churn"] / (1 - at_risk["p_churn"]))).max() <= 1e-9
    customers = pd.read_parquet(way.list_folder / "customers.parquet").set_index("customer_id")
    assert (
        np.abs(customers[[*SCORES, *STATES, *KEPT]].to_numpy() - scores[[*SCORES, *STATES, *KEPT]].to_numpy()).max()
        <= 1e-12
    )


def test_reasons_are_sentences_about_named_features(way: Way) -> None:
    """The colleague on the phone reads them aloud."""
    at_risk = pd.read_parquet(way.list_folder / "at_risk.parquet")
    names = {feature["name"] for feature in done("features", "list", way.config, "--json").json}
    for reason in REASONS:
        given = at_risk[at_risk[reason] != ""]
        assert set(given[f"{reason}_feature"]) <= names
        assert not given[reason].str.contains(r"\{|\}|nan|None|<NA>", regex=True).any()
    assert (at_risk["reason_1"] != "").mean() > 0.9


def test_scoring_again_changes_nothing(way: Way) -> None:
    """A retry after a broken night must not give the call centre a second list."""
    before, where = contents(way.list_folder), way.list_folder.resolve()
    again = done("score", way.config, "--as-of", AS_OF, "--json").json
    assert again == way.answers["score"].json
    assert (contents(way.list_folder), way.list_folder.resolve()) == (before, where)


def test_scoring_goes_where_it_is_told(way: Way, tmp_path: Path) -> None:
    """The same list in another folder, as people see it: groups, five customers with reasons, and where it lies."""
    said = done("score", way.config, "--as-of", AS_OF, "--output", tmp_path).out
    assert contents(tmp_path / f"as_of={AS_OF}") == contents(way.list_folder)
    assert re.search(r"scored [\d,]+ customers as of 2025-01-01 with version 1", said)
    assert len(re.findall(r"^\d\. \S+ +risk \d+%, leaving \d+%, ", said, flags=re.MULTILINE)) == 5
    assert said.count("     · ") >= 5
    assert str(tmp_path / f"as_of={AS_OF}" / "report.html") in said


def test_training_and_promoting_again_change_nothing(way: Way) -> None:
    """The nightly job trains only where data, settings or code are new."""
    again = done("train", way.config, "--json").json
    assert (again["fresh"], again["version"]) == (False, "1")
    assert "unchanged" in done("train", way.config).out
    said = done("promote", way.config).out
    assert "not promoted" in said
    assert "champion already" in said
    runs = done("runs", way.config, "--json").json
    trained = [run for run in runs["runs"] if run["version"] is not None]
    assert [run["version"] for run in trained] == ["1"]
    assert sorted(trained[0]["aliases"]) == ["challenger", "champion"]
    assert "champion" in done("runs", way.config).out


def test_the_catalogue_is_large_and_explains_itself(way: Way) -> None:
    """Whoever reads a reason must be able to look the feature up."""
    everything = done("features", "list", "--json").json
    assert len(everything) >= 70
    assert all(feature["name"] and feature["unit"] and feature["meaning"] for feature in everything)
    here = done("features", "list", way.config, "--json").json
    assert len(here) >= 70
    said = done("features", "list", way.config).out
    assert f"{len(here)} features" in said
    assert all(re.search(rf"^ *{feature['name']}\b", said, flags=re.MULTILINE) for feature in here[:5])


def test_the_snapshots_table_can_be_had_as_a_file(way: Way, tmp_path: Path) -> None:
    """For those who model on their own: every training cutoff, every feature, the labels."""
    path = tmp_path / "snapshots.parquet"
    said = done("features", "build", way.config, "--output", path).out
    table = pd.read_parquet(path)
    assert f"{len(table):,} snapshots" in said
    names = [feature["name"] for feature in done("features", "list", way.config, "--json").json]
    signs = list(SIGNS) if way.kind == "retail" else []  # with contracts nobody need look for signs of life
    assert list(table.columns) == ["customer_id", "cutoff", *names, "churned", "future_value", "treated", *signs]
    assert set(table["churned"]) == {0.0, 1.0}
    assert not table.duplicated(["customer_id", "cutoff"]).any()
    assert [each.name for each in tmp_path.iterdir()] == ["snapshots.parquet"]


def test_the_audit_passes_the_simulated_business(way: Way) -> None:
    """Late rows, reopened tickets and refunds are all there, and nothing knows the future."""
    assert "nothing knows the future" in done("check", way.config, "--audit").out


def test_the_schema_is_the_one_that_editors_load(root: Path) -> None:
    """An editor that completes yesterday's keys misleads."""
    printed = json.loads(done("schema").out)
    assert printed == json_schema()
    assert printed == json.loads((root / "configs" / "schema.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), ["features", "list"], ["features", "build"]])
def test_every_command_explains_itself(command: list[str]) -> None:
    """The help is the manual that people read."""
    said = done(*command, "--help").out
    assert "Usage" in said
    if not command:
        assert all(name in said for name in COMMANDS)
        assert "another job holds the lock" in " ".join(said.replace("│", " ").split())


def test_the_installed_command_answers(tmp_path: Path) -> None:
    """Exit codes come from the process, not from our test's wrapper."""
    answer = apart("check", "nowhere.yaml", folder=tmp_path)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.count("\n") == 1


@pytest.mark.parametrize("way", ["retail"], indirect=True)
def test_the_demo_tells_the_whole_way_and_a_second_one_is_quick(way: Way) -> None:
    """The first command that a newcomer tries; here it finds the business and the model there already."""
    before = contents(way.list_folder)
    arguments = ["demo", "--kind", way.kind, "--config", way.config, "--customers", CUSTOMERS]
    said = done(*arguments).out
    steps = ["simulate", "check", "train", "backtest", "promote", "score"]
    found = [next(i for i, line in enumerate(said.splitlines()) if line.startswith(step)) for step in steps]
    assert found == sorted(found)
    assert "is there already" in said
    assert "AUC of the truth itself" in said
    assert "mlflow ui --backend-store-uri sqlite:///" in said
    plots = [path.name for path in (way.config.parent.parent / "demo" / way.kind / "plots").iterdir()]
    assert len(plots) >= 3
    begun = perf_counter()
    again = done(*arguments).out
    assert perf_counter() - begun < 30
    seconds = re.compile(r"^\d+ s$", flags=re.MULTILINE)
    assert seconds.sub("", again) == seconds.sub("", said)
    assert contents(way.list_folder) == before
