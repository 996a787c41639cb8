"""Time to churn: calibrated probabilities for several horizons, monotone in the horizon for every customer.

What is learnt is the time until an event, in steps between horizons (:mod:`holdfast.models.horizon`). Each step is an
:class:`~holdfast.learning.AtRiskClassifier` of its own on the same features, learnt from those customers whom it
concerns and from those cutoffs at which the outcome of its own two horizons is complete: a horizon of 30 days learns
from later cutoffs than one of 180.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from holdfast.learning.at_risk_classifier import AtRiskClassifier
from holdfast.learning.folds import Rows
from holdfast.learning.inputs import instants, weights
from holdfast.learning.snapshot_estimator import SnapshotEstimator, importances
from holdfast.models.additive import Additive, Linear
from holdfast.models.calibration import IDENTITY
from holdfast.models.checks import InputError, Matrix, Vector, refuse_other_width
from holdfast.models.horizon import HorizonModel, days, increasing, walk
from holdfast.models.quantiles import of_rows
from holdfast.models.risk import RiskModel
from holdfast.timeline import Instants

Mask = NDArray[np.bool_]
_FEWEST = 40  # rows of each outcome from which a step is learnt; below, it is the same for everyone
_ONE_OF_EACH = 0.5  # added to both counts of such a step, so that its log-odds are finite (Jeffreys)


class HorizonClassifier(SnapshotEstimator):
    """Probability of churn within each of several horizons; sure to be monotone in the horizon, for every row.

    Parameters
    ----------
    horizons : sequence of float
        Days from the beginning of the outcome window, increasing.
    event_is_churn : bool
        True if the event whose time is learnt is the loss (a contract ends): churn within ``h`` days means that it has
        come, and its probability never decreases in ``h``. False if it is a return (an order comes): churn means that
        none has come within ``h`` days, and its probability never *increases*; that of coming back,
        ``1 - predict_proba_by_horizon(X)``, never decreases.
    anchor_days : float or None
        The horizon whose probability is learnt first and directly; the others follow from it. One of the horizons; if
        None, the middle one of those at which both outcomes occur.
    delay_days : float
        From a cutoff to the beginning of the outcome window, plus what must pass after its end before an outcome is
        certain: gap and grace.
    classifier : AtRiskClassifier or None
        How to learn the anchor and each step; its defaults if None. ``purge_days`` and ``horizon_days`` are set for
        each. A customer base (``history_columns``) speaks for the anchor only, since a step knows a selection of
        customers, and a customer-base model is one of all of them.

    Attributes
    ----------
    model_ : HorizonModel
        What the fitted classifier computes.
    rows_ : tuple of int
        How many rows taught each horizon.
    feature_importances_ : array of shape (n_features_in_,)
        Mean size of what each column contributes to the log-odds of anchor and steps, over at most 1,000 of the
        training rows; they add up to 1.

    Examples
    --------
    >>> import numpy as np
    >>> draw = np.random.default_rng(0)
    >>> X = draw.normal(size=(900, 1))
    >>> left_after = draw.exponential(100 * np.exp(-X[:, 0]))          # days
    >>> model = HorizonClassifier(horizons=(30, 60, 90)).fit(X, left_after)
    >>> p = model.predict_proba_by_horizon([[0.0], [1.0]])
    >>> bool((np.diff(p) >= 0).all())
    True
    """

    def __init__(
        self,
        horizons: Sequence[float] = (30, 60, 90, 180),
        *,
        event_is_churn: bool = True,
        anchor_days: float | None = None,
        delay_days: float = 0,
        classifier: AtRiskClassifier | None = None,
    ) -> None:
        self.horizons = horizons
        self.event_is_churn = event_is_churn
        self.anchor_days = anchor_days
        self.delay_days = delay_days
        self.classifier = classifier

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.positive_only = True
        return tags

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        observed_days: ArrayLike | None = None,
        cutoff: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        anchor: RiskModel | None = None,
    ) -> Self:
        """Learn from snapshots and the days until their event.

        Parameters
        ----------
        X : DataFrame or array of shape (n_rows, n_features)
            NaN means missing.
        y : array of shape (n_rows,)
            Days from the beginning of the outcome window to the event; any number from the longest horizon on where
            none came.
        observed_days : array of shape (n_rows,), optional
            So many days of each row's outcome window are known for certain. A horizon learns from rows that are known
            to its end, and what ``y`` says beyond is not looked at. All are known if not given.
        cutoff : array of datetimes or int64, shape (n_rows,), optional
            The instant of each snapshot; in UTC where it has no zone. Integers are microseconds since 1970.
        sample_weight : array of shape (n_rows,), optional
            As in :meth:`AtRiskClassifier.fit`.
        anchor : RiskModel, optional
            A fitted model of churn at the anchor on the same columns. It is taken as it is, so its probabilities are
            those of that horizon, to the bit; only the others are learnt.

        Raises
        ------
        InputError
            Horizons that do not increase, an anchor that is none of them, a horizon that no row is known to the end
            of, negative or infinite days, one outcome only at the anchor.
        """
        horizons = self._horizons()
        learner = AtRiskClassifier() if self.classifier is None else clone(self.classifier)
        X, waited = self._learning_rows(X, y, numbers=True, categorical_features=learner.categorical_features)
        learner.set_params(categorical_features=self._categorical)
        if (waited < 0).any():
            raise InputError(
                "Negative values in data: wanted the days from the beginning of the outcome window to the event, found "
                f"{int((waited < 0).sum())} rows below 0. Leave out customers who had left before the window began."
            )
        weight, at = weights(sample_weight, X), instants(cutoff, len(X))
        observed = _observed(observed_days, len(X))
        counts = np.ones(len(X), dtype=bool) if weight is None else weight > 0
        for horizon in horizons:
            _require_known(horizon, observed[counts])
        if anchor is not None:
            refuse_other_width(X, anchor.n_features)
        churned = [((waited < horizon) == self.event_is_churn).astype(np.float64) for horizon in horizons]
        known = [counts & (observed >= horizon) for horizon in horizons]
        place = self._place(horizons, churned, known)
        learnt = np.flatnonzero(known[place])
        models: dict[int, RiskModel] = {}
        rows = {place: len(learnt)}
        if anchor is None:
            models[place] = self._fitted(learner, X, churned[place], learnt, at, weight, horizons[place])
        else:
            models[place] = anchor
        for k, near in walk(len(horizons), place):
            rarer = (k < near) == self.event_is_churn
            longer = max(k, near)
            concerned = np.flatnonzero(known[longer] & (churned[near] == rarer))
            rows[k] = len(concerned)
            models[k] = self._step(learner, X, churned[k], concerned, at, weight, horizons[longer])
        ordered = range(len(horizons))
        self.rows_ = tuple(rows[k] for k in ordered)
        self.model_ = HorizonModel(horizons, place, bool(self.event_is_churn), tuple(models[k] for k in ordered))
        self._weigh(X, weight)
        return self

    def _importances(self, rows: Matrix, weight: Vector | None) -> Vector:
        parts = [importances(model.contributions(rows)[:, :-1], weight) for model in self.model_.models]
        return importances(np.array(parts))

    def _horizons(self) -> tuple[float, ...]:
        horizons = increasing(self.horizons)
        if self.anchor_days is not None and float(self.anchor_days) not in horizons:
            raise InputError(
                f"Wanted an anchor among the horizons {days(horizons)}; found {self.anchor_days:g} days. "
                "Add it to the horizons, or name one of them."
            )
        return horizons

    def _place(self, horizons: tuple[float, ...], churned: Sequence[Vector], known: Sequence[Mask]) -> int:
        """The place of the anchor among the horizons."""
        if self.anchor_days is not None:
            return horizons.index(float(self.anchor_days))
        both = [k for k, rows in enumerate(known) if np.ptp(churned[k][rows]) > 0]
        return both[len(both) // 2] if both else len(horizons) // 2

    def _step(
        self,
        learner: AtRiskClassifier,
        X: Matrix,
        churned: Vector,
        rows: Rows,
        cutoff: Instants | None,
        weight: Vector | None,
        longer: float,
    ) -> RiskModel:
        """What churn at a horizon looks like among those whom the step concerns; one number if they are too few."""
        of_each = np.bincount(churned[rows].astype(int), minlength=2)
        if of_each.min() >= _FEWEST:
            return self._fitted(learner, X, churned, rows, cutoff, weight, longer, of_all=False)
        mass = np.bincount(churned[rows].astype(int), weights=of_rows(weight, rows), minlength=2) + _ONE_OF_EACH
        constant = Linear.constant(float(np.log(mass[1]) - np.log(mass[0])))
        return RiskModel(Additive(X.shape[1], constant, None), IDENTITY)

    def _fitted(
        self,
        learner: AtRiskClassifier,
        X: Matrix,
        churned: Vector,
        rows: Rows,
        cutoff: Instants | None,
        weight: Vector | None,
        longest: float,
        *,
        of_all: bool = True,
    ) -> RiskModel:
        _require_both(churned[rows], longest)
        own: AtRiskClassifier = clone(learner).set_params(purge_days=self.delay_days + longest, horizon_days=longest)
        if not of_all:
            own.set_params(history_columns=())
        named = getattr(self, "feature_names_in_", None)  # parameters of the learner may name columns
        own.fit(
            X[rows] if named is None else pd.DataFrame(X[rows], columns=named),
            churned[rows],
            cutoff=None if cutoff is None else cutoff[rows],
            sample_weight=of_rows(weight, rows),
        )
        return own.model_

    def predict_proba_by_horizon(self, X: ArrayLike) -> Matrix:
        """Probability of churn at each horizon, shape (n_rows, n_horizons), in the order of the horizons."""
        X = self._scoring_rows(X)
        return self.model_.probabilities(X)

    def contributions(self, X: ArrayLike, horizon: float) -> Matrix:
        """What each feature adds to the log-odds of one horizon's model; see :meth:`HorizonModel.contributions`."""
        X = self._scoring_rows(X)
        return self.model_.contributions(X, horizon)


def _observed(observed_days: ArrayLike | None, rows: int) -> Vector:
    if observed_days is None:
        return np.full(rows, np.inf)
    observed = np.asarray(observed_days, dtype=np.float64)
    if observed.shape != (rows,) or np.isnan(observed).any():
        raise InputError(
            f"Wanted the observed days of each of {rows} rows, found shape {observed.shape} or gaps in it."
        )
    return observed


def _require_known(horizon: float, observed: Vector) -> None:
    if not (observed >= horizon).any():
        longest = max(0.0, float(observed.max(initial=0.0)))
        raise InputError(
            f"Wanted rows whose outcome is known for {horizon:g} days; the longest known is {longest:.5g} days: the "
            "horizon is longer than the history after the first cutoff. Shorten it, or begin the cutoffs earlier."
        )


def _require_both(churned: Vector, horizon: float) -> None:
    if len(churned) and churned.min() == churned.max():
        who = "every customer" if churned[0] else "no customer"
        raise InputError(
            f"Wanted customers who churned and customers who stayed at {horizon:g} days; found that {who} churned in "
            f"{len(churned)} rows with one class only. Choose another anchor, or change the definition of churn."
        )
