"""How good the package is on CDNOW, all customers, 39 weeks ahead of 39 weeks of history, beside a reference.

    python -m benchmarks.quality_cdnow --reference ../shared/reference

Ours is ``project.extrapolate`` as anyone would call it (:mod:`holdfast.extrapolation`): no outcome window of 39 weeks
had ended by 30 September 1997, so it learns windows of 13 weeks, carries them to 39, and chooses its model by how well
windows of a third were carried to longer ones that had ended by then. The labels of the reference keys are read only
after that, to measure.

Beside it stand each model that it could have chosen, and two peers that learn the same windows and are carried by what
Pareto/NBD expects of the longer horizon: a logistic and Tweedie model of recency, frequency, value and tenure, and
LightGBM with its default parameters. Differences to the reference come with the interval of a paired bootstrap over
customers. The last line is a JSON object.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import logit
from sklearn.linear_model import TweedieRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from holdfast import Project
from holdfast.extrapolation.training_window import Answer, TrainingWindow
from holdfast.extrapolation.window_grid import WindowGrid
from holdfast.learning import LogisticBaseline
from holdfast.metrics import RISK_METRICS, VALUE_METRICS, Metric, paired_difference, sentence
from holdfast.models.calibration import sigmoid
from holdfast.timeline import instant

Numbers = NDArray[np.float64]

AS_OF, FAR = "1997-10-01", 39 * 7.0
OURS, REFERENCE = "holdfast", "e_best"
TARGETS = {
    "auc": (">=", 0.770),
    "log_loss": ("<=", 0.494),
    "transactions_rmse": ("<=", 1.70),
    "transactions_bias": ("within", 5.0),
    "transactions_top_decile": (">=", 0.462),
    "spend_bias": ("within", 8.0),
    "spend_gini": (">=", 0.723),
}


class Said(NamedTuple):
    """What a model says of each customer: log-odds of no transaction, transactions, spend."""

    log_odds: Numbers
    transactions: Numbers
    spend: Numbers


def told(answer: Answer, rows: Numbers) -> Said:
    """What one of the package's models says."""
    return Said(answer.risk.log_odds(rows), answer.value.orders(rows), answer.value.mean(rows))


def carried(window: TrainingWindow, near: Said, by: Answer) -> Said:
    """What was said of the near horizon, moved by what a model of the customer base expects of the rest."""
    X, days = window.now, (window.far_days, window.near_days)
    odds = [logit(by.risk.probability(X, horizon)) for horizon in days]
    orders = [by.value.orders(X, horizon) for horizon in days]
    ratio = orders[0] / orders[1]
    return Said(near.log_odds + odds[0] - odds[1], near.transactions * ratio, near.spend * ratio)


def logistic(window: TrainingWindow) -> Said:
    """Logistic and Tweedie models of recency, frequency, value and tenure."""
    X, _, count, spend = window.learnt
    columns = [*window.places.history, worth(window)]
    risk = LogisticBaseline(columns).fit(X, count == 0)

    def expected(y: Numbers) -> Numbers:
        logs = FunctionTransformer(lambda rows: np.log1p(np.maximum(rows, 0.0)))
        model = make_pipeline(logs, StandardScaler(), TweedieRegressor(power=1.5, alpha=1e-3, max_iter=1000))
        return np.asarray(model.fit(X[:, columns], y).predict(window.now[:, columns]))

    return Said(risk.decision_function(window.now), expected(count), expected(np.maximum(spend, 0.0)))


def worth(window: TrainingWindow) -> int:
    """The column of the mean worth of an order."""
    return [feature.name for feature in window.panel.features].index("order_value_mean_lifetime")


def lightgbm(window: TrainingWindow) -> Said:
    """LightGBM with its default parameters on the same columns."""
    X, _, count, spend = window.learnt
    quiet: dict[str, Any] = {"verbose": -1, "random_state": 0, "n_jobs": 2}
    risk = lgb.LGBMClassifier(**quiet).fit(X, count == 0)
    amounts = (count, np.maximum(spend, 0.0))
    many, much = (lgb.LGBMRegressor(objective="tweedie", **quiet).fit(X, y) for y in amounts)
    odds = np.asarray(risk.predict(window.now, raw_score=True))
    return Said(odds, np.asarray(many.predict(window.now)), np.asarray(much.predict(window.now)))


