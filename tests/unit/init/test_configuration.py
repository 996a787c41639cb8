"""What `holdfast init` makes of raw tables."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from holdfast import Project
from holdfast.config import Configuration, load
from holdfast.errors import ConfigError, DataError
from holdfast.init import write_configuration
from holdfast.simulate import KINDS, Kind, simulate
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def businesses(tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Path]:
    """The raw tables of both demos, and nothing else."""
    folder = tmp_path_factory.mktemp("businesses")
    return {kind: simulate(kind, folder / kind, customers=300).folder for kind in KINDS}


@pytest.fixture(scope="module")
def proposed(businesses: dict[Kind, Path]) -> dict[Kind, tuple[Path, str]]:
    """The configuration written for each, in a folder that was not there, and what was told."""
    outputs = {kind: folder.parent / f"for_{kind}" / "holdfast.yaml" for kind, folder in businesses.items()}
    return {
        kind: (output, write_configuration(raw(businesses[kind]), output, "mine")) for kind, output in outputs.items()
    }


def raw(folder: Path) -> list[Path]:
    """The tables of a business, without its truth."""
    return sorted([*folder.glob("*.parquet"), *folder.glob("*.csv")])


def shop(folder: Path, first: str, days: int, **more: object) -> Path:
    """A table of orders: forty customers, each buys every few days."""
    draw = random.Random(7)
    rows = [
        {"customer": f"c{who:02}", "order_date": pd.Timestamp(first) + pd.Timedelta(days=day), "amount": 9.5, **more}
        for who in range(40)
        for day in sorted(draw.sample(range(days), max(2, days // 9)))
    ]
    path = folder / "orders.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_the_demo_is_read_as_we_would_write_it(kind: Kind, proposed: dict[Kind, tuple[Path, str]]) -> None:
    """If our own practice tables were not understood, nobody's would be."""
    guessed, ours = load(proposed[kind][0]), load(ROOT / "configs" / f"demo_{kind}.yaml")
    assert set(guessed.sources) == set(ours.sources)
    for name, source in ours.sources.items():
        found = guessed.sources[name]
        for part in ("columns", "compute", "attributes"):
            assert getattr(found, part) == getattr(source, part), (name, part)
    assert (guessed.population, guessed.churn, guessed.value) == (ours.population, ours.churn, ours.value)
    assert guessed.cutoffs == ours.cutoffs


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_written_can_be_checked_at_once(kind: Kind, proposed: dict[Kind, tuple[Path, str]]) -> None:
    """Paths are relative to the file, wherever that lies, and few rows are rejected."""
    output, told = proposed[kind]
    with Project.open(output) as project:
        checked = project.check()
        checked.require()
        assert len(project.snapshots()) > 0
    assert f"holdfast check {output}" in told
    assert "--as-of 2025-01-01" in told
    for source in checked.sources:
        assert f"{source.rows_in:,} rows" in told


def test_what_decides_the_answer_is_marked(proposed: dict[Kind, tuple[Path, str]]) -> None:
    """A guess that looks like a fact is worse than none."""
    output, told = proposed["retail"]
    text = output.read_text(encoding="utf-8")
    assert "DECIDE who counts as a customer" in text
    assert "DECIDE whom to contact" in text
    assert "CHECK where their clocks stand" in text
    assert "status_today" in text
    assert "2 places say DECIDE, 2 say CHECK" in told


