"""Time to churn for the customers of a project: the probability of churn within each of several horizons.

The model in charge answers for the horizon that the configuration names, and its answer stays what it is, to the bit.
The other horizons are learnt around it on the same features (:mod:`holdfast.learning.horizon_classifier`), each
from the cutoffs whose outcome of that horizon was complete at the instant at which one stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from holdfast.dataset import Dataset
from holdfast.labels import EVENT, ChurnSettings, LabelSettings, event_is_churn
from holdfast.learning import AtRiskClassifier, HorizonClassifier
from holdfast.learning.training import SEASON, blank_columns, with_whole_population
from holdfast.models import Bundle, HorizonModel, categorical_columns, to_matrix
from holdfast.models.feature_record import FeatureRecord, places_of
from holdfast.models.horizon import increasing, within
from holdfast.models.risk import RiskModel
from holdfast.sampling import weights
from holdfast.scoring import declarations
from holdfast.snapshots import observed_until, training_cutoffs
from holdfast.timeline import MICROSECONDS_PER_DAY, Days, instant

HORIZONS = (30.0, 60.0, 90.0, 180.0)


def survival(dataset: Dataset, bundle: Bundle, as_of: str, horizons: Sequence[float] = HORIZONS) -> pd.DataFrame:
    """Every customer of the population as known at an instant, with the probability of churn within each horizon.

    Parameters
    ----------
    bundle : Bundle
        Its risk model answers for ``churn.horizon_days``; its features serve all horizons.
    horizons : sequence of float
        Days from the beginning of the outcome window, increasing.

    Returns
    -------
    DataFrame
        As :func:`columns` says, in order of customers.

    Raises
    ------
    InputError
        The horizons do not increase, or one is longer than the history after the first cutoff.
    ConfigError, DataError, BundleError
        As training and scoring raise them.
    """
    wanted = increasing(horizons)
    settings, at = dataset.settings, instant(as_of)
    dataset.require_known(at)
    features = declarations(bundle, dataset.vocabulary, dataset.own.records)
    known = tuple(sorted({*wanted, float(settings.churn.horizon_days)}))
    labels = outlook_labels(settings.labels, known)
    until = min(at, observed_until(dataset.tables, labels))
    cutoffs = [
        cutoff
        for cutoff in training_cutoffs(settings.cutoffs, dataset.tables, labels)
        if cutoff + labels.complete_after.microseconds <= until
    ]
    model = learn(
        with_whole_population(
            dataset.built(features, cutoffs, labels), bundle.features, settings.population.bought_within_days
        ),
        bundle.features,
        churn=settings.churn,
        horizons=known,
        until=until,
        seed=settings.seed,
        anchor=bundle.risk,
    ).model_
    names = columns(wanted, returns=not model.event_is_churn)
    return dataset.everyone(features, [at], Outlook(model, bundle.features, wanted), names)


def columns(horizons: Sequence[float], *, returns: bool) -> dict[str, str]:
    """Names and types of what :func:`survival` gives.

    ``customer_id``, ``cutoff`` (int64 microseconds) and ``p_churn_<days>d`` for each horizon. Where churn is the
    absence of an event, these never increase in the horizon, and ``p_return_<days>d``, the probability that an order
    or a sign of life comes within it, stands beside them and never decreases.
    """
    kinds = ("p_churn", "p_return") if returns else ("p_churn",)
    names = [within(kind, horizon) for kind in kinds for horizon in horizons]
    return {"customer_id": "str", "cutoff": "int64", **dict.fromkeys(names, "float64")}


def outlook_labels(labels: LabelSettings, horizons: Sequence[float]) -> LabelSettings:
    """Labels that are complete as soon as the shortest horizon is, and tell the days to the event up to the longest."""
    shortest = {"horizon_days": min(horizons)}
    return LabelSettings(
        churn=labels.churn.model_copy(update=shortest),
        value=labels.value.model_copy(update=shortest),
        look_ahead_days=max(horizons),
    )


def learn(
    snapshots: pd.DataFrame,
    features: Sequence[FeatureRecord],
    *,
    churn: ChurnSettings,
    horizons: Sequence[float],
    until: int,
    seed: int,
    anchor: RiskModel | None = None,
) -> HorizonClassifier:
    """Learn the horizons from snapshots with ``days_to_event``, each from what was complete at ``until``.

    Parameters
    ----------
    features : sequence of feature records
        In the order of the matrix, categories learnt.
    churn : ChurnSettings
        ``horizon_days`` is the anchor and one of the horizons.
    until : int
        Instant in microseconds up to which outcomes are known.
    anchor : RiskModel, optional
        The model of that horizon; learnt if not given.
    """
    delay = Days(churn.gap_days + (churn.grace_days or 0))
    cutoff, weight = snapshots["cutoff"].to_numpy(dtype=np.int64), weights(snapshots)
    learner = AtRiskClassifier(
        categorical_features=categorical_columns(features),
        season_columns=places_of(SEASON, features),
        accumulating_columns=blank_columns(snapshots, features) if churn.kind == "no_order" else (),
        random_state=seed,
    )
    return HorizonClassifier(
        horizons,
        event_is_churn=event_is_churn(churn),
        anchor_days=churn.horizon_days,
        delay_days=delay.count,
        classifier=learner,
    ).fit(
        to_matrix(snapshots, features),
        snapshots[EVENT].to_numpy(dtype=np.float64),
        observed_days=(until - delay.microseconds - cutoff) / MICROSECONDS_PER_DAY,
        cutoff=cutoff,
        sample_weight=None if weight is None else weight / weight.mean(),
        anchor=anchor,
    )


@dataclass(frozen=True)
class Outlook:
    """What :func:`survival` says of a piece of the snapshots."""

    model: HorizonModel
    features: tuple[FeatureRecord, ...]
    horizons: tuple[float, ...]

    def __call__(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Columns of :func:`columns`, one row per row of the frame."""
        places = [self.model.horizons.index(horizon) for horizon in self.horizons]
        p = self.model.probabilities(to_matrix(frame, self.features))[:, places]
        found = frame[["customer_id", "cutoff"]].copy()
        names = columns(self.horizons, returns=not self.model.event_is_churn)
        answers = p if self.model.event_is_churn else np.column_stack([p, 1 - p])
        found[[name for name in names if name not in found]] = answers
        return found
