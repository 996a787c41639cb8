"""A backtest from the command line: kept as it goes, taken up again, and with learning curves."""

from __future__ import annotations

from pathlib import Path

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
