"""The simulated businesses that go the whole way once per run, and a small shop with a champion."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from tests.built_once import built_once
from tests.conftest import ROOT
from tests.end_to_end.command import Answer, done
from tests.end_to_end.shop import Shop

AS_OF = "2025-01-01"
CUSTOMERS = 600


@dataclass(frozen=True)
class Way:
    """A business that went the whole way, and what each command said on it."""

    kind: str
    config: Path
    answers: dict[str, Answer]

    @property
    def list_folder(self) -> Path:
        """Where the list is published."""
        return self.config.parent.parent / "demo" / self.kind / "lists" / f"as_of={AS_OF}"


def go(kind: str, root: Path) -> None:
    """Simulate, check, train, backtest, promote, score: through the command line, whose answers are kept."""
    (root / "configs").mkdir()
    config = Path(shutil.copy(ROOT / "configs" / f"demo_{kind}.yaml", root / "configs"))
    tables = root / "demo" / kind
    answers = {
        "simulate": done("simulate", kind, tables, "--customers", str(CUSTOMERS)),
        "check": done("check", config, "--rejects", root / "rejects.parquet"),
        "train": done("train", config),
        "backtest": done("backtest", config, "--json"),
        "promote": done("promote", config),
        "score": done("score", config, "--as-of", AS_OF, "--json"),
    }
    said = {name: asdict(answer) for name, answer in answers.items()}
    (root / "answers.json").write_text(json.dumps(said), encoding="utf-8")


@pytest.fixture(scope="session", params=["retail", "subscription"])
def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Way:
    """The whole way of a shop and of a service under contract; tests read it and leave it as it is."""
    kind = request.param
    root = built_once(tmp_path_factory, kind, lambda folder: go(kind, folder))
    said = json.loads((root / "answers.json").read_text(encoding="utf-8"))
    answers = {name: Answer(**answer) for name, answer in said.items()}
    return Way(kind, root / "configs" / f"demo_{kind}.yaml", answers)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A small shop whose model is in charge."""
    made = Shop.build(tmp_path_factory.mktemp("shop"))
    done("train", made.config)
    done("promote", made.config)
    return made
