"""A team that has MLflow and not our package uses the registered model."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import holdfast
from holdfast.learning import AtRiskClassifier, ValueRegressor
from holdfast.models import Bundle, categorical_columns, learn_categories, to_matrix
from holdfast.models.feature_record import FeatureRecord
from holdfast.models.model_card import ChurnDefinition, ModelCard, ValueDefinition
from holdfast.models.scores import PREDICTIONS
from holdfast.timeline import instant
from holdfast.tracking import Tracker, TrackingSettings, Verdict
from tests.end_to_end.environment import make_environment

PACKAGE = Path(holdfast.__file__).parent
CONSUMER = """
import sys
from pathlib import Path
import mlflow
import numpy as np
import pandas as pd

uri, folder = sys.argv[1], Path(sys.argv[2])
mlflow.set_tracking_uri(uri)
model = mlflow.pyfunc.load_model("models:/consumed@champion")
numbers = np.load(folder / "numbers.npy")
countries = pd.Series(folder.joinpath("countries.txt").read_text().split(","), dtype="str").replace("", None)
frame = pd.DataFrame({"orders_90d": numbers[:, 0], "spend_90d": numbers[:, 1], "country": countries})
np.save(folder / "answer.npy", model.predict(frame)[sys.argv[3].split()].to_numpy())
reasons = model.predict(frame, params={"reasons": 2})
print(sorted(set(reasons["reason_1_feature"])))
(ours,) = (name for name in sys.modules if name.startswith("holdfast") and "." not in name)
print(sys.modules[ours].__file__)
"""


def snapshots(rows: int) -> pd.DataFrame:
    """Customers whose risk falls with orders and depends on the country; some values are missing."""
    draw = np.random.default_rng(7)
    orders = draw.poisson(3, rows).astype(float)
    country = draw.choice(["FR", "DE", "PT"], rows)
    risk = 1 / (1 + np.exp(orders - 2 - (country == "PT")))
    churned = (draw.random(rows) < risk).astype(float)
    frame = pd.DataFrame(
        {
            "orders_90d": orders,
            "spend_90d": orders * draw.gamma(2, 10, rows),
            "country": pd.Series(country, dtype="str"),
            "churned": churned,
            "future_value": (1 - churned) * draw.gamma(2, 30, rows),
        }
    )
    frame.loc[::17, "spend_90d"] = np.nan
    frame.loc[::23, "country"] = None
    return frame


def train(frame: pd.DataFrame, folder: Path) -> Bundle:
    """A small bundle over a number, a number with gaps, and a category."""
    declared = [
        FeatureRecord("orders_90d", unit="count", meaning="ordered {value} times"),
        FeatureRecord("spend_90d", unit="currency", meaning="spent {value}"),
        FeatureRecord("country", "category", "category", meaning="lives in {value}"),
    ]
    features = learn_categories(frame, declared)
    matrix, coded = to_matrix(frame, features), categorical_columns(features)
    shape = {"n_estimators": 40, "min_child_samples": 20, "categorical_features": coded}
    risk = AtRiskClassifier(**shape).fit(matrix, frame["churned"])
    value = ValueRegressor(**shape).fit(matrix, frame["future_value"])
    bundle = Bundle(
        risk, value, features, ModelCard("consumed", ChurnDefinition("no_event", 90), ValueDefinition("revenue", 90))
    )
    bundle.save(folder)
    return bundle


def test_a_consumer_needs_only_the_listed_requirements(tmp_path: Path) -> None:
    """Scoring services do not carry our training stack; their numbers must be the ones that we published."""
    frame = snapshots(1500)
    bundle = train(frame, tmp_path / "bundle")
    tracker = Tracker.open(TrackingSettings(), tmp_path)
    tracker.log_training(
        tmp_path / "bundle",
        name="consumed",
        features=bundle.features,
        parameters={},
        metrics={"auc": 0.7},
        metrics_by_cutoff={instant("2024-03-01"): {"auc": 0.7}},
        fingerprints={"data": "none"},
        plots={},
        audit={},
        backtest={},
    )
    tracker.promote("consumed", lambda champion, challenger: Verdict(accepted=True, reason="the first"))
    package = tracker.champion("consumed").bundle.parents[1]

    python = make_environment(tmp_path / "consumer", package / "requirements.txt")
    np.save(tmp_path / "numbers.npy", frame[["orders_90d", "spend_90d"]].to_numpy())
    (tmp_path / "countries.txt").write_text(",".join(frame["country"].fillna("")))
    uri = TrackingSettings().resolve(tmp_path)[0]
    said = run([python, "-I", "-c", CONSUMER, uri, tmp_path, " ".join(PREDICTIONS)], tmp_path / "consumer")

    answer = np.load(tmp_path / "answer.npy")
    assert np.abs(answer - bundle.predict(frame)[list(PREDICTIONS)].to_numpy()).max() <= 1e-12
    reasons, source = said.splitlines()[-2:]
    assert "orders_90d" in reasons
    assert Path(source).is_relative_to(package / "code")


REGISTERS = """
import sys
from pathlib import Path
from holdfast.models import Bundle
from holdfast.tracking import Tracker, TrackingSettings

folder = Path(sys.argv[1])
features = Bundle.load(folder / "bundle").features
Tracker.open(TrackingSettings(), folder).log_training(
    folder / "bundle", name="beside", features=features, parameters={}, metrics={}, metrics_by_cutoff={},
    fingerprints={"data": "none"}, plots={}, audit={}, backtest={},
)
"""

BESIDE = """
import sys
from pathlib import Path
import mlflow
import numpy as np
import pandas as pd

folder = Path(sys.argv[1])
mlflow.set_tracking_uri(f"sqlite:///{folder}/models/mlflow.db")
first, second = (mlflow.pyfunc.load_model(f"models:/beside/{version}") for version in (1, 2))
from holdfast import Bundle, Project
frame = pd.read_parquet(folder / "frame.parquet")
whole, half = (model.predict(frame)["p_churn"] for model in (first, second))
own = Bundle.load(folder / "bundle").predict(frame)["p_churn"]
print(np.array_equal(whole, own), np.array_equal(half, own / 2), Path(sys.modules["holdfast"].__file__).parent)
"""


def test_models_of_two_versions_and_the_installed_package_live_in_one_process(tmp_path: Path) -> None:
    """A service holds the old champion beside the new one; a notebook opens the project after it loaded a model."""
    frame = snapshots(300)
    train(frame, tmp_path / "bundle")
    frame.head(50).to_parquet(tmp_path / "frame.parquet")
    shutil.copytree(PACKAGE, tmp_path / "later" / "holdfast", ignore=shutil.ignore_patterns("__pycache__"))
    scores = tmp_path / "later" / "holdfast" / "models" / "scores.py"
    whole, half = "            sigmoid(self.log_odds),", "            sigmoid(self.log_odds) / 2,"
    assert whole in scores.read_text()
    scores.write_text(scores.read_text().replace(whole, half))
    for root in (PACKAGE.parent, tmp_path / "later"):
        run([sys.executable, "-c", REGISTERS, tmp_path], tmp_path, PYTHONPATH=str(root))
    said = run([sys.executable, "-c", BESIDE, tmp_path], tmp_path, PYTHONPATH=str(PACKAGE.parent))
    assert said.split() == ["True", "True", str(PACKAGE)]


def run(command: list[str | Path], folder: Path, **environment: str) -> str:
    """Run a command elsewhere than in our tree, and show what it said if it fails."""
    result = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout
