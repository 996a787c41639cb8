"""The purchases of CDNOW where they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.peers import cdnow


@pytest.fixture(scope="session")
def histories(shared_data: Path) -> dict[str, NDArray[np.float64]]:
    """The tenth of CDNOW that the papers use."""
    return _read(shared_data, "sample")


@pytest.fixture(scope="session")
def all_histories(shared_data: Path) -> dict[str, NDArray[np.float64]]:
    """All customers of CDNOW."""
    return _read(shared_data, "full")


def _read(shared_data: Path, which: str) -> dict[str, NDArray[np.float64]]:
    file = shared_data / "cdnow" / f"transactions_{which}.parquet"
    if not file.exists():
        pytest.skip("the purchases of CDNOW are not on this machine")
    return cdnow.histories(file)
