"""How much the customer deals with us between purchases, and whether that fades."""

from holdfast.features.feature import Feature, spoken
from holdfast.history.aggregates import Count, DaysSinceLast, DistinctDays, Pace, Ratio, Sum, Trend
from holdfast.history.conditions import Where
from holdfast.timeline import Days


def _rate(name: str, above: str, meaning: str) -> Feature:
    """The share of e-mails of 90 days that led to something."""
    missing = "got no e-mail in the last 90 days"
    rate = Ratio(Count(Where("kind", "==", above)), Count(Where("kind", "==", "email_sent")))
    return Feature(
        name, "engagement", rate, "share", meaning, "e-mail", Days(90), actionable=True, when_missing=missing
    )


FEATURES = (
    *(
        Feature(
            f"engagement_{days}d",
            "engagement",
            Count(),
            "count",
            f"was active {{value}} times in the last {days} days",
            "engagement",
            Days(days),
            actionable=True,
            role="engagement" if days == 90 else None,
        )
        for days in (7, 30, 90, 180)
    ),
    *(
        Feature(
            f"active_days_{days}d",
            "engagement",
            DistinctDays(),
            "count",
            f"was active on {{value}} of the last {days} days",
            "engagement",
            Days(days),
            actionable=True,
            role="active_days" if days == 90 else None,
        )
        for days in (30, 90)
    ),
    Feature(
        "engagement_pace_30d",
        "engagement",
        Pace(Count(), Days(180)),
        "ratio",
        "was in the last 30 days {value} as active as usual",
        "engagement trend",
        Days(30),
        actionable=True,
        when_missing="has too little activity to compare",
    ),
    Feature(
        "engagement_trend_30d",
        "engagement",
        Trend(Count()),
        "trend",
        "did {value} in the last 30 days, compared with the 30 before",
        "engagement trend",
        Days(30),
        when_empty=0.0,
        actionable=True,
    ),
    *(
        Feature(
            f"usage_{days}d",
            "engagement",
            Sum("quantity"),
            "count",
            f"used {{value}} units in the last {days} days",
            "usage",
            Days(days),
            actionable=True,
        )
        for days in (30, 90)
    ),
    Feature(
        "usage_pace_30d",
        "engagement",
        Pace(Sum("quantity"), Days(180)),
        "ratio",
        "used in the last 30 days {value} as much as usual",
        "engagement trend",
        Days(30),
        actionable=True,
        when_missing="has too little usage to compare",
    ),
    _rate("email_open_rate_90d", "email_open", "opened {value} of the e-mails of the last 90 days"),
    _rate("email_click_rate_90d", "email_click", "clicked in {value} of the e-mails of the last 90 days"),
)


def per_kind(kind: str, word: str) -> tuple[Feature, ...]:
    """The features of one kind of engagement that occurs in the data; ``word`` is the kind as part of a name."""
    here = Where("kind", "==", kind)
    said = spoken(kind)
    return (
        *(
            Feature(
                f"{word}_{days}d",
                "engagement",
                Count(here),
                "count",
                f'did "{said}" {{value}} times in the last {days} days',
                f"engagement: {said}",
                Days(days),
                actionable=True,
            )
            for days in (30, 90)
        ),
        Feature(
            f"days_since_{word}",
            "engagement",
            DaysSinceLast(here),
            "days",
            f'last did "{said}" {{value}} ago',
            f"engagement: {said}",
            actionable=True,
            when_missing=f"no {spoken(word)} yet",
        ),
    )
