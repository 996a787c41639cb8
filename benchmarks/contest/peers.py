"""The contenders: the package as it is, and what others would take, with default parameters.

Each takes a task and returns probabilities of churn, and values where it has an opinion.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from time import perf_counter

import lightgbm as lgb
import numpy as np
import pandas as pd
from lifetimes import BetaGeoFitter, GammaGammaFitter
from lifetimes.utils import ConvergenceError
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, TweedieRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.contest.task import Task
from holdfast.learning.training import fit

OURS = "holdfast"
SCALE_DAYS = 7.0  # lifetimes fits weeks more surely than days
PENALTIES = (0.0, 0.001, 0.01, 0.1)  # as its documentation advises where the fit does not converge
FEWEST_REPEATERS = 10


@dataclass(frozen=True)
class Predicted:
    """What a contender says of the test: probabilities, values, the 90 % interval of values, and its seconds."""

    p: np.ndarray
    value: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    seconds: float = 0.0


Contender = Callable[[Task, int], Predicted]


def holdfast(task: Task, seed: int) -> Predicted:
    """The package as ``train`` uses it: one default configuration, everything else its own choice."""
    bundle = fit(task.known, replace(task.spec, seed=seed), recent=task.present)
    scores = bundle.predict(task.test)
    p, value, low, high = (scores[name].to_numpy() for name in ("p_churn", "value", "value_low", "value_high"))
    return Predicted(p, value, low, high)


def logistic(task: Task, seed: int) -> Predicted:  # noqa: ARG001 - one signature for all
    """Logistic regression and Tweedie regression on the logarithms of recency, frequency and value."""
    train, test = _logs(task, "rfm")
    churned, came = _outcomes(task)
    risk = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1_000)).fit(train, churned)
    value = make_pipeline(StandardScaler(), TweedieRegressor(power=1.5, alpha=0.01, link="log", max_iter=1_000))
    value.fit(train, np.maximum(came, 0.0))
    return Predicted(risk.predict_proba(test)[:, 1], value.predict(test))


def recency(task: Task, seed: int) -> Predicted:  # noqa: ARG001
    """Logistic regression on the days since the last sign of life."""
    train, test = _logs(task, "recency")
    risk = make_pipeline(StandardScaler(), LogisticRegression()).fit(train, _outcomes(task)[0])
    return Predicted(risk.predict_proba(test)[:, 1])


def lightgbm(task: Task, seed: int) -> Predicted:
    """LightGBM with default parameters on all known cutoffs."""
    train, test = task.matrices()
    churned, came = _outcomes(task)
    settings = {"verbose": -1, "random_state": seed, "n_jobs": 1}
    risk = lgb.LGBMClassifier(**settings).fit(train, churned)
    value = lgb.LGBMRegressor(**settings).fit(train, came)
    return Predicted(risk.predict_proba(test)[:, 1], value.predict(test))


def lightgbm_one_slice(task: Task, seed: int) -> Predicted:
    """LightGBM with default parameters on the latest known cutoff."""
    return lightgbm(task.one_slice(), seed)


def hist_gradient_boosting(task: Task, seed: int) -> Predicted:
    """scikit-learn's HistGradientBoosting with default parameters on all known cutoffs.

    Columns without any value are left out, because its binning stops at them.
    """
    train, test = task.matrices()
    there = ~np.isnan(train).all(axis=0)
    train, test = train[:, there], test[:, there]
    churned, came = _outcomes(task)
    risk = HistGradientBoostingClassifier(random_state=seed).fit(train, churned)
    value = HistGradientBoostingRegressor(random_state=seed).fit(train, came)
    return Predicted(risk.predict_proba(test)[:, 1], value.predict(test))


def lifetimes(task: Task, seed: int) -> Predicted:  # noqa: ARG001
    """BG/NBD × Gamma-Gamma of the library lifetimes, on the purchases of everyone before the cutoff.

    Given that a customer with x repeat purchases in T is alive, the rate has the distribution Gamma(r + x, alpha + T),
    so a silent horizon t has the probability ((alpha + T) / (alpha + T + t)) ** (r + x); who is gone is silent anyway.
    """
    if task.purchases is None:
        raise ValueError("Nobody buys in this task.")
    everyone = _repeats(task.purchases)
    model = _fitted(everyone)
    there = _repeats(task.test)
    x, t_x, t = there["x"], there["t_x"], there["t"]
    ahead = task.horizon / SCALE_DAYS
    alive = np.asarray(model.conditional_probability_alive(x, t_x, t), dtype=np.float64)
    r, alpha = (float(model.params_[name]) for name in ("r", "alpha"))
    silent = ((alpha + t) / (alpha + t + ahead)) ** (r + x)
    expected = np.asarray(model.conditional_expected_number_of_purchases_up_to_time(ahead, x, t_x, t))
    spend = everyone["mean"][(everyone["x"] > 0) & (everyone["mean"] > 0)]
    amount = GammaGammaFitter(penalizer_coef=0.01)
    repeaters = everyone["x"][(everyone["x"] > 0) & (everyone["mean"] > 0)]
    value = None
    if len(repeaters) >= FEWEST_REPEATERS:
        amount.fit(repeaters, spend)
        each = amount.conditional_expected_average_profit(there["x"], np.maximum(there["mean"], 0.01))
        value = expected * np.asarray(each, dtype=np.float64)
    return Predicted(1 - alive * (1 - silent), value)


CONTENDERS: dict[str, Contender] = {
    OURS: holdfast,
    "logistic": logistic,
    "lifetimes": lifetimes,
    "lightgbm": lightgbm,
    "lightgbm_one_slice": lightgbm_one_slice,
    "hist_gradient_boosting": hist_gradient_boosting,
    "recency": recency,
}


_SAID: dict[tuple[str, str], Predicted] = {}


def contest(
    task: Task, seed: int, names: tuple[str, ...] = tuple(CONTENDERS), *, called: str | None = None
) -> dict[str, Predicted]:
    """Everyone's predictions, each with its seconds; lifetimes is left out where nobody buys.

    Of a task that is ``called`` by a name, what was said before in this process is said again: sections share worlds.
    """
    found = {}
    for name in names:
        if name == "lifetimes" and task.purchases is None:
            continue
        said = None if called is None else _SAID.get((called, name))
        if said is None:
            begun = perf_counter()
            said = replace(CONTENDERS[name](task, seed), seconds=perf_counter() - begun)
        if called is not None:
            _SAID[called, name] = said
        found[name] = said
    return found


def _outcomes(task: Task) -> tuple[np.ndarray, np.ndarray]:
    return tuple(task.known[name].to_numpy(dtype=np.float64) for name in ("churned", "future_value"))  # type: ignore[return-value]


def _logs(task: Task, baseline: str) -> tuple[np.ndarray, np.ndarray]:
    """Signed logarithms of a baseline's columns; who never did a thing gets the median of the known."""
    columns = list(task.columns(baseline))
    known, test = (frame[columns].to_numpy(dtype=np.float64, na_value=np.nan) for frame in (task.known, task.test))
    train, asked = (np.sign(x) * np.log1p(np.abs(x)) for x in (known, test))
    fill = np.nan_to_num(np.nanmedian(train, axis=0))
    return np.where(np.isnan(train), fill, train), np.where(np.isnan(asked), fill, asked)


