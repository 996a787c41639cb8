"""From contributions in log-odds to the few sentences that say why a customer is at risk."""

from holdfast.explain.reasons import reason_columns, reasons
from holdfast.explain.wording import speaker

__all__ = ["reason_columns", "reasons", "speaker"]
