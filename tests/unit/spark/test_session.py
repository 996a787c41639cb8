"""What becomes of an error on its way from an executor."""

from __future__ import annotations

import pytest

from holdfast.errors import DataError, HoldfastError
from holdfast.models.checks import InputError
from holdfast.spark.session import running

pyspark_errors = pytest.importorskip("pyspark.errors")
TRACE = "Job aborted.\n  File task.py, line 7\n{kind}: Wanted finite numbers.\n\tat org.apache.spark.Task.run"


@pytest.mark.parametrize(
    ("kind", "ours"),
    [
        ("holdfast.errors.DataError", DataError),
        ("holdfast.models.checks.InputError", InputError),
        ("holdfast.nowhere.OtherError", HoldfastError),
        ("holdfast.errors.OtherError", HoldfastError),
    ],
)
def test_an_error_of_a_task_of_ours_keeps_kind_and_words(kind: str, ours: type[HoldfastError]) -> None:
    """Its kind is the exit code, by which a scheduler decides."""
    with pytest.raises(HoldfastError) as raised, running("scoring"):
        raise pyspark_errors.PySparkException(message=TRACE.format(kind=kind))
    assert (type(raised.value), str(raised.value)) == (ours, "Wanted finite numbers.")
