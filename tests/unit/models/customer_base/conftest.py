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
    file = shared_data / "cdnow" / "transactions_sample.parquet"
    if not file.exists():
        pytest.skip("the purchases of CDNOW are not on this machine")
    return cdnow.histories(file)
