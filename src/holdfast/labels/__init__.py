"""What happened next: churn and value of each snapshot."""

from holdfast.labels.label import LABELS, churned, future_value, label, needed, reads
from holdfast.labels.settings import ChurnSettings, LabelSettings, ValueSettings

__all__ = [
    "LABELS",
    "ChurnSettings",
    "LabelSettings",
    "ValueSettings",
    "churned",
    "future_value",
    "label",
    "needed",
    "reads",
]
