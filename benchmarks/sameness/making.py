"""From a checkout and a run to a folder of what consumers read: the list, the scores, what commands tell.

The way is that of a user: public commands, published files, the registered model and the public ``Project``.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from benchmarks.sameness.checkout import Checkout, Spent, StepError
from benchmarks.sameness.runs import Run

MADE = "made.json"
RAW = "raw.json"
SNAPSHOTS = "snapshots.parquet"
_FORMAT = 1  # rises with every change of what is made of a run
_DECIDE = ("duckdb", "lightgbm", "numba", "numpy", "pandas", "scikit-learn", "scipy")  # libraries that compute
_HERE = Path(__file__).parent


def simulated(checkout: Checkout, run: Run, customers: int, folder: Path) -> None:
    """Make the raw tables of a demo; a folder that holds them already is left as it is."""
    checkout.command("simulate", "simulate", str(run.kind), folder, "--customers", str(customers))


def identity(checkout: Checkout, run: Run, customers: int) -> dict[str, Any]:
    """What decides the results of a checkout, beside the data that lies there; as plain JSON."""
    about = {
        "format": _FORMAT,
        "run": asdict(run),
        "code": checkout.code,
        "customers": customers if run.kind else None,
        "libraries": {name: version(name) for name in _DECIDE},
    }
    found: dict[str, Any] = json.loads(json.dumps(about))
    return found


def whole(folder: Path) -> bool:
    """Whether a folder holds all results of a run."""
    return (folder / MADE).is_file()


def are_of(folder: Path, wanted: dict[str, Any]) -> bool:
    """Whether a folder holds all results, and they are of this identity."""
    return whole(folder) and json.loads((folder / MADE).read_text(encoding="utf-8"))["identity"] == wanted


def spent(folder: Path) -> dict[str, Spent]:
    """What the steps of results that are whole took."""
    made = json.loads((folder / MADE).read_text(encoding="utf-8"))
    return {step: Spent(**seconds) for step, seconds in made["spent"].items()}


def make(checkout: Checkout, run: Run, raw: Path | None, customers: int, folder: Path) -> None:
    """Take the whole way and leave the results in a folder, which is emptied first.

    Parameters
    ----------
    raw : Path or None
        The raw tables of a demo, the same for all checkouts.
    folder : Path
        ``made.json`` is written last, so a folder without it is not whole.

    Raises
    ------
    StepError
        A step did not end well; what was made before it is in the folder.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    checkout.spent.clear()
    about = identity(checkout, run, customers)
    configuration = checkout.folder / "configs" / run.configuration
    if raw is not None:
        if not raw.is_dir():
            raise StepError(f"Wanted raw tables in {raw}, found none. Name the folder that kept them with --keep.")
        own = checkout.folder / "simulated" / str(run.kind)
        simulated(checkout, run, customers, own)
        (folder / RAW).write_text(json.dumps(_hashes(own), indent=2), encoding="utf-8")
        shutil.copytree(raw, checkout.folder / "demo" / str(run.kind), dirs_exist_ok=True)
    _command_everything(checkout, run, configuration, folder)
    _ask_the_model(checkout, run, configuration, folder)
    questions = (configuration, folder, json.dumps(run.questions))
    checkout.program("questions", _HERE / "questions.py", *questions, ours=True)
    took = {step: asdict(seconds) for step, seconds in checkout.spent.items()}
    (folder / MADE).write_text(json.dumps({"identity": about, "spent": took}, indent=2), encoding="utf-8")


def _command_everything(checkout: Checkout, run: Run, configuration: Path, folder: Path) -> None:
    """Check, train, promote, publish a list, build the snapshots."""
    _tell(folder / "check.json", checkout.command("check", "check", configuration, "--json"))
    _tell(folder / "train.json", checkout.command("train", "train", configuration, "--json"))
    checkout.command("promote", "promote", configuration)
    lists = checkout.folder / "published" / configuration.stem
    output = ("--as-of", run.as_of, "--output", lists)
    _tell(folder / "score.json", checkout.command("score", "score", configuration, *output, "--json"))
    for file in sorted(path for path in published(lists).iterdir() if path.is_file()):
        shutil.copyfile(file, folder / file.name)
    checkout.command("features build", "features", "build", configuration, "--output", folder / SNAPSHOTS)


def _ask_the_model(checkout: Checkout, run: Run, configuration: Path, folder: Path) -> None:
    """Let the registered model, without the package, speak about every snapshot."""
    name = yaml.safe_load(configuration.read_text(encoding="utf-8"))["name"]
    asked = (registry(checkout.folder), name, folder / SNAPSHOTS, folder)
    checkout.program("predict", _HERE / "consumer.py", *asked, *map(str, run.horizons), ours=False)


def _tell(file: Path, printed: str) -> None:
    """Keep the last line, which is for programs."""
    last = (printed.splitlines() or [""])[-1]
    try:
        content = json.loads(last)
    except ValueError:
        raise StepError(f"Wanted a JSON object for {file.name} on the last line, found {last!r}.") from None
    file.write_text(json.dumps(content, indent=2, sort_keys=True), encoding="utf-8")


def registry(folder: Path) -> str:
    """The address of the MLflow store below a folder that was written to last."""
    found = sorted(folder.rglob("*.db"), key=lambda file: file.stat().st_mtime_ns)
    if not found:
        raise StepError(f"Wanted an MLflow store on sqlite below {folder}, found no file *.db.")
    return f"sqlite:///{found[-1]}"


def published(lists: Path) -> Path:
    """The folder of the only list, whatever it is called; what begins with a dot is not for readers."""
    found = []
    for folder, below, files in os.walk(lists, followlinks=True):
        below[:] = [name for name in below if not name.startswith(".")]
        found += [Path(folder)] if "customers.parquet" in files else []
    if len(found) != 1:
        raise StepError(f"Wanted one published list, found {len(found)}: {', '.join(map(str, found))}")
    return found[0]


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
