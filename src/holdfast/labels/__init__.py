"""What happened next: churn and value of each snapshot."""

from holdfast.labels.label import LABELS, label, needed
from holdfast.labels.settings import ChurnSettings, LabelSettings, ValueSettings

__all__ = ["LABELS", "ChurnSettings", "LabelSettings", "ValueSettings", "label", "needed"]
