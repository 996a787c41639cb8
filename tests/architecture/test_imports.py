"""Who may import whom, and what stays unloaded until it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_files import ROOT, importers, room

HEAVY = {"lightgbm", "mlflow", "shap", "sklearn", "numba"}
OPTIONAL = {  # package: files
    "shap": 1,
    "adbc_driver_postgresql": 1,
    "pyspark": 2,
    "nbformat": 1,
    "nbclient": 1,
    "hypothesis": 1,
    "optuna": 1,
}


def loaded_by(statement: str) -> set[str]:
    """Top-level packages in ``sys.modules`` of a fresh interpreter after a statement."""
    program = (
        f"import sys\n{statement}\nimport json\nprint(json.dumps(sorted({{n.split('.')[0] for n in sys.modules}})))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(result.stdout.splitlines()[-1]))


def test_imports_follow_the_data() -> None:
    """A stage that knows a later one cannot be read, tested or replaced alone."""
    command = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_importing_holdfast_loads_no_machine_learning_library() -> None:
    """A notebook or a scheduler that only wants the package's name must not wait ten seconds for it."""
    assert loaded_by("import holdfast") & HEAVY == set()


def test_asking_for_help_loads_no_machine_learning_library() -> None:
    """`holdfast --help` answers at once, because commands import what they need inside."""
    asked = "import holdfast.cli\nsys.argv = ['holdfast', '--help']\ntry: holdfast.cli.main()\nexcept SystemExit: pass"
    assert loaded_by(asked) & HEAVY == set()


def test_only_the_tracking_room_imports_mlflow() -> None:
    """Another registry can take its place by replacing one room."""
    assert {room(path) for path in importers("mlflow")} <= {"tracking"}


@pytest.mark.parametrize("package", OPTIONAL)
def test_an_optional_package_lives_behind_one_file(package: str) -> None:
    """One place says how to install it; Spark has two, one that reads sources and one that walks histories."""
    assert len(importers(package)) <= OPTIONAL[package], importers(package)


def test_the_simulator_is_unknown_to_the_features_and_models() -> None:
    """Features that knew how the practice business works would look better on it than on a real one."""
    names_it_only = "__init__"
    assert {room(path) for path in importers("holdfast.simulate")} <= {"simulate", "demo", "cli", names_it_only}
