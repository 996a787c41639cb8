"""A backtest from the command line: kept as it goes, taken up again, and with learning curves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mlflow import MlflowClient

from holdfast import Project
from tests.end_to_end.command import done
from tests.end_to_end.shop import Shop


def test_a_backtest_keeps_its_fits_and_draws_learning_curves(tmp_path: Path) -> None:
    """The second run fits nothing, says so, and finds the same; other orders are tested anew."""
    made = Shop.build(tmp_path / "shop")
    keep, plots = tmp_path / "kept", tmp_path / "plots"
    command = ("backtest", made.config, "--keep", keep)
    first = done(*command, "--json").json
    assert "learning_curves" not in first
    again = done(*command, "--learning-curves", "--plots", plots, "--jobs", "2", "--json").json
    curves = again.pop("learning_curves")
    assert again == first
    points = curves["by_cutoffs"]["points"]
    assert [point["size"] for point in points] == sorted({point["size"] for point in points})
    assert points[-1]["metrics"]["log_loss"] == first["pooled"]["model"]["log_loss"]
    assert {path.name for path in plots.iterdir()} >= {"learning_curves.png", "calibration.png"}
    told = done(*command, "--learning-curves").out
    assert "1 of 1 cutoffs were taken up from an earlier run" in told
    assert all(sentence in " ".join(told.split()) for sentence in curves["by_cutoffs"]["words"])
    assert f"{curves['fits']} of {curves['fits']} fits were there already" in told
    other = Shop.build(tmp_path / "other", cutoffs__first="2023-07-01")
    assert "taken up" not in done("backtest", other.config, "--keep", keep).out


def test_a_backtest_prices_the_list_that_the_configuration_asks_for(tmp_path: Path) -> None:
    """60 places, a tenth of them control, 0.1 EUR a contact that keeps a tenth: printed, in JSON and in MLflow."""
    made = Shop.build(tmp_path / "shop")
    with Project.open(made.config) as project:
        result = project.backtest(track=True, keep=tmp_path / "kept")
        uri = project.tracker.location
    listed = result.predictions.nlargest(60, "model_expected_loss")
    at_stake = listed["model_expected_loss"] / listed["model_p_churn"]
    profit = 0.9 * (0.1 * listed["churned"] * at_stake - 0.1).sum()
    client = MlflowClient(uri)
    [run] = client.search_runs([experiment.experiment_id for experiment in client.search_experiments()])
    assert run.data.metrics["list_profit"] == pytest.approx(profit)
    assert run.data.metrics["list_profit_per_contact"] == pytest.approx(profit / 54)
    command = ("backtest", made.config, "--keep", tmp_path / "kept")
    told = done(*command, "--json").json["contacts"]
    assert told["currency"] == "EUR"
    assert told["rules"]["expected loss"]["profit"]["estimate"] == pytest.approx(profit)
    out = done(*command).out
    assert "What a list would have brought at the test cutoff: 54 contacts, 6 held back" in out
    assert "EUR more than one by random draw" in out
    [line] = [line for line in out.splitlines() if line.startswith("by expected loss")]
    assert line.split()[-2:] == [f"{profit:,.0f}", f"{profit / 54:,.2f}"]


def test_prices_change_the_list_and_no_model(tmp_path: Path) -> None:
    """Money stands in the configuration alone: contacts that cost more than they keep leave nothing to earn."""
    made = Shop.build(tmp_path / "shop", customers=250)
    dear = {"letter": {"channel": "letter", "contact_cost": 50, "save_rate": 0.1}}
    before = done("backtest", made.config, "--json").json
    playbook = [{"action": "letter"}]
    made.write(outreach={**json.loads(made.config.read_text())["outreach"], "actions": dear, "playbook": playbook})
    after = done("backtest", made.config, "--json").json
    assert after["pooled"] == before["pooled"]
    assert after["contacts"]["rules"]["expected loss"]["profit"]["high"] < 0
    assert after["contacts"]["unlimited"]["contacts"] == 0
