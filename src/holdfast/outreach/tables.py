"""The three tables of a list: names, order and types of their columns, the same also for an empty list."""

from __future__ import annotations

from hashlib import sha256
from typing import Literal, get_args

import numpy as np
import pandas as pd

from holdfast.partitioned import Columns

Group = Literal["contact", "control", "not_selected", "excluded"]
GROUPS: tuple[Group, ...] = get_args(Group)

SCORES: Columns = {
    "p_churn": "float64",
    "value": "float64",
    "value_low": "float64",
    "value_high": "float64",
    "expected_loss": "float64",
}
"""What the models say of a customer."""

OUTLOOK: Columns = {
    "p_gone": "float64",
    "p_leaving": "float64",
    "p_staying": "float64",
    "value_if_kept": "float64",
    "value_if_kept_low": "float64",
    "value_if_kept_high": "float64",
    "value_if_lost": "float64",
}
"""What ``expected_loss`` is made of: it is ``p_leaving * (value_if_kept - value_if_lost)``."""

CUSTOMERS: Columns = {
    "customer_id": "str",
    "as_of": "str",
    **SCORES,
    "stage": "str",
    "segment": "str",
    "group": "str",
    **OUTLOOK,
}
"""Every scored customer once, by id; ``group`` is one of ``GROUPS``."""

AT_RISK: Columns = {
    "rank": "int64",
    "customer_id": "str",
    "as_of": "str",
    **SCORES,
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
    "action_words": "str",
    "channel_words": "str",
    **OUTLOOK,
}
"""The customers to contact, best first; base, three contributions and the other one sum to the risk's log-odds."""

EXCLUDED: Columns = {"customer_id": "str", "rule": "str", "detail": "str"}
"""Who may not be contacted, by id, with the first rule that says so."""


class ContentHash:
    """SHA-256 of names, types and every value of a table that comes in pieces, whatever the pieces and its file are."""

    def __init__(self, columns: Columns) -> None:
        self._columns = dict(columns)
        self._rows = 0
        self._digests = {name: (sha256(), sha256()) for name in columns}  # of lengths and of contents

    def update(self, frame: pd.DataFrame) -> None:
        """The next rows, in the columns of the table."""
        self._rows += len(frame)
        for name, kind in self._columns.items():
            lengths, contents = self._digests[name]
            if kind == "str":
                texts = [text.encode() for text in frame[name].to_numpy(dtype=object).tolist()]
                lengths.update(np.fromiter(map(len, texts), dtype="<i8").tobytes())
                contents.update(b"".join(texts))
            else:
                contents.update(frame[name].to_numpy().astype(np.dtype(kind).newbyteorder("<")).tobytes())

    def hexdigest(self) -> str:
        """The hash of all rows so far, as text."""
        whole = sha256()
        for name, kind in self._columns.items():
            lengths, contents = (digest.hexdigest() for digest in self._digests[name])
            whole.update(f"{name}:{kind}:{self._rows}:{lengths}:{contents};".encode())
        return whole.hexdigest()


def content_hash(frame: pd.DataFrame, columns: Columns) -> str:
    """The hash of a table in memory, as :class:`ContentHash` gives it."""
    digest = ContentHash(columns)
    digest.update(frame)
    return digest.hexdigest()
