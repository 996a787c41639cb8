"""What it takes to fit the customer-base models, beside the lifetimes package where it can be imported.

    python -m benchmarks.btyd --customers 1000000

Measured are the customers of CDNOW, if its folder is there (``--data``), and a million drawn from each model itself, at
ages that are whole days, as a shop's data are (``days_…``), and at ages as drawn, where hardly any two customers
are equal (``drawn_…``; ``recent_…`` are those of them who bought in the last 180 days). For CDNOW,
``…_lifetimes_ratio`` is the peer's time by ours and ``…_lifetimes_gain`` what our log-likelihood is above the peer's.
The last line is a JSON object of all numbers; times are in seconds.
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.peers import cdnow, stories
from holdfast.learning.btyd import fit_gamma_gamma, fit_purchases
from holdfast.models.btyd import BetaGeometric, GammaGamma, Histories, ModifiedBetaGeometric, ParetoNBD

TRUTHS = (
    BetaGeometric(0.25, 31.0, 0.8, 2.4),
    ModifiedBetaGeometric(0.52, 43.0, 0.9, 1.6),
    ParetoNBD(0.55, 74.0, 0.6, 82.0),
)
AGE, HORIZON, RECENT = (1.0, 730.0), 90.0, 180.0
PEERS = {"bg_nbd": "BetaGeoFitter", "mbg_nbd": "ModifiedBetaGeoFitter", "pareto_nbd": "ParetoNBDFitter"}

try:
    import lifetimes
except ImportError:
    lifetimes = None


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came out."""
    begun = perf_counter()
    out = work()
    return perf_counter() - begun, out


def on_cdnow(file: Path, name: str) -> dict[str, Any]:
    """Fit all four models on one file, and those of the peer."""
    found: dict[str, Any] = {}
    columns = cdnow.histories(file)
    history = columns["repeats"], columns["last"], columns["age"]
    for truth in TRUTHS:
        key, kind = f"{name}_{truth.kind}", type(truth)
        seconds, model = timed(lambda kind=kind: fit_purchases(kind, Histories.of(*history)))
        found |= {f"{key}_seconds": seconds, f"{key}_log_likelihood": model.log_likelihood(*history)}
        if lifetimes:
            peer_seconds, peer = timed(lambda name=PEERS[kind.kind]: getattr(lifetimes, name)().fit(*history))
            parameters = [float(peer.params_[letter]) for letter in _letters(truth.kind)]
            theirs = type(truth)(*parameters).log_likelihood(*history)
            found[f"{key}_lifetimes_ratio"] = peer_seconds / seconds
            found[f"{key}_lifetimes_gain"] = found[f"{key}_log_likelihood"] - theirs
    worth = columns["repeats"], columns["mean"]
    found[f"{name}_gamma_gamma_seconds"], model = timed(lambda: fit_gamma_gamma(*worth))
    if lifetimes:
        there = columns["mean"] > 0
        some = columns["repeats"][there], columns["mean"][there]
        seconds, peer = timed(lambda: lifetimes.GammaGammaFitter().fit(*some))
        theirs = GammaGamma(*(float(peer.params_[letter]) for letter in "pqv")).log_likelihood(*some)
        found[f"{name}_gamma_gamma_lifetimes_ratio"] = seconds / found[f"{name}_gamma_gamma_seconds"]
        found[f"{name}_gamma_gamma_lifetimes_gain"] = model.log_likelihood(*some) - theirs
    return found


def _letters(kind: str) -> tuple[str, ...]:
    return ("r", "alpha", "s", "beta") if kind == "pareto_nbd" else ("r", "alpha", "a", "b")


def on_drawn(customers: int) -> dict[str, Any]:
    """Fit and ask every model about customers of its own."""
    found: dict[str, Any] = {}
    for truth in TRUTHS:
        world = stories.live(truth, customers, age=AGE, horizon=0.0, seed=1)
        for name, age in (("days", np.floor), ("drawn", np.asarray)):
            key, history = f"{name}_{truth.kind}", (world.repeats, age(world.last), age(world.age))
            histories, kind = Histories.of(*history), type(truth)
            seconds, model = timed(lambda kind=kind, of=history: fit_purchases(kind, Histories.of(*of)))
            found |= {f"{key}_distinct": len(histories), f"{key}_seconds": seconds}
            found[f"{key}_gain_over_truth"] = model.slope(histories)[0] - truth.slope(histories)[0]
        lately = world.age - world.last <= RECENT
        some = world.repeats[lately], world.last[lately], world.age[lately]
        found[f"recent_{truth.kind}_seconds"], _ = timed(
            lambda kind=kind, of=some: fit_purchases(kind, Histories.of(*of, bought_within=RECENT))
        )
        found[f"none_{truth.kind}_seconds"], _ = timed(lambda of=model, at=history: of.probability_none(*at, HORIZON))
        found[f"expected_{truth.kind}_seconds"], _ = timed(lambda of=model, at=history: of.expected(*at, HORIZON))
    rng = np.random.default_rng(2)
    purchases = world.repeats + 1
    mean = rng.gamma(6.25 * purchases, 1 / (rng.gamma(3.74, 1 / 15.44, customers) * purchases))
    found["drawn_gamma_gamma_seconds"], _ = timed(lambda: fit_gamma_gamma(purchases, mean))
    return found


def main() -> None:
    """Measure and print."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, default=beside / "cdnow", help="folder with CDNOW's two files")
    asked = parser.parse_args()
    result: dict[str, Any] = {"customers": asked.customers, "lifetimes": getattr(lifetimes, "__version__", None)}
    warnings.filterwarnings("ignore", module="lifetimes|autograd|scipy")  # the peer's steps into nowhere
    for which in ("sample", "full"):
        if (asked.data / f"transactions_{which}.parquet").exists():
            result |= on_cdnow(asked.data / f"transactions_{which}.parquet", f"cdnow_{which}")
        else:
            print(f"transactions_{which}.parquet is not in {asked.data}; CDNOW is left out.")
    if lifetimes is None:
        print("The package lifetimes is not installed; there is no peer.")
    result |= on_drawn(asked.customers)
    result = {name: round(value, 3) if isinstance(value, float) else value for name, value in result.items()}
    for name, value in result.items():
        print(f"{name:>45}  {value}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
