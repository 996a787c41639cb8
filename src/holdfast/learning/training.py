"""From a snapshots table to a bundle: both models fitted on what was known, with what one must know to use them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import ConfigError, DataError
from holdfast.learning import AtRiskClassifier, ValueRegressor
from holdfast.learning.effort import EFFORTS
from holdfast.learning.states import learn_states
from holdfast.learning.training_spec import TrainingSpec
from holdfast.models import Bundle, categorical_columns, learn_categories, to_matrix
from holdfast.models.feature_record import FeatureRecord, Role, place_of, places_of
from holdfast.models.model_card import TrainingRecord
from holdfast.models.quantiles import of_rows
from holdfast.progress import SILENT, Progress
from holdfast.sampling import Sample, weights
from holdfast.timeline import Days, show

FEWEST_CUSTOMERS = 200
SEASON: tuple[Role, ...] = ("season_sine", "season_cosine")
HISTORY: tuple[Role, ...] = ("order_days", "days_since_order", "days_since_first_order")
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


def require_directions(features: Sequence[FeatureRecord], churn: str) -> None:
    """Refuse a direction (``risk`` of a feature's record) that the classifier cannot promise.

    Parameters
    ----------
    churn : str
        The kind of churn.

    Raises
    ------
    ConfigError
        The model of the customer base reads the feature, or it tells the time of the year.
    """
    readers = {_BASE: places_of(HISTORY, features) if churn == "no_order" else (), _LEVEL: places_of(SEASON, features)}
    for reader, columns in readers.items():
        for feature in (features[i] for i in columns):
            if feature.risk is not None:
                raise ConfigError(
                    f"Wanted features whose direction the model can keep to, found '{feature.name}' with risk "
                    f"{feature.risk}: it is read by {reader}. Leave its direction out."
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
    snapshots: pd.DataFrame, spec: TrainingSpec, *, recent: pd.DataFrame | None = None, progress: Progress = SILENT
) -> Bundle:
    """Fit risk and value on labelled snapshots.

    Where they are a sample (:mod:`holdfast.sampling`), its weights enter both models, scaled to 1 on average: the share
    that churned and the total value are those of all snapshots, and regularisation, which counts in rows, knows how
    many rows there are.

    Parameters
    ----------
    snapshots : DataFrame
        ``customer_id``, ``cutoff`` (int64 microseconds), the features, ``churned`` and ``future_value``.
    recent : DataFrame, optional
        The population as it is at the time of training, without outcomes: what needs none is learnt from it.

    Raises
    ------
    ConfigError
        A direction that cannot be kept to (:func:`require_directions`), or churn is ``no_order`` and no features play
        the parts of the history of purchases.
    DataError
        As :func:`require_learnable` raises it.
    """
    card = spec.card
    require_directions(spec.features, card.churn.kind)
    require_learnable(snapshots)
    snapshots = with_whole_population(snapshots, spec.features, card.population.bought_within_days)
    effort = EFFORTS[spec.effort]
    snapshots = snapshots.iloc[:: effort.step(len(snapshots))].reset_index(drop=True)
    features = learn_categories(snapshots, spec.features)
    X, cutoff = to_matrix(snapshots, features), snapshots["cutoff"].to_numpy(dtype=np.int64)
    settings: dict[str, Any] = {
        "categorical_features": categorical_columns(features),
        "season_columns": places_of(SEASON, features),
        "random_state": spec.seed,
        **effort.parameters,
    }
    if card.churn.kind == "no_order":
        settings |= {
            "history_columns": history_columns(features),
            "accumulating_columns": blank_columns(snapshots, features),
            "bought_within_days": card.population.bought_within_days,
        }
    churned, came = (snapshots[name].to_numpy(dtype=np.float64) for name in ("churned", "future_value"))
    recipes = spec.recipes or {}
    weight, sample, tuning = weights(snapshots), Sample.of_table(snapshots), spec.tuning
    data: dict[str, Any] = {"cutoff": cutoff, "sample_weight": None if weight is None else weight / weight.mean()}
    now = None if recent is None or recent.empty else to_matrix(recent, features)
    known = spec.value_known(snapshots)
    require_values(known, snapshots, spec)
    valued: Any = slice(None) if known.all() else np.flatnonzero(known)
    with progress("Training", total=3) as advance:
        risk = AtRiskClassifier(
            **{**settings, **recipes.get("risk", {})},
            purge_days=spec.complete_after.count,
            horizon_days=card.churn.horizon_days,
            monotonic_cst=tuple({"rises": 1, "falls": -1, None: 0}[feature.risk] for feature in features),
            tuning=tuning and tuning.part(1 / 3),
        ).fit(X, churned, **data, recent=now)
        advance(1)
        value = ValueRegressor(
            **{**settings, **recipes.get("any_value", {})},
            amount_parameters=recipes.get("amount"),
            purge_days=spec.value_purge.count,
            horizon_days=card.value.horizon_days,
            spend_column=place_of("spend", features),
            tuning=tuning and tuning.part(2 / 3),
        ).fit(X[valued], came[valued], **{name: of_rows(each, valued) for name, each in data.items()}, recent=now)
        advance(1)
        states = learn_states(snapshots, X, spec, (risk.model_, value.model_), settings, data["sample_weight"])
        advance(1)
    record = TrainingRecord(
        cutoffs=tuple(show(int(at)) for at in np.unique(cutoff)),
        snapshots=len(snapshots),
        choice={**risk.choice_record_, "calibration": risk.calibration_record_["chosen"]},
        sample=None if sample is None else sample.to_dict(),
        tuning=None if tuning is None else {"risk": risk.tuning_record_, **value.tuning_record_},
        gives_up=effort.gives_up,
        recipes={"risk": risk.recipe_, **value.recipes_},
    )
    return Bundle(risk, value, features, replace(card, training=record), states)


def require_values(known: NDArray[np.bool_], snapshots: pd.DataFrame, spec: TrainingSpec) -> None:
    """Refuse a history in which hardly anybody's value is known yet.

    Raises
    ------
    DataError
        They are fewer than 200 customers.
    """
    customers = snapshots["customer_id"][known].nunique()
    if customers < FEWEST_CUSTOMERS:
        raise DataError(
            f"Wanted at least {FEWEST_CUSTOMERS} customers whose value is known, {spec.value_purge.count:g} days after "
            f"a cutoff, found {customers}. Shorten value.horizon_days, or begin the training cutoffs earlier."
        )


def with_whole_population(
    snapshots: pd.DataFrame, features: Sequence[FeatureRecord], lookback_days: float | None
) -> pd.DataFrame:
    """Without cutoffs at which the data reached back less far than the population does, if three others are left.

    There the population lacks whoever bought before the data began, and those who are in it seem to be new customers.
    """
    tenure = place_of("days_since_first_order", features)
    if lookback_days is None or tenure is None:
        return snapshots
    reach = snapshots.groupby("cutoff")[features[tenure].name].max()
    whole = reach.index[reach >= lookback_days]
    if len(whole) < _FEWEST_CUTOFFS or len(whole) == len(reach):
        return snapshots
    kept = snapshots[snapshots["cutoff"].isin(whole)].reset_index(drop=True)
    return kept if kept["churned"].min() < kept["churned"].max() else snapshots


def history_columns(features: Sequence[FeatureRecord]) -> tuple[int, ...]:
    """Days with an order so far, days since the last order and days since the first.

    Raises
    ------
    ConfigError
        Not all three are there, and without them there is no model of the customer base.
    """
    found = places_of(HISTORY, features)
    if not found:
        played = {feature.role for feature in features}
        raise ConfigError(
            f"Where churn is no_order, training wants features in the roles {', '.join(HISTORY)}; found none for "
            f"{', '.join(role for role in HISTORY if role not in played)}. Give their records these roles."
        )
    return found


def blank_columns(snapshots: pd.DataFrame, features: Sequence[FeatureRecord]) -> tuple[int, ...]:
    """Features that say more of the length of the data than of customers: those that accumulate, where it is short."""
    tenure = place_of("days_since_first_order", features)
    several = snapshots["cutoff"].min() < snapshots["cutoff"].max()
    short = tenure is not None and snapshots[features[tenure].name].max() < _LONG_HISTORY.count
    return tuple(i for i, feature in enumerate(features) if feature.accumulates) if several and short else ()