def _repeats(frame: pd.DataFrame) -> Mapping[str, np.ndarray]:
    """Days with a repeat purchase, the age at the last of them and the age, in weeks; the mean amount of a purchase."""
    age = frame["days_since_first_order"].to_numpy(dtype=np.float64)
    repeats = np.maximum(frame["order_days_lifetime"].to_numpy(dtype=np.float64) - 1, 0.0)
    last = np.maximum(age - frame["days_since_order"].to_numpy(dtype=np.float64), 0.0)
    return {
        "x": repeats,
        "t_x": np.where(repeats > 0, last, 0.0) / SCALE_DAYS,
        "t": age / SCALE_DAYS,
        "mean": frame["order_value_mean_lifetime"].to_numpy(dtype=np.float64),
    }


def _fitted(everyone: Mapping[str, np.ndarray]) -> BetaGeoFitter:
    """The fit with the least penalty that converges."""
    for penalty in PENALTIES:
        try:
            with warnings.catch_warnings(), redirect_stdout(StringIO()):  # it prints what its optimiser says
                warnings.simplefilter("ignore")
                return BetaGeoFitter(penalizer_coef=penalty).fit(everyone["x"], everyone["t_x"], everyone["t"])
        except ConvergenceError:
            continue
    raise RuntimeError("BG/NBD did not converge with any penalty.")
