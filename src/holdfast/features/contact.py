"""How often we contacted the customer, what we offered, and what came back."""

from holdfast.features.feature import Feature
from holdfast.features.recency import SENT
from holdfast.history.aggregates import Count, DaysSinceLast, Ratio, Sum
from holdfast.history.conditions import Where
from holdfast.timeline import Days

RESPONDED = Where("moment", "==", "responded")

FEATURES = (
    *(
        Feature(
            f"contacts_{days}d",
            "contacts",
            Count(SENT),
            "count",
            f"was contacted {{value}} times in the last {days} days",
            "contact",
            Days(days),
        )
        for days in (30, 90, 365)
    ),
    *(
        Feature(
            f"offers_{days}d",
            "contacts",
            Sum("offer", SENT),
            "count",
            f"got {{value}} offers in the last {days} days",
            "contact",
            Days(days),
        )
        for days in (90, 365)
    ),
    Feature(
        "days_since_contact",
        "contacts",
        DaysSinceLast(SENT),
        "days",
        "was last contacted {value} ago",
        "contact",
        when_missing="no contact yet",
        role="days_since_contact",
    ),
    Feature(
        "responses_365d",
        "contacts",
        Count(RESPONDED),
        "count",
        "responded to {value} contacts in the last 365 days",
        "contact",
        Days(365),
    ),
    Feature(
        "contact_response_rate_365d",
        "contacts",
        Ratio(Count(RESPONDED), Count(SENT)),
        "share",
        "responded to {value} of the contacts of the last 365 days",
        "contact",
        Days(365),
        when_missing="was not contacted in the last 365 days",
    ),
    Feature(
        "days_since_response",
        "contacts",
        DaysSinceLast(RESPONDED),
        "days",
        "last responded to a contact {value} ago",
        "contact",
        when_missing="no response yet",
    ),
)
