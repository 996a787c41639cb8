"""From a snapshots table to a bundle: both models fitted on what was known, with what one must know to use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from holdfast.errors import ConfigError, DataError
from holdfast.learning import AtRiskClassifier, Tuning, ValueRegressor
from holdfast.learning.roles import (
    TENURE,
    accumulating_columns,
    history_columns,
    monotonic_cst,
    season_columns,
    spend_column,
)
from holdfast.models import Bundle, categorical_columns, learn_categories, to_matrix
from holdfast.progress import SILENT, Progress
from holdfast.sampling import Sample, weights
from holdfast.timeline import Days, show

FEWEST_CUSTOMERS = 200
_FEWEST_CUTOFFS = 3
_LONG_HISTORY = Days(730)  # from here on, what accumulates since the data began says more of customers than of the data


_BASE = "the model of the customer base, which is a part of the risk and has a shape of its own"
_LEVEL = "the forecast of the level, which goes up and down with the year"


def require_learnable(snapshots: pd.DataFrame) -> None:
    """Refuse a table that no model can learn from.

    Raises
    ------
    DataError
        Fewer than 200 customers, or all of them churned, or none.
    """
    customers = snapshots["customer_id"].nunique()
    if customers < FEWEST_CUSTOMERS:
        raise DataError(
            f"Wanted at least {FEWEST_CUSTOMERS} customers to learn from, found {customers}. "
            "Take a wider population or more history; below that, rank customers by hand."
        )
    if snapshots["churned"].nunique() < 2:
        what = "every" if snapshots["churned"].iloc[0] else "no"
        raise DataError(
            f"Wanted customers who churned and customers who stayed, found one class only: {what} customer churned, at "
            f"{snapshots['cutoff'].nunique()} cutoffs. Check the definition of churn, its horizon and the cutoffs."
        )


def require_directions(features: Sequence[Mapping[str, Any]], churn: str | None) -> None:
    """Refuse a direction (``risk`` of a feature's record) that the classifier cannot promise.

    Parameters
    ----------
    churn : str or None
        The kind of churn.

    Raises
    ------
    ConfigError
        The model of the customer base reads the feature, or it tells the time of the year.
    """
    readers = {_BASE: history_columns(features) if churn == "no_order" else (), _LEVEL: season_columns(features)}
    for reader, columns in readers.items():
        for spec in (features[i] for i in columns):
            if spec.get("risk") is not None:
                raise ConfigError(
                    f"Wanted features whose direction the model can keep to, found '{spec['name']}' with risk "
                    f"{spec['risk']}: it is read by {reader}. Leave its direction out."
                )


def known_by(snapshots: pd.DataFrame, cutoff: int, complete_after: Days) -> pd.DataFrame:
    """The snapshots whose outcome was complete at the cutoff: what a model trained there could have learnt from.

    Raises
    ------
    DataError
        There are none; names the first cutoff that would have some.
    """
    known = snapshots[snapshots["cutoff"] + complete_after.microseconds <= cutoff]
    if known.empty:
        first = int(snapshots["cutoff"].min()) + complete_after.microseconds
        raise DataError(
            f"At the test cutoff {show(cutoff)} no training snapshot had a complete outcome: the horizon is longer "
            f"than the history before it. Test from {show(first)} on, begin the training cutoffs earlier, or ask "
            "project.extrapolate, which needs no outcome of the whole horizon."
        )
    return known


def fit(
    snapshots: pd.DataFrame,
    features: Sequence[Mapping[str, Any]],
    *,
    complete_after: Days,
    seed: int,
    meta: Mapping[str, Any],
    recent: pd.DataFrame | None = None,
    tuning: Tuning | None = None,
    progress: Progress = SILENT,
) -> Bundle:
    """Fit risk and value on labelled snapshots.

    Where they are a sample (:mod:`holdfast.sampling`), its weights enter both models, scaled to 1 on average: the share
    that churned and the total value are those of all snapshots, and regularisation, which counts in rows, knows how
    many rows there are.

    Parameters
    ----------
    features : sequence of feature records
        In the order of the matrix. Where a record has ``risk``, p_churn keeps to that direction for every customer; the
        value does not.
    complete_after : Days
        From a cutoff until both labels are known; cutoffs closer than that never teach and judge the same model.
    recent : DataFrame, optional
        The population as it is at the time of training, without outcomes: what needs none is learnt from it.
    tuning : Tuning, optional
        Budget of a search for better parameters; a third of its minutes goes to each of risk, any value and amount.
    meta : mapping
        Plain JSON that the bundle keeps; the training cutoffs are added, what was sampled if anything was, and under
        ``tuning`` the record of the search for each of the three.

    Raises
    ------
    ConfigError
        A direction that cannot be kept to (:func:`require_directions`).
    DataError
        As :func:`require_learnable` raises it.
    """
    require_directions(features, meta.get("churn", {}).get("kind"))
    require_learnable(snapshots)
    lookback = meta.get("population", {}).get("bought_within_days")
    snapshots = with_whole_population(snapshots, lookback)
    specs = learn_categories(snapshots, features)
    X, cutoff = to_matrix(snapshots, specs), snapshots["cutoff"].to_numpy(dtype=np.int64)
    settings: dict[str, Any] = {
        "purge_days": complete_after.count,
        "categorical_features": categorical_columns(specs),
        "season_columns": season_columns(specs),
        "random_state": seed,
        **of_orders(snapshots, specs, meta),
    }
    churned, came = (snapshots[name].to_numpy(dtype=np.float64) for name in ("churned", "future_value"))
    weight, sample = weights(snapshots), Sample.of_table(snapshots)
    data: dict[str, Any] = {"cutoff": cutoff, "sample_weight": None if weight is None else weight / weight.mean()}
    now = None if recent is None or recent.empty else to_matrix(recent, specs)
    with progress("Training", total=2) as advance:
        own: dict[str, Any] = {"monotonic_cst": monotonic_cst(specs), "tuning": tuning and tuning.part(1 / 3)}
        risk = AtRiskClassifier(**settings, **own, **_ahead(meta, "churn")).fit(X, churned, **data, recent=now)
        advance(1)
        own = {"spend_column": spend_column(specs), "tuning": tuning and tuning.part(2 / 3)}
        value = ValueRegressor(**settings, **own, **_ahead(meta, "value")).fit(X, came, **data, recent=now)
        advance(1)
    cutoffs = [show(int(at)) for at in np.unique(cutoff)]
    about: dict[str, Any] = {
        **meta,
        "training_cutoffs": cutoffs,
        "training_snapshots": len(snapshots),
        "choice": {**risk.choice_record_, "calibration": risk.calibration_record_["chosen"]},
    }
    if sample is not None:
        about["sample"] = sample.to_dict()
    if tuning is not None:
        about["tuning"] = {"risk": risk.tuning_record_, **value.tuning_record_}
    return Bundle(risk, value, specs, about)


def with_whole_population(snapshots: pd.DataFrame, lookback_days: float | None) -> pd.DataFrame:
    """Without cutoffs at which the data reached back less far than the population does, if three others are left.

    There the population lacks whoever bought before the data began, and those who are in it seem to be new customers.
    """
    if lookback_days is None or TENURE not in snapshots:
        return snapshots
    reach = snapshots.groupby("cutoff")[TENURE].max()
    whole = reach.index[reach >= lookback_days]
    if len(whole) < _FEWEST_CUTOFFS or len(whole) == len(reach):
        return snapshots
    kept = snapshots[snapshots["cutoff"].isin(whole)].reset_index(drop=True)
    return kept if kept["churned"].min() < kept["churned"].max() else snapshots


def _ahead(meta: Mapping[str, Any], label: str) -> dict[str, Any]:
    """How far a label looks ahead, where that is told."""
    about = meta.get(label, {})
    return {"horizon_days": about["horizon_days"]} if "horizon_days" in about else {}


def of_orders(snapshots: pd.DataFrame, specs: Sequence[Mapping[str, Any]], meta: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of the models that tell them of orders, where churn means that orders stop; else none."""
    churn, columns = meta.get("churn", {}), history_columns(specs)
    if churn.get("kind") != "no_order" or not columns:
        return {}
    several = snapshots["cutoff"].min() < snapshots["cutoff"].max()
    short = several and snapshots[TENURE].max() < _LONG_HISTORY.count
    return {
        "history_columns": columns,
        "accumulating_columns": accumulating_columns(specs) if short else (),
        "bought_within_days": meta.get("population", {}).get("bought_within_days"),
    }
