"""How often the customer buys, how regularly, how broadly, and whether that changes."""

from holdfast.features.feature import Feature
from holdfast.features.recency import PURCHASE
from holdfast.history.aggregates import (
    Count,
    DaysSinceFirst,
    Distinct,
    DistinctDays,
    GapStd,
    LastGap,
    Mean,
    MeanGap,
    Plus,
    Ratio,
    Trend,
)
from holdfast.timeline import DAYS_PER_MONTH, Days

WINDOWS = (30, 90, 180, 365)

FEATURES = (
    *(
        Feature(
            f"orders_{days}d",
            "orders",
            Count(PURCHASE),
            "count",
            f"placed {{value}} orders in the last {days} days",
            "frequency",
            Days(days),
            role="orders_of_a_year" if days == 365 else None,
        )
        for days in WINDOWS
    ),
    Feature(
        "orders_lifetime",
        "orders",
        Count(PURCHASE),
        "count",
        "placed {value} orders so far",
        "frequency",
        accumulates=True,
        role="orders",
    ),
    *(
        Feature(
            f"order_days_{days}d",
            "orders",
            DistinctDays(PURCHASE),
            "count",
            f"ordered on {{value}} of the last {days} days",
            "frequency",
            Days(days),
        )
        for days in (90, 365)
    ),
    Feature(
        "order_days_lifetime",
        "orders",
        DistinctDays(PURCHASE),
        "count",
        "ordered on {value} different days so far",
        "frequency",
        role="order_days",
        accumulates=True,
    ),
    Feature(
        "repeat_orders_per_month",
        "orders",
        Ratio(Plus(DistinctDays(PURCHASE), -1.0), DaysSinceFirst(PURCHASE), times=DAYS_PER_MONTH),
        "ratio",
        "has come back {value} times a month since the first order",
        "frequency",
        when_missing="has placed no order yet",
    ),
    Feature(
        "order_gap_mean_days",
        "orders",
        MeanGap(PURCHASE),
        "days",
        "usually lets {value} pass between orders",
        "frequency",
        when_missing="has too few orders for a rhythm",
    ),
    Feature(
        "order_gap_std_days",
        "orders",
        GapStd(PURCHASE),
        "days",
        "varies the time between orders by {value}",
        "frequency",
        when_missing="has too few orders for a rhythm",
    ),
    Feature(
        "order_gap_last_days",
        "orders",
        LastGap(PURCHASE),
        "days",
        "let {value} pass between the last two orders",
        "frequency",
        when_missing="has too few orders for a rhythm",
    ),
    *(
        Feature(
            f"orders_trend_{days}d",
            "orders",
            Trend(Count(PURCHASE)),
            "trend",
            f"ordered {{value}} in the last {days} days, compared with the {days} before",
            "order trend",
            Days(days),
            when_empty=0.0,
        )
        for days in (90, 180)
    ),
    Feature(
        "items_per_order_365d",
        "orders",
        Mean("items", PURCHASE),
        "count",
        "put {value} items into an order in the last 365 days",
        "basket",
        Days(365),
        when_missing="has placed no order in the last 365 days",
    ),
    *(
        Feature(
            f"categories_{days}d",
            "items",
            Distinct("category"),
            "count",
            f"bought from {{value}} categories in the last {days} days",
            "breadth",
            Days(days),
        )
        for days in (90, 365)
    ),
    Feature(
        "categories_lifetime",
        "items",
        Distinct("category"),
        "count",
        "bought from {value} categories so far",
        "breadth",
        accumulates=True,
    ),
)
