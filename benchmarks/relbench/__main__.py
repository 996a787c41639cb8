"""Predict a task of RelBench, write the predictions, and say what RelBench thinks of them.

    python -m benchmarks.relbench rel-hm user-churn
    python -m benchmarks.relbench rel-amazon user-ltv --split val
    python -m benchmarks.relbench rel-stack user-engagement --with-val --seeds 4 --output predictions.parquet

What lies at a seed time is not seen, as the public leaderboard demands. The last line is a JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.relbench.prediction import MOST_ROWS
from benchmarks.relbench.run import run_task
from holdfast.errors import HoldfastError
from holdfast.progress import bars


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.relbench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dataset", help="such as rel-hm, or a local folder")
    parser.add_argument("task", help="such as user-churn")
    parser.add_argument("--output", type=Path, help="CSV or Parquet file; else DATASET__TASK.csv")
    parser.add_argument("--split", choices=("val", "test"), default="test", help="which rows to predict")
    parser.add_argument("--with-val", action="store_true", help="learn from the rows of val as well")
    parser.add_argument("--seeds", type=int, default=1, help="seed times to learn from, per outcome window")
    parser.add_argument(
        "--rows-at-seed",
        action="store_true",
        help="see rows at the seed time as well; such predictions do not count for the public leaderboard",
    )
    parser.add_argument("--most", type=int, default=MOST_ROWS, help="learn from a sample of at most so many rows")
    return parser.parse_args()


def main() -> int:
    """Predict and print; an error of ours becomes one message and its exit code."""
    asked = arguments()
    try:
        found = run_task(
            asked.dataset,
            asked.task,
            asked.output,
            split=asked.split,
            with_val=asked.with_val,
            seeds_per_window=asked.seeds,
            rows_at_seed=asked.rows_at_seed,
            most=asked.most,
            progress=bars,
        )
    except HoldfastError as error:
        print(f"{type(error).__name__.removesuffix('Error')} error: {error}", file=sys.stderr)
        return error.exit_code
    print(found.table())
    print(json.dumps(found.to_dict()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
