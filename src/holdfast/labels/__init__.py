"""What happened next: churn and value of each snapshot."""

from holdfast.labels.label import (
    EVENT,
    LABELS,
    churned,
    days_to_event,
    event_is_churn,
    future_value,
    label,
    label_names,
    needed,
    reads,
)
from holdfast.labels.settings import ChurnSettings, LabelSettings, ValueSettings
from holdfast.labels.signs import LATER, PAST, SIGNS, reads_signs

__all__ = [
    "EVENT",
    "LABELS",
    "LATER",
    "PAST",
    "SIGNS",
    "ChurnSettings",
    "LabelSettings",
    "ValueSettings",
    "churned",
    "days_to_event",
    "event_is_churn",
    "future_value",
    "label",
    "label_names",
    "needed",
    "reads",
    "reads_signs",
]
