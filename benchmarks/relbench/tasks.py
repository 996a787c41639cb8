"""The tasks of RelBench that are about customers: which tables are which of our sources, and the task in our words."""

from __future__ import annotations

from benchmarks.relbench.declaration import Declaration, Mapped, OwnWords
from holdfast.errors import ConfigError
from holdfast.labels import ChurnSettings, ValueSettings
from holdfast.snapshots import PopulationSettings

_SHOP = Mapped(
    reads={
        "transactions": ("customer_id", "article_id", "t_dat", "price"),
        "article": ("article_id", "product_group_name"),
        "customer": ("customer_id", "age", "club_member_status", "fashion_news_frequency"),
    },
    sources={
        "orders": """
            SELECT customer_id, t_dat AS event_time, CAST(t_dat AS VARCHAR) AS order_id, coalesce(price, 0) AS amount,
                product_group_name AS category
            FROM transactions LEFT JOIN article USING (article_id)
        """,
        "customers": """
            SELECT customer_id, CAST(age // 5 * 5 AS INTEGER) AS age_from, club_member_status, fashion_news_frequency
            FROM customer
        """,
    },
)
"""Purchases carry days, not times: what one customer buys on one day is one order."""

_REVIEWS = Mapped(
    reads={
        "review": ("customer_id", "product_id", "review_time", "rating"),
        "product": ("product_id", "price"),
        "customer": ("customer_id",),
    },
    sources={
        "orders": """
            SELECT customer_id, review_time AS event_time, coalesce(price, 0) AS amount
            FROM review LEFT JOIN product USING (product_id)
        """,
        "surveys": "SELECT customer_id, review_time AS event_time, (rating - 1) * 2.5 AS score FROM review",
        "customers": "SELECT customer_id FROM customer",
    },
)
"""A review stands for the purchase of its product; its one to five stars are a score from 0 to 10."""

_FORUM = Mapped(
    reads={
        "posts": ("OwnerUserId", "CreationDate"),
        "votes": ("UserId", "CreationDate"),
        "comments": ("UserId", "CreationDate"),
        "badges": ("UserId", "Date"),
        "users": ("Id", "CreationDate"),
    },
    sources={
        "engagement": """
            SELECT OwnerUserId AS customer_id, CreationDate AS event_time, 'post' AS kind FROM posts
            UNION ALL SELECT UserId, CreationDate, 'vote' FROM votes
            UNION ALL SELECT UserId, CreationDate, 'comment' FROM comments
        """,
        "contacts": "SELECT UserId AS customer_id, Date AS event_time, 'badge' AS action FROM badges",
        "customers": "SELECT Id AS customer_id, CreationDate AS signup_time FROM users",
    },
)
"""A badge is what the forum does to keep somebody, so it is a contact of ours and no sign of life."""

_ADVERTISEMENTS = Mapped(
    reads={
        "VisitStream": ("UserID", "ViewDate"),
        "SearchInfo": ("SearchID", "UserID", "SearchDate"),
        "SearchStream": ("SearchID", "SearchDate", "IsClick"),
        "PhoneRequestsStream": ("UserID", "PhoneRequestDate"),
        "UserInfo": ("UserID",),
    },
    sources={
        "engagement": """
            SELECT UserID AS customer_id, ViewDate AS event_time, 'visit' AS kind FROM VisitStream
            UNION ALL SELECT UserID, SearchDate, 'search' FROM SearchInfo
            UNION ALL SELECT UserID, PhoneRequestDate, 'phone_request' FROM PhoneRequestsStream
            UNION ALL SELECT UserID, clicked.SearchDate, 'click'
                FROM SearchStream AS clicked JOIN SearchInfo USING (SearchID) WHERE IsClick = 1
        """,
        "customers": "SELECT UserID AS customer_id FROM UserInfo",
    },
)

_EVENTS = Mapped(
    reads={
        "event_attendees": ("user_id", "status", "start_time"),
        "event_interest": ("user", "timestamp", "interested", "not_interested"),
        "users": ("user_id", "joinedAt", "locale", "gender"),
    },
    sources={
        "engagement": """
            SELECT user_id AS customer_id, start_time AS event_time, status AS kind FROM event_attendees
            UNION ALL SELECT "user", "timestamp", 'interested' FROM event_interest WHERE interested = 1
            UNION ALL SELECT "user", "timestamp", 'not_interested' FROM event_interest WHERE not_interested = 1
        """,
        "customers": "SELECT user_id AS customer_id, joinedAt AS signup_time, locale, gender FROM users",
    },
)


_QUARTER = 91  # days; RelBench's quarter of a year

_NO_ORDER_IN_A_WEEK = OwnWords(PopulationSettings(bought_within_days=7), ChurnSettings(kind="no_order", horizon_days=7))
_NO_REVIEW_IN_A_QUARTER = OwnWords(
    PopulationSettings(bought_within_days=_QUARTER), ChurnSettings(kind="no_order", horizon_days=_QUARTER)
)
_REVIEWED_IN_A_QUARTER = OwnWords(
    PopulationSettings(bought_within_days=_QUARTER), ValueSettings(of="revenue", horizon_days=_QUARTER)
)
_ANY_ENGAGEMENT_IN_A_QUARTER = OwnWords(
    PopulationSettings(active_within_days=1_000_000),  # whoever was active at all
    ChurnSettings(kind="no_event", horizon_days=_QUARTER),
    inverted=True,
)

DECLARED = (
    Declaration("rel-hm", "user-churn", "classification", _SHOP, _NO_ORDER_IN_A_WEEK),
    Declaration("rel-amazon", "user-churn", "classification", _REVIEWS, _NO_REVIEW_IN_A_QUARTER),
    Declaration("rel-amazon", "user-ltv", "regression", _REVIEWS, _REVIEWED_IN_A_QUARTER),
    Declaration("rel-stack", "user-engagement", "classification", _FORUM, _ANY_ENGAGEMENT_IN_A_QUARTER),
    Declaration("rel-avito", "user-visits", "classification", _ADVERTISEMENTS),
    Declaration("rel-avito", "user-clicks", "classification", _ADVERTISEMENTS),
    Declaration("rel-event", "user-repeat", "classification", _EVENTS),
    Declaration("rel-event", "user-ignore", "classification", _EVENTS),
    Declaration("rel-event", "user-attendance", "regression", _EVENTS),
)
"""Those of rel-avito and rel-event ask about entities that act in the window to come, which nobody knows at the seed
time; so their rows come from RelBench's tables alone, and their labels have no words of ours."""


def declared(dataset: str, task: str) -> Declaration:
    """The declaration of a task.

    Raises
    ------
    ConfigError
        There is none; the message lists those that there are.
    """
    for declaration in DECLARED:
        if (declaration.dataset, declaration.task) == (dataset, task):
            return declaration
    known = ", ".join(f"{each.dataset} {each.task}" for each in DECLARED)
    raise ConfigError(
        f"Wanted a RelBench task about customers, found {dataset} {task}, which is not declared. Declared are {known}; "
        "declare another one in Python, as benchmarks.relbench.Declaration."
    )
