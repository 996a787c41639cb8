"""One thread, the same Hypothesis examples everywhere, the evaluation data, one Spark, and the order of a run."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
"""Read when a library is loaded. Two workers with two threads each would spend their time waiting for each other."""

for variable, value in ONE_THREAD.items():
    os.environ.setdefault(variable, value)
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

settings.register_profile(
    "holdfast",
    deadline=None,  # numba compiles on first use
    derandomize=True,  # the same examples on every machine
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("holdfast")

ROOT = Path(__file__).resolve().parent.parent


NEEDS = {"spark", "postgres", "browser"}
"""Fixtures that stand for something beside Python; a test that asks for one has its mark."""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server, keep what shares a fixture on one worker, and begin with what takes longest.

    A file is a group, and all files with Spark are one, because a Java machine takes twenty seconds to start. Its tests
    of whole ways come last, when the other worker has built the ways that they are compared with. Second opinions and
    drawn examples reach no line that the other tests do not, and would take twice as long with their lines counted.
    """
    for item in items:
        for fixture in NEEDS.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(fixture)
        kind = item.path.relative_to(ROOT / "tests").parts[0]
        if kind == "end_to_end":
            item.add_marker("slow")
        if kind in ("oracle", "property"):
            item.add_marker("no_cover")
        group = "spark" if item.get_closest_marker("spark") else item.path.relative_to(ROOT).as_posix()
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=_place)


def _place(item: pytest.Item) -> tuple[bool, bool]:
    on_spark, slow = (item.get_closest_marker(mark) is not None for mark in ("spark", "slow"))
    return (False, slow) if on_spark else (True, not slow)


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The evaluation data beside the repository; its publishers do not allow a copy inside."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the evaluation data of ../shared/data is not on this machine")
    return folder


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """One Spark for all tests: two cores of this machine, and clocks far from UTC, which must show nowhere."""
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("there is no Java runtime for Spark on this machine (Debian: default-jre-headless)")
    sql = pytest.importorskip("pyspark.sql", reason="the extra 'spark' is not installed")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), str(ROOT)])  # what the workers import
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)  # only Arrow crosses
    properties = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",  # nothing here runs long enough
        "spark.driver.host": "127.0.0.1",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "Asia/Kathmandu",
        "spark.log.level": "OFF",
    }
    builder = sql.SparkSession.builder.master("local[2]").appName("tests")
    for name, value in properties.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    yield session
    session.stop()
