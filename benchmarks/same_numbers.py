"""Whether two states of the package give the same numbers: every score, contribution, reason and list.

    python -m benchmarks.same_numbers ../before .                        # minutes to half an hour
    python -m benchmarks.same_numbers ../before . --only retail --quick
    python -m benchmarks.same_numbers ../before --keep FOLDER            # only what is to be compared with, kept
    python -m benchmarks.same_numbers FOLDER/old FOLDER/new              # what an earlier run kept, without running

Both checkouts go the way of a user, each in processes of its own, on the same raw tables: check, train, promote, score,
features build; then the registered model, loaded without the package, tells what every feature adds to the risk of
every snapshot, and the public ``Project`` what no command tells. Internals may move as they like.

Rows are matched by customer and cutoff. Texts must be equal, numbers within ``--tolerance``. What one side has alone is
named and does no harm; so is what differs by design (ids, versions, hashes). The last line is a JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.sameness import comparing, making
from benchmarks.sameness.checkout import Checkout, StepError, copied
from benchmarks.sameness.comparing import Compared
from benchmarks.sameness.runs import CUSTOMERS, FEW_CUSTOMERS, RUNS, Run

SHARED = Path(__file__).resolve().parents[2] / "shared"


@dataclass(frozen=True)
class Side:
    """One of the two states: a checkout that makes results in a folder, or results that are there already."""

    name: str
    results: Path
    checkout: Checkout | None

    def made(self, name: str, raw: Path | None, customers: int, *, again: bool) -> Path:
        """The folder of a run's results, made if they are not there or are to be made again.

        Raises
        ------
        StepError
            A step did not end well, or nothing is there and nothing can be made.
        """
        folder = self.results / name
        if self.checkout is None:
            if not making.whole(folder):
                raise StepError(f"Wanted kept results of {name} in {self.results}, found none that are whole.")
        elif again or not making.are_of(folder, making.identity(self.checkout, RUNS[name], customers)):
            making.make(self.checkout, RUNS[name], raw, customers, folder)
        else:
            print(f"{self.name}: kept results are taken")
        return folder


def raw_tables(old: Side, run: Run, customers: int, folder: Path) -> Path | None:
    """The folder of a demo's raw tables, which the old state makes; None where nothing is simulated."""
    if run.kind is None:
        return None
    place = folder / run.kind
    if old.checkout is not None:
        making.simulated(old.checkout, run, customers, place)
    return place


def compared(old: Path, new: Path, tolerance: float) -> dict[str, Any]:
    """Compare two folders of results and print a table."""
    both, lost, more = comparing.files(old, new)
    tables = {name: comparing.compare(comparing.read(old / name), comparing.read(new / name)) for name in both}
    print(f"{'':20}{'rows':>9}{'numbers':>12}{'texts':>10}{'largest difference':>22}")
    for name, table in tables.items():
        verdict = "" if table.equal(tolerance) else "  NOT equal"
        print(f"{name:20}{table.rows:9,}{table.numbers:12,}{table.texts:10,}{table.largest_difference:22.3g}{verdict}")
        for remark in remarks(table, tolerance):
            print(f"{'':20}{remark}")
    for which, names in (("old", lost), ("new", more)):
        if names:
            print(f"only the {which} side has {', '.join(names)}")
    return {
        "largest_difference": max((table.largest_difference for table in tables.values()), default=0.0),
        "equal": bool(tables) and all(table.equal(tolerance) for table in tables.values()),
        "only_old": lost,
        "only_new": more,
        "same_raw_tables": _text(old / making.RAW) == _text(new / making.RAW),
        "tables": {name: told(table) for name, table in tables.items()},
    }


def told(table: Compared) -> dict[str, Any]:
    """A comparison as plain JSON, without what there is nothing of."""
    return {name: value for name, value in asdict(table).items() if value or name == "largest_difference"}


