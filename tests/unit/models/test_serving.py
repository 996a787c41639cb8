"""A consumer needs numpy, pandas and LightGBM, the listed files, and nothing of the rest."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from holdfast.models import Bundle
from holdfast.models.checks import InputError
from holdfast.models.serving import SERVING_REQUIREMENTS, ServedBundle, _load_pyfunc
from holdfast.tracking import ServingCode

CONSUMER = """
import sys

class Absent:
    names = {"sklearn", "pydantic", "duckdb", "numba", "mlflow", "matplotlib", "threadpoolctl", "holdfast"}
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            raise ModuleNotFoundError(f"{name} is not among the requirements", name=name)

code, bundle, table, out, loader = sys.argv[1:]
sys.meta_path.insert(0, Absent())
sys.path[:] = [code, *[p for p in sys.path if not p.endswith("src")]]
from importlib import import_module
import pandas as pd
serving = import_module(loader)
assert serving.__file__.startswith(code), serving.__file__
model = serving._load_pyfunc(bundle)
model.predict(pd.read_parquet(table), params={"reasons": 2}).to_parquet(out)
"""


def test_the_listed_files_and_requirements_suffice(bundle: Bundle, table: pd.DataFrame, tmp_path: Path) -> None:
    """LightGBM finds scikit-learn optional; so must we, or every consumer installs the training stack."""
    needed = ServingCode.of_bundle()
    needed.stage(tmp_path / "code")
    bundle.save(tmp_path / "bundle")
    table.head(200).to_parquet(tmp_path / "table.parquet")
    arguments = [str(tmp_path / name) for name in ("code", "bundle", "table.parquet", "out.parquet")]
    arguments.append(needed.loader_module)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    subprocess.run([sys.executable, "-c", CONSUMER, *arguments], check=True, cwd=tmp_path, env=plain)
    served = pd.read_parquet(tmp_path / "out.parquet")
    expected = bundle.predict(table.head(200))
    pd.testing.assert_frame_equal(served[expected.columns.tolist()], expected, check_exact=True)
    assert set(SERVING_REQUIREMENTS) == {"numpy", "pandas", "scipy", "lightgbm"}


def test_reasons_come_on_demand(bundle: Bundle, table: pd.DataFrame, tmp_path: Path) -> None:
    """The largest contribution towards churn first; without the parameter the answer stays small."""
    served = _load_pyfunc(str(bundle.save(tmp_path / "bundle")))
    part = table.tail(40)
    assert served.predict(part).columns.tolist() == bundle.predict(part).columns.tolist()
    answer = served.predict(part, params={"reasons": 5})
    parts = bundle.contributions(part).drop(columns="base")
    assert (answer["reason_1_contribution"] == parts.max(axis=1)).all()
    assert (answer["reason_1_feature"] == parts.idxmax(axis=1)).all()
    ordered = answer[[f"reason_{k}_contribution" for k in range(1, 6)]].to_numpy()
    assert np.all(np.diff(ordered, axis=1) <= 0)


@pytest.mark.parametrize("count", [-1, 6])
def test_more_reasons_than_features_are_refused(bundle: Bundle, table: pd.DataFrame, count: int) -> None:
    """Somebody asked for something that does not exist; say what does."""
    with pytest.raises(InputError, match=f"between 0 and 5 reasons, found {count}"):
        ServedBundle(bundle).predict(table.head(2), {"reasons": count})


def test_the_room_opens_without_the_training_stack() -> None:
    """`from holdfast.models import Bundle` must not load scikit-learn: scoring jobs start every hour."""
    program = "import sys, holdfast.models as m; m.Bundle; print('sklearn' in sys.modules, hasattr(m, 'nothing'))"
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    # LightGBM itself imports scikit-learn where it is installed; ours must not be the ones who ask
    alone = "import sys, lightgbm; print('sklearn' in sys.modules, False)"
    other = subprocess.run([sys.executable, "-c", alone], check=True, capture_output=True, text=True)
    assert run.stdout == other.stdout
