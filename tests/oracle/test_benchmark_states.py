"""The benchmark of states: its arithmetic by hand, and a tiny run of it."""

from __future__ import annotations

import subprocess
import sys
from json import loads
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.contest import returns, states

ROOT = Path(__file__).parents[2]


def test_money_is_compared_with_what_is_truly_at_stake() -> None:
    """Twenty customers: one has all of it, and only the expected loss knows."""
    leaving, kept = np.zeros(20), np.full(20, 10.0)
    leaving[7] = 0.5
    truth = pd.DataFrame({"p_leaving": leaving, "value_if_kept": kept, "value_if_lost": 2.0})
    loss = np.where(np.arange(20) == 7, 3.0, 0.0)
    rank = np.arange(20, 0, -1.0)
    found = states.money(pd.DataFrame({"expected_loss": loss, "p_churn": rank / 20, "value": rank}), truth)
    assert found["money"]["all"] == pytest.approx(3 / 4)
    assert found["top"] == {"expected_loss": 1.0, "p_churn_times_value": 0.0, "value": 0.0, "truth": 1.0}


def test_the_error_of_probabilities_is_that_of_each_tenth() -> None:
    """What is right on average and wrong in every tenth is wrong."""
    said, true = np.repeat([0.2, 0.4], 50), np.repeat([0.3, 0.3], 50)
    assert states.error(said, true) == pytest.approx(0.1)
    assert states.error(true, true) == 0.0


def test_the_worst_world_is_the_farthest_from_right() -> None:
    """Too little money is as wrong as too much; of ranks and shares the lowest is the worst, of errors the highest."""
    values = pd.Series([0.4, 1.0, 1.3])
    worst = {name: states.far(name, values).idxmax() for name in ("money all", "ece p_gone", "rank p_churn")}
    assert worst == {"money all": 0, "ece p_gone": 2, "rank p_churn": 0}


def test_every_customer_is_in_one_bin_of_those_said_to_have_gone() -> None:
    """A probability on a border counts once, and a bin without anybody has no shares."""
    gone, returned = np.array([0.0, 0.95, 0.9, 1.0, 0.6]), np.array([True, False, True, False, True])
    found = returns.by_gone(gone, returned)
    last = found[-1]
    assert sum(each["customers"] for each in found) == len(gone)
    assert (last["above"], last["customers"], last["returned"]) == (0.9, 2, 0.0)
    assert last["told"] == pytest.approx(0.025)
    assert "told" not in found[2]


@pytest.mark.slow
def test_the_last_line_is_one_json_object(tmp_path: Path) -> None:
    """Programs read the last line, and data that is not there is told, not an error."""
    command = [sys.executable, "-m", "benchmarks.states", "--kind", "subscription", "--customers", "600"]
    command += ["--seeds", "1", "--folder", str(tmp_path), "--data", str(tmp_path / "nowhere")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    found = loads(done.stdout.splitlines()[-1])
    assert found["real"] == {}
    assert set(found["worlds"]["subscription"]["worlds"][0]["rank"]) == {
        "p_churn",
        "p_leaving",
        "leaving_if_there",
        "ceiling",
    }
    assert "cdnow: not measured" in done.stdout
