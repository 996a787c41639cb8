"""How good the package is, beside what others would take: one run, a table for people, and one JSON object at the end.

    python -m benchmarks.quality                              # minutes: small worlds, few seeds
    python -m benchmarks.quality --only online_retail cdnow
    python -m benchmarks.quality --only worlds --customers 30000 --seeds 10
    python -m benchmarks.quality --full                       # hours: every size and seed that the claims speak of

Sections: ``online_retail`` and ``cdnow`` on real orders, on the keys of a reference whose labels measure and do nothing
else; ``worlds``, ``calibration``, ``small`` and ``horizons`` on simulated worlds, whose true probabilities are known.
A section whose data is not on this machine says so and is left out of the JSON.

Peers learn from the same snapshots: BG/NBD × Gamma-Gamma of the library lifetimes, logistic regression on recency,
frequency and value, LightGBM and scikit-learn's HistGradientBoosting with default parameters. Intervals of differences
are 95 %: over resampled customers where data is real, over worlds where it is simulated.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.contest.judging import plain

KINDS = ("retail", "subscription")
SHARED = Path(__file__).resolve().parents[2] / "shared"
FULL = {
    "customers": 30_000,
    "seeds": 10,
    "calibration_customers": 30_000,
    "season_customers": 3_000,
    "calibration_seeds": 20,
    "small_seeds": 10,
    "sizes": [300, 1_000, 3_000, 10_000],
    "draws": 1_000,
}


def online_retail(asked: argparse.Namespace) -> dict[str, Any] | None:
    """The reference's keys, pooled and per cutoff, and the time of training and backtest."""
    if not (asked.reference / "online_retail_ii_keys.parquet").is_file():
        return None
    from benchmarks.contest import online_retail as section

    found = section.measure(asked.reference, draws=asked.draws, seed=0, timed=not asked.untimed)
    print(section.text(found))
    return found


def cdnow(asked: argparse.Namespace) -> dict[str, Any] | None:
    """The reference's keys of CDNOW, measured by a program of their own."""
    if not (asked.reference / "cdnow_keys.parquet").is_file():
        return None
    if importlib.util.find_spec("benchmarks.quality_cdnow") is None:
        return None
    command = [sys.executable, "-m", "benchmarks.quality_cdnow", "--reference", str(asked.reference)]
    done = subprocess.run([*command, "--draws", str(asked.draws)], check=True, stdout=subprocess.PIPE, text=True)
    *lines, last = done.stdout.splitlines()
    print("\n".join(lines))
    found: dict[str, Any] = json.loads(last)
    return found


def worlds(asked: argparse.Namespace) -> dict[str, Any]:
    """AUC of ours, of peers and of the truth on simulated worlds."""
    from benchmarks.contest import worlds as section

    return _by_kind(
        asked, section, lambda kind: section.measure(kind, asked.customers, asked.seeds, asked.cache, draws=asked.draws)
    )


def calibration(asked: argparse.Namespace) -> dict[str, Any]:
    """ECE on the next cutoff, and coverage of intervals, without and with a planted season."""
    from benchmarks.contest import calibration as section

    found = {}
    for name, customers, season in (
        ("plain", asked.calibration_customers, 0.0),
        ("season", asked.season_customers, section.SEASON),
    ):
        found[name] = _by_kind(
            asked,
            section,
            lambda kind, customers=customers, season=season: section.measure(
                kind, customers, asked.calibration_seeds, asked.cache, season=season
            ),
        )
    return found


def small(asked: argparse.Namespace) -> dict[str, Any]:
    """Log loss of those who learn from few customers."""
    from benchmarks.contest import small as section

    return _by_kind(asked, section, lambda kind: section.measure(kind, asked.sizes, asked.small_seeds, asked.cache))


def horizons(asked: argparse.Namespace) -> dict[str, Any] | None:
    """Monotone and calibrated probabilities for several horizons."""
    if importlib.util.find_spec("holdfast.survival") is None:
        return None
    from benchmarks.contest import horizons as section

    return _by_kind(asked, section, lambda kind: section.measure(kind, asked.customers, asked.seeds, asked.cache))


def _by_kind(asked: argparse.Namespace, section: Any, measure: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    found = {}
    for kind in asked.kinds:
        found[kind] = measure(kind)
        print(section.text(kind, found[kind]))
    return found


SECTIONS = {
    "online_retail": online_retail,
    "cdnow": cdnow,
    "worlds": worlds,
    "calibration": calibration,
    "small": small,
    "horizons": horizons,
}


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--customers", type=int, default=3_000, help="of a world, in worlds")
    parser.add_argument("--seeds", type=int, default=2, help="worlds of each kind, in worlds")
    parser.add_argument("--calibration-customers", type=int, default=3_000)
    parser.add_argument("--season-customers", type=int, default=3_000, help="of a world with a planted season")
    parser.add_argument("--calibration-seeds", type=int, default=2)
    parser.add_argument("--sizes", type=int, nargs="+", default=[300, 1_000, 3_000], help="customers, in small")
    parser.add_argument("--small-seeds", type=int, default=2)
    parser.add_argument("--draws", type=int, default=500, help="resamples of customers")
    parser.add_argument("--full", action="store_true", help="sizes and seeds that the claims speak of")
    parser.add_argument("--untimed", action="store_true", help="online_retail without the training that is only timed")
    parser.add_argument("--reference", type=Path, default=SHARED / "reference", help="folder with the reference's keys")
    parser.add_argument("--cache", type=Path, help="folder that keeps worlds for another run; else a temporary one")
    asked = parser.parse_args()
    if asked.full:
        vars(asked).update(FULL)
    return asked


def main() -> None:
    """Measure and print."""
    warnings.filterwarnings("ignore", category=RuntimeWarning, module="lifetimes")
    asked = arguments()
    result: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as temporary:
        asked.cache = asked.cache or Path(temporary)
        for name in [name for name in SECTIONS if name in asked.only]:
            print(f"\n== {name}", flush=True)
            begun = perf_counter()
            found = SECTIONS[name](asked)
            if found is None:
                print("not measured: its data or its section is not here")
                continue
            result[name] = {**found, "measured_in_seconds": perf_counter() - begun}
    print(json.dumps(plain(result)))


if __name__ == "__main__":
    main()
