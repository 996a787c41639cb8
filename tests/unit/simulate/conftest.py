"""One small shop and one small service, built once for all tests of the room."""

from __future__ import annotations

import pytest

from holdfast.simulate import Simulated, simulate


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """Customers without contracts."""
    return simulate("retail", tmp_path_factory.mktemp("business") / "retail", customers=4000, seed=11)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    """Customers with contracts."""
    return simulate("subscription", tmp_path_factory.mktemp("business") / "subscription", customers=4000, seed=11)


@pytest.fixture(params=["shop", "service"])
def business(request: pytest.FixtureRequest) -> Simulated:
    """Each of the two."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Simulated)
    return found
