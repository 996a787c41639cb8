"""The three tables of a list: names, order and types of their columns, the same also for an empty list."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import numpy as np
import pandas as pd

_SCORES = {
    "p_churn": "float64",
    "value": "float64",
    "value_low": "float64",
    "value_high": "float64",
    "expected_loss": "float64",
}

CUSTOMERS: Mapping[str, str] = {
    "customer_id": "str",
    "as_of": "str",
    **_SCORES,
    "stage": "str",
    "segment": "str",
    "group": "str",
}
"""Every scored customer once, by id; ``group`` is one of contact, control, not_selected, excluded."""

AT_RISK: Mapping[str, str] = {
    "rank": "int64",
    "customer_id": "str",
    "as_of": "str",
    **_SCORES,
    "action": "str",
    "channel": "str",
    "net_value": "float64",
    "net_value_low": "float64",
    "p_net_positive": "float64",
    "stage": "str",
    "segment": "str",
    **{f"reason_{i}": "str" for i in (1, 2, 3)},
    **{f"reason_{i}_feature": "str" for i in (1, 2, 3)},
    **{f"reason_{i}_contribution": "float64" for i in (1, 2, 3)},
    "list_id": "str",
    "model_version": "str",
    "base_log_odds": "float64",
    "other_contribution": "float64",
}
"""The customers to contact, best first; base, three contributions and the other one sum to the risk's log-odds."""

EXCLUDED: Mapping[str, str] = {"customer_id": "str", "rule": "str", "detail": "str"}
"""Who may not be contacted, by id, with the first rule that says so."""


def conform(frame: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    """Exactly these columns, in this order and of these types, with a fresh index."""
    return frame[list(columns)].astype(dict(columns)).reset_index(drop=True)


def content_hash(frame: pd.DataFrame) -> str:
    """SHA-256 of names, order and every value of a table, whatever file format it will have."""
    digest = sha256()
    for name in frame.columns:
        column = frame[name]
        digest.update(f"{name}:{column.dtype}:{len(column)};".encode())
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "fi":
            digest.update(column.to_numpy().astype(column.dtype.newbyteorder("<")).tobytes())
        else:
            texts = column.to_numpy(dtype=object).tolist()
            digest.update(np.fromiter(map(len, texts), dtype="<i8").tobytes())
            digest.update("".join(texts).encode())
    return digest.hexdigest()
