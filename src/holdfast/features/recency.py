"""How long ago things last happened, also measured against the customer's own rhythm."""

from holdfast.features.feature import Feature
from holdfast.history.aggregates import DaysSinceFirst, DaysSinceLast, MeanGap, Ratio
from holdfast.history.conditions import Where

PURCHASE = Where("amount", ">=", 0.0)
REFUND = Where("amount", "<", 0.0)
JOINED = Where("moment", "==", "joined")
OPENED = Where("moment", "==", "opened")
SENT = Where("moment", "==", "sent")

FEATURES = (
    Feature(
        "days_since_order",
        "orders",
        DaysSinceLast(PURCHASE),
        "days",
        "last ordered {value} ago",
        "recency",
        when_missing="no order yet",
        role="days_since_order",
    ),
    Feature(
        "days_since_first_order",
        "orders",
        DaysSinceFirst(PURCHASE),
        "days",
        "first ordered {value} ago",
        "tenure",
        when_missing="no order yet",
        role="days_since_first_order",
        accumulates=True,
    ),
    Feature(
        "order_overdue_ratio",
        "orders",
        Ratio(DaysSinceLast(PURCHASE), MeanGap(PURCHASE)),
        "ratio",
        "has been silent for {value} the usual time between orders",
        "recency",
        when_missing="has too few orders for a rhythm",
        role="order_overdue",
    ),
    Feature(
        "days_since_refund",
        "orders",
        DaysSinceLast(REFUND),
        "days",
        "last returned something {value} ago",
        "refunds",
        when_missing="no refund yet",
    ),
    Feature(
        "days_since_engagement",
        "engagement",
        DaysSinceLast(),
        "days",
        "was last active {value} ago",
        "engagement recency",
        actionable=True,
        when_missing="no engagement yet",
        role="days_since_engagement",
    ),
    Feature(
        "days_since_first_engagement",
        "engagement",
        DaysSinceFirst(),
        "days",
        "was first active {value} ago",
        "tenure",
        when_missing="no engagement yet",
        role="days_since_first_engagement",
    ),
    Feature(
        "engagement_overdue_ratio",
        "engagement",
        Ratio(DaysSinceLast(), MeanGap()),
        "ratio",
        "has been inactive for {value} the usual time between visits",
        "engagement recency",
        when_missing="has too little activity for a rhythm",
        role="engagement_overdue",
    ),
    Feature(
        "days_since_ticket",
        "tickets",
        DaysSinceLast(OPENED),
        "days",
        "last asked for support {value} ago",
        "support",
        when_missing="no ticket yet",
    ),
    Feature(
        "days_since_first_ticket",
        "tickets",
        DaysSinceFirst(OPENED),
        "days",
        "first asked for support {value} ago",
        "support",
        when_missing="no ticket yet",
    ),
    Feature(
        "days_since_first_contact",
        "contacts",
        DaysSinceFirst(SENT),
        "days",
        "was first contacted {value} ago",
        "contact",
        when_missing="no contact yet",
    ),
    Feature(
        "days_since_signup",
        "customers",
        DaysSinceLast(JOINED),
        "days",
        "signed up {value} ago",
        "tenure",
        when_missing="has no known date of sign-up",
        role="days_since_signup",
    ),
)
