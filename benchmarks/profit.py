"""What our classifier earns on customers with costs of their own, beside peers with their default settings.

    python -m benchmarks.profit --data ../shared/data/tv_subscription

The customers are those of a television provider, 4.8 % of whom leave, with the four costs of each (Correa Bahnsen,
Aouada and Ottersten 2015). They carry no time, so folds are random and stratified, five folds four times over; every
model learns on the same folds. A metric is measured in each fold and averaged over folds.

Two intervals for each difference. ``folds`` is the corrected resampled t interval of Nadeau and Bengio (2003) over the
twenty folds: it includes what other training customers would change. ``customers`` resamples customers and measures the
same twenty folds again, with the models as they are.

Money is per customer and in the currency of the data. ``expected_profit`` has the parameters of Verbraken, Verbeke and
Baesens (2013); ``own_expected_profit`` has the means of this data: a customer is worth what a lost one costs, an offer
costs what a needless contact costs, and the mean share that accepts follows from what a rightly contacted one costs.
The last line is a JSON object.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.profit_metrics import TELECOM, Campaign, Costs, campaign_metrics, cost_metrics, folds_difference
from holdfast.learning import AtRiskClassifier
from holdfast.metrics import RISK_METRICS, Difference, Metric, resample, sentence

FOLDS, REPEATS = 5, 4
OURS = "holdfast"
MAKERS: dict[str, Callable[[], Any]] = {
    OURS: AtRiskClassifier,
    "lightgbm": lambda: lgb.LGBMClassifier(verbose=-1, random_state=0),
    "hist_gradient_boosting": lambda: HistGradientBoostingClassifier(random_state=0),
    "logistic": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2_000)),
}
RISK = ("auc", "average_precision", "log_loss", "calibration_error")
SURE = 20.0  # alpha + beta of the paper's campaign, kept for ours
SHOWN = ("expected_profit", "profit", "max_profit")


@dataclass(frozen=True)
class Customers:
    """Features, outcomes, and the four costs of each."""

    features: np.ndarray
    left: np.ndarray
    costs: Costs

    @classmethod
    def read(cls, folder: Path) -> Customers:
        """Whoever is in the file."""
        table = pd.read_parquet(folder / "customers.parquet")
        columns = [name for name in table if name.startswith("x")]
        costs = Costs(*(table[f"C_{name}"].to_numpy() for name in ("TP", "FP", "FN", "TN")))
        return cls(table[columns].to_numpy(), table["target"].to_numpy(dtype=np.float64), costs)

    def campaign(self) -> Campaign:
        """The mean of the costs, as a campaign: right contacts cost ``accepted * offer + (1 - accepted) * value``."""
        value, offer = float(self.costs.false_negative.mean()), float(self.costs.false_positive.mean())
        accepted = (value - float(self.costs.true_positive.mean())) / (value - offer)
        return Campaign(value, offer, 0.0, SURE * accepted, SURE * (1 - accepted))

    def metrics(self, rows: np.ndarray) -> dict[str, Metric]:
        """Every metric for some of the customers."""
        costs = Costs(*(cost[rows] for cost in vars(self.costs).values()))
        own = campaign_metrics(self.campaign())["expected_profit"]
        return {
            **{name: RISK_METRICS[name] for name in RISK},
            **campaign_metrics(TELECOM),
            "own_expected_profit": Metric("own_expected_profit", own.function, "higher", "own exp. max. profit", 2),
            **cost_metrics(costs),
        }


Fold = tuple[np.ndarray, np.ndarray]
Chances = dict[str, list[np.ndarray]]
Figures = dict[str, dict[str, np.ndarray]]
"""Model → metric → one number per fold, or (folds, draws) of them."""


def predicted(customers: Customers, folds: list[Fold]) -> tuple[Chances, dict[str, float]]:
    """What each model says of each fold, and how long it learnt in all."""
    chances: Chances = {name: [] for name in MAKERS}
    seconds = dict.fromkeys(MAKERS, 0.0)
    for train, test in folds:
        for name, make in MAKERS.items():
            begun = perf_counter()
            model = make().fit(customers.features[train], customers.left[train].astype(int))
            seconds[name] += perf_counter() - begun
            chances[name].append(model.predict_proba(customers.features[test])[:, 1])
    return chances, seconds


def measured(customers: Customers, folds: list[Fold], chances: Chances, weights: np.ndarray | None = None) -> Figures:
    """Every metric of every model on every fold; with weights of customers, of every draw."""
    found: dict[str, dict[str, list[Any]]] = {name: {} for name in chances}
    for at, (_, test) in enumerate(folds):
        drawn = None if weights is None else weights[:, test]
        for metric in customers.metrics(test).values():
            for name, of_folds in chances.items():
                value = metric.function(customers.left[test], of_folds[at], drawn)
                found[name].setdefault(metric.name, []).append(value)
    return {name: {metric: np.array(values) for metric, values in of.items()} for name, of in found.items()}


def drawn_differences(
    customers: Customers, folds: list[Fold], chances: Chances, whole: Figures, draws: int
) -> dict[str, dict[str, Difference]]:
    """The difference to each peer with the interval that resampled customers give."""
    blocks = [measured(customers, folds, chances, w) for w in resample(np.arange(len(customers.left)), draws, seed=0)]
    found: dict[str, dict[str, Difference]] = {}
    for peer in [name for name in chances if name != OURS]:
        found[peer] = {}
        for name, metric in customers.metrics(np.arange(len(customers.left))).items():
            gaps = np.concatenate([(of[OURS][name] - of[peer][name]).mean(axis=0) for of in blocks])
            low, high = np.quantile(gaps, [0.025, 0.975])
            better = gaps > 0 if metric.better == "higher" else gaps < 0
            middle = float((whole[OURS][name] - whole[peer][name]).mean())
            found[peer][name] = Difference(middle, float(low), float(high), float(better.mean()))
    return found


def table(whole: Figures) -> str:
    """The mean over folds, a row for each model."""
    means = {name: {metric: values.mean() for metric, values in of.items()} for name, of in whole.items()}
    return pd.DataFrame.from_dict(means, orient="index").round(3).to_string()


def rounded(found: Any) -> Any:
    """Figures with the digits that mean something; counts as they are."""
    if isinstance(found, Mapping):
        return {name: rounded(value) for name, value in found.items()}
    return round(float(found), 5) if isinstance(found, float) else found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    beside = Path(__file__).resolve().parents[2] / "shared" / "data" / "tv_subscription"
    parser.add_argument("--data", type=Path, default=beside, help="the folder with customers.parquet")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--draws", type=int, default=500)
    asked = parser.parse_args()
    if not (asked.data / "customers.parquet").is_file():
        print(
            f"Nothing measured: {asked.data.name}/customers.parquet is not on this machine; name its folder by --data."
        )
        print(json.dumps({"measured": False}))
        return
    customers = Customers.read(asked.data)
    cut = RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=asked.repeats, random_state=0)
    folds = list(cut.split(customers.features, customers.left))
    chances, seconds = predicted(customers, folds)
    whole = measured(customers, folds, chances)
    metrics = customers.metrics(np.arange(len(customers.left)))
    of_folds = {
        peer: {
            name: folds_difference(metric, whole[OURS][name], whole[peer][name], test_share=1 / FOLDS)
            for name, metric in metrics.items()
        }
        for peer in whole
        if peer != OURS
    }
    of_customers = drawn_differences(customers, folds, chances, whole, asked.draws)
    print(table(whole))
    for words, found in (("over folds", of_folds), ("over customers", of_customers)):
        print(f"\n{words}:")
        for peer, of in found.items():
            for name in SHOWN:
                print(sentence(of[name], metrics[name], peer, subject=OURS))
    result = {
        "measured": True,
        "customers": len(customers.left),
        "left": float(customers.left.mean()),
        "folds": len(folds),
        "draws": asked.draws,
        "seconds": seconds,
        "models": {name: {metric: values.mean() for metric, values in of.items()} for name, of in whole.items()},
        "differences": {
            peer: {
                name: {
                    "estimate": of_folds[peer][name].estimate,
                    "folds_low": of_folds[peer][name].low,
                    "folds_high": of_folds[peer][name].high,
                    "folds_share_better": of_folds[peer][name].share_better,
                    "customers_low": of_customers[peer][name].low,
                    "customers_high": of_customers[peer][name].high,
                    "customers_share_better": of_customers[peer][name].share_better,
                }
                for name in metrics
            }
            for peer in of_folds
        },
    }
    print(json.dumps(rounded(result)))


if __name__ == "__main__":
    main()
