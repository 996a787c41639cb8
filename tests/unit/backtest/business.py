"""What the tests of the backtest share: a small business, three test cutoffs, and a result as bytes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from holdfast.backtest import Backtest
from holdfast.timeline import Days, instant
from tests.unit.learning.samples import FEATURES, MONTH, snapshots

__all__ = ["FEATURES", "FIRST", "HOW", "MONTH", "TESTS", "snapshots", "told"]

FIRST = instant("2024-01-01")
TESTS = [FIRST + k * MONTH for k in (4, 6, 8)]
HOW: dict[str, Any] = {"complete_after": Days(60), "horizon": 60, "seed": 0, "draws": 5}


def told(result: Backtest) -> dict[str, Any]:
    """Everything that a backtest found, to the byte: figures, predictions, and the files of every bundle."""
    return {
        "figures": json.dumps(result.to_dict(), sort_keys=True),
        "predictions": hashlib.sha256(result.predictions.to_csv(float_format="%a").encode()).hexdigest(),
        "types": list(map(str, result.predictions.dtypes)),
        "bundles": {
            at: {name: hashlib.sha256(content).hexdigest() for name, content in bundle._files().items()}
            for at, bundle in result.bundles.items()
        },
    }
