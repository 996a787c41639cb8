"""A program: ask a project what no command tells, through the public ``Project``.

    python questions.py CONFIGURATION FOLDER '{"scored": {"as_of": "2025-01-01"}}'

Each answer becomes ``<method>.parquet`` in the folder, and the record of a choice ``<method>.json``. A method that this
state of the package does not have is named and passed over.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from holdfast import Project


def main(configuration: str, folder: str, questions: str) -> None:
    """Ask one question after the other."""
    with Project.open(configuration) as project:
        for name, arguments in json.loads(questions).items():
            if not hasattr(project, name):
                print(f"Project has no method {name!r}.")
                continue
            found = getattr(project, name)(**arguments)
            getattr(found, "customers", found).to_parquet(Path(folder) / f"{name}.parquet")
            if hasattr(found, "choice"):
                record = {"chosen": found.choice.name, "log_loss": dict(found.choice.log_loss)}
                (Path(folder) / f"{name}.json").write_text(json.dumps(record), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
