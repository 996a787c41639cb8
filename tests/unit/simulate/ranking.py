"""How well a score ranks an outcome, by ranks alone."""

from __future__ import annotations

import pandas as pd


def auc(score: pd.Series, outcome: pd.Series) -> float:
    """Chance that a churned customer has the higher score than one who stayed; ties count half."""
    ranks, positives = score.rank(), int(outcome.sum())
    pairs = positives * (len(outcome) - positives)
    return float((ranks[outcome].sum() - positives * (positives + 1) / 2) / pairs)
