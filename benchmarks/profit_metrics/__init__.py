"""What a campaign would earn with a ranking, by measures of the literature that peers are compared in."""

from benchmarks.profit_metrics.costs import (
    Costs,
    cost_metrics,
    decided_profit,
    maximum_profit,
    profitable_depth,
    savings,
)
from benchmarks.profit_metrics.expected_maximum_profit import (
    TELECOM,
    Campaign,
    campaign_metrics,
    expected_maximum_profit,
    profitable_share,
)
from benchmarks.profit_metrics.repeated_folds import folds_difference

__all__ = [
    "TELECOM",
    "Campaign",
    "Costs",
    "campaign_metrics",
    "cost_metrics",
    "decided_profit",
    "expected_maximum_profit",
    "folds_difference",
    "maximum_profit",
    "profitable_depth",
    "profitable_share",
    "savings",
]