def test_a_file_that_is_there_is_never_overwritten(businesses: dict[Kind, Path], tmp_path: Path) -> None:
    """It may hold a week of somebody's work."""
    output = tmp_path / "holdfast.yaml"
    output.write_text("mine\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"is there already.*--output"):
        write_configuration(raw(businesses["retail"]), output, "mine")
    assert output.read_text(encoding="utf-8") == "mine\n"


def test_tables_without_money_are_refused(businesses: dict[Kind, Path], tmp_path: Path) -> None:
    """Nobody can say what a customer is worth from tickets alone."""
    with pytest.raises(ConfigError, match=r"orders .* or of subscriptions .* found engagement, tickets"):
        write_configuration(
            [businesses["retail"] / "tickets.csv", businesses["retail"] / "events.parquet"],
            tmp_path / "holdfast.yaml",
            "mine",
        )
    assert list(tmp_path.iterdir()) == []


def test_one_table_of_orders_is_enough(tmp_path: Path) -> None:
    """Most begin with one export; rules that need other tables say so, and consent is a decision."""
    told = write_configuration([shop(tmp_path, "2022-01-01", 800)], tmp_path / "holdfast.yaml", "mine")
    found = load(tmp_path / "holdfast.yaml")
    assert list(found.sources) == ["orders"]
    assert found.currency is None
    assert found.outreach.unknown_consent == "contact"
    assert "service_recovery" not in found.outreach.actions
    assert "unknown_consent: contact  # DECIDE" in (tmp_path / "holdfast.yaml").read_text(encoding="utf-8")
    assert "too one-sided" in told  # everybody here buys on


@pytest.mark.parametrize(
    ("days", "horizon", "step"), [(800, 90, "month"), (200, 60, "month"), (70, 14, 14), (20, 7, 7)]
)
def test_the_horizon_fits_the_history(days: int, horizon: int, step: str | int, tmp_path: Path) -> None:
    """A proposal that the next command refuses helps nobody."""
    write_configuration([shop(tmp_path, "2024-01-01", days)], tmp_path / "holdfast.yaml", "mine")
    found = load(tmp_path / "holdfast.yaml")
    assert (found.churn.horizon_days, found.cutoffs.every) == (horizon, step)
    assert trainable(found, tmp_path)


def trainable(found: Configuration, folder: Path) -> bool:
    """Whether each test cutoff has an earlier one whose outcome was complete by then."""
    with Project(found, folder) as project:
        cutoffs = pd.to_datetime(project.snapshots()["cutoff"].unique(), unit="us")
    tests = [pd.Timestamp(test) for test in found.cutoffs.test]
    complete = pd.Timedelta(days=found.labels.complete_after.count)
    return all(any(cutoff + complete <= test for cutoff in cutoffs) for test in tests)


def test_a_history_of_days_is_refused(tmp_path: Path) -> None:
    """From ten days nobody learns who leaves."""
    with pytest.raises(DataError, match=r"history .* 7 days .* older data"):
        write_configuration([shop(tmp_path, "2024-01-01", 10)], tmp_path / "holdfast.yaml", "mine")


def test_old_data_does_not_make_training_slow(tmp_path: Path) -> None:
    """Twenty years of orders are read as features; three years of cutoffs are enough to learn from."""
    write_configuration([shop(tmp_path, "2004-01-01", 7300)], tmp_path / "holdfast.yaml", "mine")
    cutoffs = load(tmp_path / "holdfast.yaml").cutoffs
    assert date(2020, 6, 1) <= pd.Timestamp(cutoffs.first).date() <= date(2021, 9, 1)


def test_tables_that_were_not_used_are_named(businesses: dict[Kind, Path], tmp_path: Path) -> None:
    """A file that vanished in silence would be missed only much later."""
    stray = tmp_path / "stock.csv"
    stray.write_text("sku,pieces\na,1\nb,2\n", encoding="utf-8")
    told = write_configuration([*raw(businesses["retail"]), stray], tmp_path / "holdfast.yaml", "mine")
    assert "stock.csv" in told
    assert "stock.csv is not used" in (tmp_path / "holdfast.yaml").read_text(encoding="utf-8")


def test_a_folder_stands_for_the_tables_in_it(
    businesses: dict[Kind, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody likes to type six names; folders inside, such as the truth beside the tables, are left alone."""
    monkeypatch.chdir(businesses["retail"].parent)
    told = write_configuration([Path("retail")], tmp_path / "holdfast.yaml", "mine")
    assert len(load(tmp_path / "holdfast.yaml").sources) == 6
    assert "truth" not in told