def remarks(table: Compared, tolerance: float) -> Iterator[str]:
    """What is to be said of a table, one line each."""
    if table.largest_difference > tolerance:
        yield f"the largest difference is in {table.where}"
    for name, count in table.unlike.items():
        yield f"{name} differs in {count:,} rows"
    for which, count in (("old", table.lost_rows), ("new", table.new_rows)):
        if count:
            yield f"only the {which} side has {count:,} rows"
    for what, names in (("only old", table.only_old), ("only new", table.only_new), ("ignored", table.ignored)):
        if names:
            yield f"{what}: {', '.join(names)}"


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def one_run(name: str, old: Side, new: Side | None, asked: argparse.Namespace, raw: Path) -> dict[str, Any]:
    """Make what is not there, and compare; where the new side fails midway, what it made until then.

    Raises
    ------
    StepError
        There is nothing of the old side to compare with.
    """
    tables = raw_tables(old, RUNS[name], asked.customers, raw)
    before = old.made(name, tables, asked.customers, again=False)
    found: dict[str, Any] = {"cpu_seconds": {old.name: seconds(old.name, before)}}
    if new is None:
        return found
    after = new.results / name
    try:
        new.made(name, tables, asked.customers, again=True)
        found["cpu_seconds"][new.name] = seconds(new.name, after)
    except StepError as error:
        if not after.is_dir():
            raise
        print(error)
        found["error"] = str(error)
    found |= compared(before, after, asked.tolerance)
    found["equal"] = found["equal"] and "error" not in found
    if not found["same_raw_tables"]:
        print("NOTE: by itself the new side would simulate other raw tables; both were given those of the old side")
    return found


def seconds(name: str, folder: Path) -> dict[str, float]:
    """What each step took of all processors, printed as well."""
    took = {step: round(each.cpu, 1) for step, each in making.spent(folder).items()}
    print(f"{name}: seconds of processors: {', '.join(f'{step} {cpu:g}' for step, cpu in took.items())}", flush=True)
    return took


@contextmanager
def opened(name: str, place: Path, keep: Path, shared: Path) -> Iterator[Side]:
    """A side from the path of a checkout, or of results that an earlier run kept."""
    if (place / "src").is_dir():
        with copied(place, shared) as checkout:
            yield Side(name, keep / name, checkout)
    else:
        yield Side(name, place, None)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, nargs="?", help="a checkout, or results that were kept of one")
    parser.add_argument("new", type=Path, nargs="?", help="the same; without it the old results are made and kept")
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(RUNS), help=",".join(RUNS))
    parser.add_argument("--quick", action="store_true", help=f"demos with {FEW_CUSTOMERS:,} customers")
    parser.add_argument("--tolerance", type=float, default=1e-12, help="between two numbers, absolute")
    parser.add_argument("--keep", type=Path, help="folder that keeps raw tables and results; else a temporary one")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder with the data of real businesses")
    asked = parser.parse_args()
    unknown = [name for name in asked.only if name not in RUNS]
    if unknown:
        parser.error(f"wanted some of {', '.join(RUNS)}; found {', '.join(unknown)}")
    asked.customers = FEW_CUSTOMERS if asked.quick else CUSTOMERS
    return asked


def all_runs(asked: argparse.Namespace, old: Side, new: Side | None, raw: Path) -> dict[str, Any]:
    """One run after the other; one that fails is told and leaves the others alone."""
    runs: dict[str, Any] = {}
    for name in asked.only:
        print(f"\n== {name}", flush=True)
        data = RUNS[name].data
        if data is not None and not (asked.shared / data).is_file():
            print("not compared: its data is not here")
            continue
        try:
            runs[name] = one_run(name, old, new, asked, raw)
        except StepError as error:
            print(error)
            runs[name] = {"equal": False, "largest_difference": None, "error": str(error)}
    return runs


def main() -> int:
    """Make, compare and print."""
    asked = arguments()
    if asked.old is None:
        print("Wanted two checkouts of the package to compare, found none; nothing was compared.")
        print(json.dumps({"compared": False}))
        return 0
    with TemporaryDirectory() as temporary:
        keep = (asked.keep or Path(temporary)).resolve()
        with opened("old", asked.old, keep, asked.shared) as old:
            if asked.new is None:
                runs = all_runs(asked, old, None, keep / "raw")
                print(json.dumps({"compared": False, "runs": runs}))
                return int(any("error" in run for run in runs.values()))
            with opened("new", asked.new, keep, asked.shared) as new:
                runs = all_runs(asked, old, new, keep / "raw")
    differences = [run["largest_difference"] for run in runs.values() if run["largest_difference"] is not None]
    equal = bool(runs) and all(run["equal"] for run in runs.values())
    print(json.dumps({"largest_difference": max(differences, default=None), "equal": equal, "runs": runs}))
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
