"""The simulated businesses that go the whole way once per session, and a small shop with a champion."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.end_to_end.command import ONE_THREAD, Answer, done
from tests.end_to_end.shop import Shop

AS_OF = "2025-01-01"
CUSTOMERS = 1_200


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


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Two workers with two threads each would spend their time waiting for each other."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ONE_THREAD.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session", params=["retail", "subscription"])
def way(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Way:
    """Simulate, check, train, backtest, promote, score: once, through the command line."""
    kind = request.param
    root = tmp_path_factory.mktemp(kind)
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
    return Way(kind, config, answers)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A small shop whose model is in charge."""
    made = Shop.build(tmp_path_factory.mktemp("shop"))
    done("train", made.config)
    done("promote", made.config)
    return made
