"""The state of the customer's contracts: what they pay, for how long still, and what went wrong with paying."""

from holdfast.features.feature import Feature
from holdfast.history.aggregates import Count, DaysSinceFirst, DaysSinceLast, Last, Max, MonthsUntil, Sum
from holdfast.history.conditions import Where
from holdfast.timeline import Days


def _moment(name: str) -> Where:
    return Where("moment", "==", name)


STARTED = _moment("started")
FAILED = _moment("payment_failed")
PRICED = _moment("price_changed")

FEATURES = (
    Feature("mrr", "subscriptions", Sum("mrr_delta"), "currency", "pays {value} a month", "revenue", role="mrr"),
    Feature(
        "mrr_change_last",
        "subscriptions",
        Last("mrr_delta", PRICED),
        "currency",
        "saw the monthly price change by {value} last",
        "price",
        actionable=True,
        when_missing="has seen no change of price yet",
    ),
    Feature(
        "mrr_change_90d",
        "subscriptions",
        Sum("mrr_delta"),
        "currency",
        "changed the monthly revenue by {value} in the last 90 days",
        "revenue",
        Days(90),
    ),
    Feature(
        "price_rise_90d",
        "subscriptions",
        Max("mrr_delta", PRICED),
        "currency",
        "saw the monthly price rise by {value} in the last 90 days",
        "price",
        Days(90),
        when_empty=0.0,
        actionable=True,
    ),
    Feature(
        "price_changes_365d",
        "subscriptions",
        Count(PRICED),
        "count",
        "saw {value} price changes in the last 365 days",
        "price",
        Days(365),
        actionable=True,
    ),
    Feature(
        "days_since_price_change",
        "subscriptions",
        DaysSinceLast(PRICED),
        "days",
        "saw the price change {value} ago",
        "price",
        actionable=True,
        when_missing="no price change yet",
    ),
    Feature(
        "months_to_renewal",
        "subscriptions",
        MonthsUntil("term_end_day"),
        "months",
        "comes up for renewal in {value}",
        "renewal",
        when_missing="has no date of renewal",
    ),
    Feature("renewals", "subscriptions", Count(_moment("renewed")), "count", "has renewed {value} times", "renewal"),
    Feature(
        "days_since_renewal",
        "subscriptions",
        DaysSinceLast(_moment("renewed")),
        "days",
        "last renewed {value} ago",
        "renewal",
        when_missing="no renewal yet",
        role="days_since_renewal",
    ),
    Feature(
        "subscription_tenure_days",
        "subscriptions",
        DaysSinceFirst(STARTED),
        "days",
        "has subscribed for {value}",
        "tenure",
        role="subscription_tenure",
    ),
    Feature(
        "days_since_subscription_start",
        "subscriptions",
        DaysSinceLast(STARTED),
        "days",
        "started the latest subscription {value} ago",
        "tenure",
        when_missing="no subscription start yet",
    ),
    Feature(
        "subscriptions_running",
        "subscriptions",
        Sum("active_delta"),
        "count",
        "has {value} running subscriptions",
        "revenue",
    ),
    Feature(
        "subscriptions_ended",
        "subscriptions",
        Count(_moment("ended")),
        "count",
        "has ended {value} subscriptions before",
        "renewal",
    ),
    *(
        Feature(
            f"plan_changes_{days}d",
            "subscriptions",
            Count(_moment("plan_changed")),
            "count",
            f"changed the plan {{value}} times in the last {days} days",
            "plan",
            Days(days),
        )
        for days in (90, 365)
    ),
    Feature("plan", "subscriptions", Last("plan"), "category", "is on the plan {value}", "plan"),
    *(
        Feature(
            f"payment_failures_{days}d",
            "subscriptions",
            Count(FAILED),
            "count",
            f"had {{value}} failed payments in the last {days} days",
            "payment",
            Days(days),
            actionable=True,
        )
        for days in (30, 90, 365)
    ),
    Feature(
        "days_since_payment_failure",
        "subscriptions",
        DaysSinceLast(FAILED),
        "days",
        "last had a payment fail {value} ago",
        "payment",
        actionable=True,
        when_missing="no payment failure yet",
    ),
)
