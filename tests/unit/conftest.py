"""Models fitted once for all tests of this room."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from holdfast.learning import AtRiskClassifier, ValueRegressor
from holdfast.models import Bundle, categorical_columns, learn_categories, to_matrix
from tests.unit.learning.samples import CARD, FEATURES, snapshots


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    """Snapshots of 300 customers at 8 cutoffs."""
    return snapshots()


@pytest.fixture(scope="session")
def bundle(table: pd.DataFrame) -> Bundle:
    """Both models fitted on the table, as training does it."""
    features = learn_categories(table, FEATURES)
    X, cutoff = to_matrix(table, features), table["cutoff"].to_numpy(dtype=np.int64)
    settings = {"purge_days": 60, "categorical_features": categorical_columns(features), "n_estimators": 80}
    risk = AtRiskClassifier(**settings).fit(X, table["churned"].to_numpy(), cutoff=cutoff)
    value = ValueRegressor(**settings).fit(X, table["future_value"].to_numpy(), cutoff=cutoff)
    return Bundle(risk, value, features, CARD)
