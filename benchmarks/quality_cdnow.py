"""How good the package is on CDNOW, all customers, 39 weeks ahead of 39 weeks of history, beside a reference.

    python -m benchmarks.quality_cdnow --reference ../shared/reference

Everything is chosen and learnt on what was known on 30 September 1997. No outcome window of 39 weeks existed by then,
so the models learn windows of 13 weeks and are carried to 39; and which model it is, is chosen by how well windows of a
third were carried to 9, 13 and 17 weeks, all of which had ended by then (:mod:`holdfast.models.choice`). The labels of
the reference keys are read only after that, to measure.

Models, from the plainest: BG/NBD, MBG/NBD and Pareto/NBD with the gamma-gamma model; a logistic model of recency,
frequency, value and tenure, and LightGBM with its default parameters on all features, both carried by what Pareto/NBD
expects of the longer horizon; and the three customer-base models corrected by outcomes. Differences to the reference
come with the interval of a paired bootstrap over customers. The last line is a JSON object.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import duckdb
import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import TweedieRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from holdfast import Project
from holdfast.metrics import RISK_METRICS, VALUE_METRICS, Metric, paired_difference, sentence
from holdfast.models import LogisticBaseline, learn_categories, to_matrix
from holdfast.models.calibration import sigmoid
from holdfast.models.choice import Choice, Tried, choose
from holdfast.models.customer_base import CorrectedBaseClassifier, CorrectedBaseRegressor
from holdfast.models.roles import history_columns
from holdfast.snapshots import build_snapshots
from holdfast.timeline import instant

Numbers = NDArray[np.float64]

BEGIN, WEEK = pd.Timestamp("1997-01-01"), 7
FAR, NEAR = 39 * WEEK, 13 * WEEK
EVERY, MOST = 2 * WEEK, 7  # training cutoffs: so far apart, and so many at most
TRIALS = (17 * WEEK, 13 * WEEK, 9 * WEEK)  # outcome windows that ended by the end, and were carried to
CUTOFF = 39 * WEEK  # of the year, in days
STEPS = tuple(range(8 * WEEK, CUTOFF - 8 * WEEK + 1, EVERY))  # days of the year that may be learnt from
KINDS = ("bg_nbd", "mbg_nbd", "pareto_nbd")
MARKS = (
    "order_overdue_ratio",
    "items_per_order_365d",
    "units_per_order_lifetime",
    "order_value_mean_lifetime",
    "order_value_std_lifetime",
    "order_value_max_365d",
    "order_value_last",
    "spend_lifetime",
)
SPANS = ("order_gap_mean_days", "order_gap_std_days", "order_gap_last_days")
TARGETS = {
    "auc": (">=", 0.770),
    "log_loss": ("<=", 0.494),
    "transactions_rmse": ("<=", 1.70),
    "transactions_bias": ("within", 5.0),
    "transactions_top_decile": (">=", 0.462),
    "spend_bias": ("within", 8.0),
    "spend_gini": (">=", 0.723),
}
REFERENCE = "e_best"


class Said(NamedTuple):
    """What a model says of each customer: log-odds of no transaction, transactions, spend."""

    log_odds: Numbers
    transactions: Numbers
    spend: Numbers


@dataclass(frozen=True)
class Business:
    """The features of all customers at several days of 1997, and what they did between any two days."""

    rows: Mapping[int, Numbers]
    customers: Mapping[int, NDArray[np.str_]]
    features: tuple[Mapping[str, Any], ...]
    file: Path

    @classmethod
    def read(cls, configuration: Path, days: list[int]) -> Business:
        """Build the features of the catalogue, each at what was known by the start of the day."""
        with Project.open(configuration) as project:
            settings = project.configuration
            cutoffs = {instant(str((BEGIN + pd.Timedelta(days=d)).date())): d for d in days}
            found = project.features()
            table = build_snapshots(
                project.tables, found, population=settings.population, cutoffs=sorted(cutoffs), labels=None
            )
            file = configuration.parent / settings.sources["orders"].path
        specs = learn_categories(table, [feature.to_dict() for feature in found])
        parts = {cutoffs[int(u)]: part for u, part in table.groupby("cutoff", sort=True)}
        return cls(
            {day: to_matrix(part, specs) for day, part in parts.items()},
            {day: part["customer_id"].to_numpy(dtype=str) for day, part in parts.items()},
            tuple(specs),
            file,
        )

    def came(self, day: int, days: int) -> tuple[Numbers, Numbers]:
        """Days with a transaction and spend in the window, for the customers at its start."""
        since = f"DATE '{BEGIN.date()}' + {day}"
        found = duckdb.sql(
            f"""
            SELECT customer_id::VARCHAR AS customer, count(DISTINCT date::DATE)::DOUBLE AS count, sum(price) AS spend
            FROM '{self.file}' WHERE date >= {since} AND date < {since} + {days} GROUP BY 1
            """
        ).df()
        both = found.set_index("customer").reindex(self.customers[day])[["count", "spend"]].fillna(0.0)
        return both["count"].to_numpy(), both["spend"].to_numpy()

    def place(self, *names: str) -> tuple[int, ...]:
        """Columns by name."""
        order = [str(spec["name"]) for spec in self.features]
        return tuple(order.index(name) for name in names)


@dataclass(frozen=True)
class Task:
    """Learn outcomes of ``near`` days that had ended by ``day``, and tell the ``far`` days after it."""

    business: Business
    day: int
    near: int
    far: int
    fitted: dict[str, tuple[CorrectedBaseClassifier, CorrectedBaseRegressor]] = field(default_factory=dict)

    @cached_property
    def days(self) -> list[int]:
        """The cutoffs learnt from."""
        return [day for day in STEPS if day + self.near <= self.day][-MOST:]

    @cached_property
    def learnt(self) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """Rows, their cutoff, transactions and spend."""
        came = [self.business.came(d, self.near) for d in self.days]
        X = np.vstack([self.business.rows[d] for d in self.days])
        cutoff = np.concatenate([np.full(len(self.business.rows[d]), d) for d in self.days])
        return X, cutoff, np.concatenate([c for c, _ in came]), np.concatenate([s for _, s in came])

    @cached_property
    def now(self) -> Numbers:
        """The customers to tell about."""
        return self.business.rows[self.day]

    def corrected(self, kind: str) -> tuple[CorrectedBaseClassifier, CorrectedBaseRegressor]:
        """Our two estimators, fitted; the base within them is the customer-base model alone."""
        if kind not in self.fitted:
            X, cutoff, count, spend = self.learnt
            orders, last, first = history_columns(self.business.features)
            settings: dict[str, Any] = {
                "kind": kind,
                "label_days": self.near,
                "horizon_days": self.far,
                "orders": orders,
                "days_since_order": last,
                "days_since_first_order": first,
                "marks": self.business.place(*MARKS),
                "spans": self.business.place(*SPANS),
            }
            rows: dict[str, Any] = {"cutoff": cutoff, "latest": self.now}
            worth = self.business.place("spend_lifetime")[0]
            self.fitted[kind] = (
                CorrectedBaseClassifier(**settings).fit(X, count == 0, **rows),
                CorrectedBaseRegressor(spend=worth, **settings).fit(X, spend, purchases=count, **rows),
            )
        return self.fitted[kind]


def corrected(task: Task, kind: str) -> Said:
    """A customer-base model corrected by outcomes."""
    risk, value = task.corrected(kind)
    return Said(risk.decision_function(task.now), value.expected_orders(task.now), value.predict(task.now))


def alone(task: Task, kind: str) -> Said:
    """The same customer-base model without the correction."""
    risk, value = task.corrected(kind)
    return Said(
        risk.model_.base.log_odds(task.now), value.model_.base.orders(task.now), value.model_.base.mean(task.now)
    )


def carried(task: Task, near: Said) -> Said:
    """What was said of the near horizon, moved by what Pareto/NBD expects of the rest."""
    risk, value = task.corrected("pareto_nbd")
    base, worth = risk.model_.base, value.model_.base
    odds = [np.log(p / (1 - p)) for p in (base.probability(task.now, task.far), base.probability(task.now, task.near))]
    ratio = worth.orders(task.now, task.far) / worth.orders(task.now, task.near)
    return Said(near.log_odds + odds[0] - odds[1], near.transactions * ratio, near.spend * ratio)


def logistic(task: Task) -> Said:
    """Logistic and Tweedie models of recency, frequency, value and tenure."""
    X, _, count, spend = task.learnt
    columns = [*history_columns(task.business.features), *task.business.place("order_value_mean_lifetime")]
    risk = LogisticBaseline(columns).fit(X, count == 0)

    def expected(y: Numbers) -> Numbers:
        logs = FunctionTransformer(lambda rows: np.log1p(np.maximum(rows, 0.0)))
        model = make_pipeline(logs, StandardScaler(), TweedieRegressor(power=1.5, alpha=1e-3, max_iter=1000))
        return np.asarray(model.fit(X[:, columns], y).predict(task.now[:, columns]))

    return carried(task, Said(risk.decision_function(task.now), expected(count), expected(spend)))


def lightgbm(task: Task) -> Said:
    """LightGBM with its default parameters on all features."""
    X, _, count, spend = task.learnt
    quiet: dict[str, Any] = {"verbose": -1, "random_state": 0, "n_jobs": 2}
    risk = lgb.LGBMClassifier(**quiet).fit(X, count == 0)
    many, much = (lgb.LGBMRegressor(objective="tweedie", **quiet).fit(X, y) for y in (count, spend))
    odds = np.asarray(risk.predict(task.now, raw_score=True))
    return carried(task, Said(odds, np.asarray(many.predict(task.now)), np.asarray(much.predict(task.now))))


MODELS: Mapping[str, Callable[[Task], Said]] = {
    **{kind: lambda task, kind=kind: alone(task, kind) for kind in KINDS},
    "logistic": logistic,
    "lightgbm": lightgbm,
    **{f"corrected_{kind}": lambda task, kind=kind: corrected(task, kind) for kind in KINDS},
}


def chosen(business: Business) -> Choice:
    """The model with the best record on windows that had ended by the cutoff."""
    tried = []
    for far in TRIALS:
        near = -(-far // (3 * EVERY)) * EVERY  # a third, up to whole steps
        task = Task(business, CUTOFF - far, near, far)
        none = (business.came(task.day, far)[0] == 0).astype(np.float64)
        tried.append(
            Tried(business.customers[task.day], none, {name: of(task).log_odds for name, of in MODELS.items()})
        )
    return choose(tuple(MODELS), tried)


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
    begun = perf_counter()
    business = Business.read(options.configuration, [*STEPS, CUTOFF])
    built = perf_counter()
    choice = chosen(business)
    task = Task(business, CUTOFF, NEAR, FAR)
    predictions = {name: columns(of(task)) for name, of in MODELS.items()}
    done = perf_counter()

    order = pd.Index(business.customers[CUTOFF])
    keys, peers = (pd.read_parquet(file) for file in (keys_file, peer_file))
    place = order.get_indexer(keys["customer_id"].astype(str))
    if len(keys) != len(order) or (place < 0).any():
        raise SystemExit(f"Wanted the {len(keys)} customers of the keys, found {len(order)}.")
    truth = {
        "none": keys["churned"].to_numpy(dtype=float),
        "transactions": keys["future_transactions"].to_numpy(dtype=float),
        "spend": keys["future_value"].to_numpy(dtype=float),
    }
    said = {name: {of: values[place] for of, values in each.items()} for name, each in predictions.items()}
    letters = {"none": "p", "transactions": "e", "spend": "v"}
    said["reference"] = {of: peers[f"{REFERENCE}__{letter}"].to_numpy() for of, letter in letters.items()}
    table = pd.DataFrame({name: measured(truth, each) for name, each in said.items()}).T
    table.insert(0, "record", pd.Series(choice.log_loss))
    print(table.round(4).to_string())
    print(f"\nChosen: {choice.name}, because {choice.why}.")
    ours, found = said[choice.name], measured(truth, said[choice.name])
    for name, (of, metric) in metrics().items():
        difference = paired_difference(metric, truth[of], ours[of], said["reference"][of], draws=options.draws)
        line = sentence(difference, metric, f"the reference, {of},", subject="the chosen model")
        aim = "" if name not in TARGETS else f"  [{'met' if met(name, found[name]) else 'NOT met'}: {TARGETS[name]}]"
        print(f"{name} {found[name]:.4f}{aim}\n    {line}")
    print(
        json.dumps(
            {
                "measured": True,
                "chosen": choice.name,
                **{name: round(value, 4) for name, value in found.items()},
                "missed": [name for name in TARGETS if not met(name, found[name])],
                "seconds_features": round(built - begun, 1),
                "seconds_choice_and_models": round(done - built, 1),
            }
        )
    )


if __name__ == "__main__":
    main()
