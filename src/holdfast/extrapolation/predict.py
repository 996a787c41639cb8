"""Churn, orders and value within a horizon of which no outcome is complete, by the model with the best record.

The plainest model within a standard error of the best is used (:mod:`holdfast.learning.model_choice`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from holdfast.dataset import Dataset
from holdfast.extrapolation.training_window import MODELS, Answer, TrainingWindow
from holdfast.extrapolation.window_grid import WindowGrid
from holdfast.learning.model_choice import Choice, ModelsAtCutoff, choose_model
from holdfast.models import to_matrix
from holdfast.models.feature_record import FeatureRecord
from holdfast.models.lifetime import within_three_years
from holdfast.timeline import instant


@dataclass(frozen=True)
class Extrapolation:
    """What was found, and by which model.

    Attributes
    ----------
    customers : DataFrame
        As :func:`columns` says, in order of customers.
    choice : Choice
        Of the model: its name, the record of all, and why.
    learnt_days : float
        Length of the windows that were learnt from.
    """

    customers: pd.DataFrame
    choice: Choice
    learnt_days: float


def extrapolate(dataset: Dataset, as_of: str, horizon_days: float | None = None) -> Extrapolation:
    """Everyone's churn, orders and value within a horizon from an instant on, learnt from shorter windows before it.

    Parameters
    ----------
    horizon_days : float, optional
        That of ``churn`` in the configuration if not given. A gap is not looked at: the window begins at the instant.

    Raises
    ------
    ConfigError
        Churn is not ``no_order`` or value not ``revenue``: of anything else a history of purchases tells nothing.
    DataError
        Less than 63 days of history, fewer than 50 customers, or all or none of them came back.
    InputError
        The horizon is not above 0, or longer than three years.
    """
    (horizon,) = within_three_years([dataset.settings.churn.horizon_days if horizon_days is None else horizon_days])
    at = instant(as_of)
    dataset.require_known(at)
    grid = WindowGrid.of(dataset, at, horizon)
    choice, window = chosen(grid), grid.final()
    work = Prediction(window.answers((choice.name,))[choice.name], grid.panel.features)
    return Extrapolation(dataset.everyone(grid.features, [at], work, columns()), choice, window.near_days)


def chosen(grid: WindowGrid) -> Choice:
    """The model with the best record on windows that have ended."""
    return choose_model(MODELS, [_tried(window) for window in grid.trials()])


def columns() -> dict[str, str]:
    """Names and types of what :func:`extrapolate` gives.

    ``customer_id``, ``cutoff`` (int64 microseconds), and within the horizon ``p_churn``, the probability of no order,
    ``orders``, the expected number of days with one, and ``value``, the expected spend in currency.
    """
    return {"customer_id": "str", "cutoff": "int64", "p_churn": "float64", "orders": "float64", "value": "float64"}


@dataclass(frozen=True)
class Prediction:
    """What a model says of a piece of the snapshots."""

    answer: Answer
    features: tuple[FeatureRecord, ...]

    def __call__(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Columns of :func:`columns`, one row per row of the frame."""
        X, (risk, value) = to_matrix(frame, self.features), self.answer
        said = {"p_churn": risk.probability(X), "orders": value.orders(X), "value": value.mean(X)}
        return frame[["customer_id", "cutoff"]].assign(**said)


def _tried(window: TrainingWindow) -> ModelsAtCutoff:
    """What every model said of a window that has ended."""
    answers = window.answers(MODELS)
    return ModelsAtCutoff(
        window.customers,
        (window.came[0] <= 0).astype(np.float64),
        {name: answers[name].risk.log_odds(window.now) for name in MODELS},
    )
