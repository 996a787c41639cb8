"""What went wrong for the customer, how badly, and whether it was put right."""

from holdfast.features.feature import Feature, spoken
from holdfast.features.recency import OPENED
from holdfast.history.aggregates import Count, DaysSinceLast, If, Last, Max, Mean, Sum
from holdfast.history.conditions import Where
from holdfast.timeline import Days

FEATURES = (
    *(
        Feature(
            f"tickets_{days}d",
            "tickets",
            Count(OPENED),
            "count",
            f"opened {{value}} tickets in the last {days} days",
            "support",
            Days(days),
            actionable=True,
        )
        for days in (30, 90, 365)
    ),
    Feature(
        "tickets_open",
        "tickets",
        Sum("open_delta"),
        "count",
        "has {value} open tickets",
        "open ticket",
        actionable=True,
        role="tickets_open",
    ),
    Feature(
        "days_since_unresolved",
        "tickets",
        If(Sum("open_delta"), DaysSinceLast(OPENED)),
        "days",
        "has waited {value} since opening a ticket that is still open",
        "open ticket",
        actionable=True,
        when_missing="has no open ticket",
    ),
    Feature(
        "hours_to_resolve_mean_365d",
        "tickets",
        Mean("hours_to_resolve"),
        "hours",
        "waited {value} on average for a solution",
        "support quality",
        Days(365),
        actionable=True,
        when_missing="had no ticket solved in the last 365 days",
    ),
    Feature(
        "hours_to_resolve_max_365d",
        "tickets",
        Max("hours_to_resolve"),
        "hours",
        "waited {value} at worst for a solution",
        "support quality",
        Days(365),
        actionable=True,
        when_missing="had no ticket solved in the last 365 days",
    ),
    Feature(
        "tickets_reopened_365d",
        "tickets",
        Count(Where("moment", "==", "reopened")),
        "count",
        "had to reopen {value} tickets in the last 365 days",
        "support quality",
        Days(365),
        actionable=True,
    ),
    Feature(
        "satisfaction_last",
        "tickets",
        Last("satisfaction"),
        "score",
        "rated the last solution {value}",
        "support quality",
        actionable=True,
        when_missing="has rated no solution yet",
    ),
    Feature(
        "satisfaction_mean_365d",
        "tickets",
        Mean("satisfaction"),
        "score",
        "rated solutions {value} on average in the last 365 days",
        "support quality",
        Days(365),
        actionable=True,
        when_missing="has rated no solution in the last 365 days",
    ),
)


def per_level(column: str, level: str, word: str) -> tuple[Feature, ...]:
    """The features of one severity or topic that occurs in the data; ``word`` is the level as part of a name."""
    opened = Count(Where(column, "==", level) & OPENED)
    return tuple(
        Feature(
            f"tickets_{column}_{word}_{days}d",
            "tickets",
            opened,
            "count",
            f'opened {{value}} tickets of {column} "{spoken(level)}" in the last {days} days',
            "support",
            Days(days),
            actionable=True,
        )
        for days in (90, 365)
    )
