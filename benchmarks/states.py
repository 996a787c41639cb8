"""Who has gone, who is leaving, what is at stake: how true it is, on simulated worlds and on real orders.

    python -m benchmarks.states --kind both --customers 10000 --seeds 10 --folder worlds
    python -m benchmarks.states --only real

``worlds`` trains and scores on the day of the export and compares with the truth. ``rank`` is Spearman's with the true
probability of leaving, among customers who have not gone: of ``p_churn``, of ``p_leaving``, of leaving if still there,
and of a ceiling that learnt the truth's own labels from the same features. ``ece`` is the error of ``p_gone`` and
``p_leaving`` against the true probabilities, over all customers. ``money`` is the expected loss by the true one.
``top`` is the share of the true one that the top tenth of a ranking holds: by expected loss, by the churn risk times
the value, by value alone, and by the truth.

``real`` trains early on real orders and shows who of those said to have gone ordered again until the data ends.
The last line is a JSON object.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.contest import returns, states
from benchmarks.contest.judging import plain

KINDS = ("retail", "subscription")
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def worlds(asked: argparse.Namespace) -> dict[str, Any]:
    """Simulated worlds of each kind."""
    found = {}
    for kind in KINDS if asked.kind == "both" else (asked.kind,):
        found[kind] = states.measure(kind, asked.customers, asked.seeds, asked.folder)
        print(states.text(kind, found[kind]), flush=True)
    return found


def real(asked: argparse.Namespace) -> dict[str, Any]:
    """Real orders, as far as they are here."""
    found = {}
    for name, orders in returns.REAL.items():
        measured = returns.measure(name, asked.data)
        if measured is None:
            print(f"{name}: not measured, {orders.file} is not on this machine; name its folder by --data.")
            continue
        found[name] = measured
        print(returns.text(name, measured), flush=True)
    return found


SECTIONS = {"worlds": worlds, "real": real}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--kind", choices=(*KINDS, "both"), default="both")
    parser.add_argument("--customers", type=int, default=10_000, help="of a world")
    parser.add_argument("--seeds", type=int, default=10, help="worlds of each kind")
    parser.add_argument("--folder", type=Path, help="keeps worlds for another run; else a temporary one")
    parser.add_argument("--data", type=Path, default=DATA, help="folder with the real orders")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        asked.folder = asked.folder or Path(temporary)
        result = {name: section(asked) for name, section in SECTIONS.items() if name in asked.only}
    print(json.dumps(plain(result)))


if __name__ == "__main__":
    main()
