"""What the customer's orders are worth: net spend, order values, refunds, discounts, margin."""

from holdfast.features.feature import Feature
from holdfast.features.recency import PURCHASE, REFUND
from holdfast.history.aggregates import Count, Last, Max, Mean, Ratio, Std, Sum, Trend
from holdfast.timeline import Days

WINDOWS = (30, 90, 180, 365)

FEATURES = (
    *(
        Feature(
            f"spend_{days}d",
            "orders",
            Sum("amount"),
            "currency",
            f"spent {{value}} in the last {days} days",
            "monetary",
            Days(days),
            role="spend_of_a_year" if days == 365 else None,
        )
        for days in WINDOWS
    ),
    Feature(
        "spend_lifetime",
        "orders",
        Sum("amount"),
        "currency",
        "spent {value} so far",
        "monetary",
        role="spend",
        accumulates=True,
    ),
    Feature(
        "order_value_mean_365d",
        "orders",
        Mean("amount", PURCHASE),
        "currency",
        "spent {value} an order in the last 365 days",
        "monetary",
        Days(365),
        when_missing="has placed no order in the last 365 days",
    ),
    Feature(
        "order_value_mean_lifetime",
        "orders",
        Mean("amount", PURCHASE),
        "currency",
        "spent {value} an order so far",
        "monetary",
        when_missing="has placed no order yet",
        accumulates=True,
    ),
    Feature(
        "order_value_std_lifetime",
        "orders",
        Std("amount", PURCHASE),
        "currency",
        "varies the order value by {value}",
        "monetary",
        when_missing="has too few orders to compare",
        accumulates=True,
    ),
    Feature(
        "order_value_max_365d",
        "orders",
        Max("amount", PURCHASE),
        "currency",
        "spent {value} at most in one order of 365 days",
        "monetary",
        Days(365),
        when_missing="has placed no order in the last 365 days",
    ),
    Feature(
        "order_value_last",
        "orders",
        Last("amount", PURCHASE),
        "currency",
        "spent {value} in the last order",
        "monetary",
        when_missing="has placed no order yet",
        accumulates=True,
    ),
    Feature(
        "order_value_last_ratio",
        "orders",
        Ratio(Last("amount", PURCHASE), Mean("amount", PURCHASE)),
        "ratio",
        "spent {value} the usual amount in the last order",
        "monetary",
        when_missing="has too few orders to compare",
    ),
    *(
        Feature(
            f"refund_share_{days}d",
            "orders",
            Ratio(Sum("amount", REFUND), Sum("amount", PURCHASE), times=-1.0),
            "share",
            f"returned {{value}} of what was bought in the last {days} days",
            "refunds",
            Days(days),
            when_empty=0.0,
            actionable=True,
        )
        for days in (180, 365)
    ),
    Feature(
        "refunds_365d",
        "orders",
        Count(REFUND),
        "count",
        "returned goods {value} times in the last 365 days",
        "refunds",
        Days(365),
        actionable=True,
    ),
    *(
        Feature(
            f"spend_trend_{days}d",
            "orders",
            Trend(Sum("amount")),
            "trend",
            f"spent {{value}} in the last {days} days, compared with the {days} before",
            "spend trend",
            Days(days),
            when_empty=0.0,
        )
        for days in (90, 180)
    ),
    Feature(
        "discount_share_365d",
        "orders",
        Ratio(Sum("discount", PURCHASE), Sum("amount", PURCHASE)),
        "share",
        "got discounts worth {value} of the spend of the last 365 days",
        "discount",
        Days(365),
        when_empty=0.0,
    ),
    Feature(
        "discount_last",
        "orders",
        Last("discount", PURCHASE),
        "currency",
        "got a discount of {value} on the last order",
        "discount",
        when_missing="has placed no order yet",
    ),
    *(
        Feature(
            f"margin_{days}d",
            "orders",
            Sum("margin"),
            "currency",
            f"brought a margin of {{value}} in the last {days} days",
            "margin",
            Days(days),
            when_missing=f"has placed no order in the last {days} days",
        )
        for days in (90, 365)
    ),
    Feature(
        "margin_share_365d",
        "orders",
        Ratio(Sum("margin"), Sum("amount")),
        "share",
        "left {value} of the spend of the last 365 days as margin",
        "margin",
        Days(365),
        when_missing="has placed no order in the last 365 days",
    ),
)