def metrics() -> dict[str, tuple[str, Metric]]:
    """What is measured, by name: of which prediction, and how."""
    of_risk = {name: ("none", metric) for name, metric in RISK_METRICS.items()}
    value = {name: VALUE_METRICS[name] for name in ("mae", "bias", "gini", "top_decile_capture")}
    rmse = Metric("rmse", root_mean_squared_error, "lower", "RMSE")
    short = {"top_decile_capture": "top_decile"}
    return {
        **{name: of_risk[name] for name in ("auc", "log_loss", "calibration_error")},
        **{f"transactions_{short.get(n, n)}": ("transactions", m) for n, m in {"rmse": rmse, **value}.items()},
        **{f"spend_{short.get(n, n)}": ("spend", m) for n, m in value.items()},
    }


def root_mean_squared_error(truth: Numbers, said: Numbers, weights: Numbers | None = None) -> Numbers:
    """Square root of the mean squared error."""
    squared = (truth - said) ** 2
    return np.asarray(np.sqrt(squared.mean() if weights is None else weights @ squared / weights.sum(axis=-1)))


def met(name: str, value: float) -> bool:
    """Whether a number reaches its target."""
    how, bound = TARGETS[name]
    return abs(value) <= bound if how == "within" else value >= bound if how == ">=" else value <= bound


def columns(said: Said) -> dict[str, Numbers]:
    """Predictions by what they are of."""
    return {"none": sigmoid(said.log_odds), "transactions": said.transactions, "spend": said.spend}


def measured(truth: Mapping[str, Numbers], said: Mapping[str, Numbers]) -> dict[str, float]:
    """All metrics of one model."""
    return {name: float(metric.function(truth[of], said[of])) for name, (of, metric) in metrics().items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Choose, learn, carry, and only then measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--configuration", type=Path, default=Path("configs/cdnow.yaml"))
    parser.add_argument("--reference", type=Path, default=Path("../shared/reference"))
    parser.add_argument("--draws", type=int, default=1000)
    options = parser.parse_args(arguments)
    keys_file, peer_file = (options.reference / f"cdnow_{name}.parquet" for name in ("keys", "predictions"))
    if not (options.configuration.exists() and keys_file.exists()):
        print(f"Neither {options.configuration} nor {keys_file} may be missing; nothing was measured.")
        print(json.dumps({"measured": False}))
        return
    keys, peers = (pd.read_parquet(file) for file in (keys_file, peer_file))
    who = keys["customer_id"].astype(str).to_numpy()
    with Project.open(options.configuration) as project:
        begun = perf_counter()
        ours = project.extrapolate(AS_OF, horizon_days=FAR)
        seconds = perf_counter() - begun
        window = WindowGrid.of(project.dataset, instant(AS_OF), FAR).final()
    answers = window.answers()
    others = {name: told(answer, window.now) for name, answer in answers.items()}
    others |= {f.__name__: carried(window, f(window), answers["pareto_nbd"]) for f in (logistic, lightgbm)}
    place = pd.Index(window.customers).get_indexer(who)
    if len(keys) != len(window.customers) or (place < 0).any():
        raise SystemExit(f"Wanted the {len(keys)} customers of the keys, found {len(window.customers)}.")
    mine = ours.customers.set_index(ours.customers["customer_id"].astype(str)).loc[who]
    names = {"none": "p_churn", "transactions": "orders", "spend": "value"}
    said = {OURS: {of: mine[name].to_numpy() for of, name in names.items()}}
    said |= {name: {of: values[place] for of, values in columns(each).items()} for name, each in others.items()}
    truth = {
        "none": keys["churned"].to_numpy(dtype=float),
        "transactions": keys["future_transactions"].to_numpy(dtype=float),
        "spend": keys["future_value"].to_numpy(dtype=float),
    }
    letters = {"none": "p", "transactions": "e", "spend": "v"}
    said["reference"] = {of: peers[f"{REFERENCE}__{letter}"].to_numpy() for of, letter in letters.items()}
    table = pd.DataFrame({name: measured(truth, each) for name, each in said.items()}).T
    table.insert(0, "record", pd.Series(ours.choice.log_loss))
    print(table.round(4).to_string())
    print(f"\nholdfast chose {ours.choice.name}: {ours.choice.why}.")
    found = measured(truth, said[OURS])
    for name, (of, metric) in metrics().items():
        difference = paired_difference(metric, truth[of], said[OURS][of], said["reference"][of], draws=options.draws)
        line = sentence(difference, metric, f"the reference, {of},", subject=OURS)
        aim = "" if name not in TARGETS else f"  [{'met' if met(name, found[name]) else 'NOT met'}: {TARGETS[name]}]"
        print(f"{name} {found[name]:.4f}{aim}\n    {line}")
    print(
        json.dumps(
            {
                "measured": True,
                "chosen": ours.choice.name,
                **{name: round(value, 4) for name, value in found.items()},
                "missed": [name for name in TARGETS if not met(name, found[name])],
                "seconds": round(seconds, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
