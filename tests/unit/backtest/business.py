"""What the tests of the backtest share: a small business, three test cutoffs, and a result as bytes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from holdfast.backtest import Backtest
from holdfast.timeline import instant
from tests.unit.learning.samples import FEATURES, MONTH, snapshots, training_spec

__all__ = ["FEATURES", "FIRST", "HOW", "MONTH", "SPEC", "TESTS", "snapshots", "told", "training_spec"]

FIRST = instant("2024-01-01")
TESTS = [FIRST + k * MONTH for k in (4, 6, 8)]
SPEC = training_spec()
HOW: dict[str, Any] = {"draws": 5}


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
