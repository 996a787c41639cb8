"""Small databases in RelBench's own format, with its tables, keys and task definitions, and rows that we invent.

Times fall on whole days, as the seed times do, so that many rows lie exactly at a seed time or at the end of a window;
some lie one microsecond or one nanosecond beside one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from relbench.manifest import DatasetManifest, TableSpec, TaskManifest

CUSTOMERS, GUESTS = 260, 900  # counts are harder to foresee than whether
VAL, TEST = pd.Timestamp("2020-09-07"), pd.Timestamp("2020-09-14")
FORUM_VAL, FORUM_TEST = pd.Timestamp("2020-10-01"), pd.Timestamp("2021-01-01")

_NO_ROW_AFTER = """
WITH active AS (
    SELECT DISTINCT "timestamp", customer_id FROM timestamps JOIN {events}
    ON {time} > "timestamp" - INTERVAL '{{timedelta}}' AND {time} <= "timestamp"
), later AS (
    SELECT DISTINCT "timestamp", customer_id FROM timestamps JOIN {events}
    ON {time} > "timestamp" AND {time} <= "timestamp" + INTERVAL '{{timedelta}}'
)
SELECT "timestamp", active.customer_id, CAST(later.customer_id IS NULL AS INTEGER) AS churn
FROM active JOIN customer USING (customer_id) LEFT JOIN later USING ("timestamp", customer_id)
"""
_PRICES_AFTER = """
WITH active AS (
    SELECT DISTINCT "timestamp", customer_id FROM timestamps JOIN review
    ON review_time > "timestamp" - INTERVAL '{timedelta}' AND review_time <= "timestamp"
), later AS (
    SELECT "timestamp", customer_id, sum(price) AS ltv FROM timestamps JOIN review
    ON review_time > "timestamp" AND review_time <= "timestamp" + INTERVAL '{timedelta}'
    JOIN product USING (product_id) GROUP BY ALL
)
SELECT "timestamp", customer_id, coalesce(ltv, 0) AS ltv
FROM active JOIN customer USING (customer_id) LEFT JOIN later USING ("timestamp", customer_id)
"""
_ANYTHING_AFTER = """
WITH acts AS (
    SELECT OwnerUserId AS Id, CreationDate AS acted FROM posts
    UNION ALL SELECT UserId, CreationDate FROM votes
    UNION ALL SELECT UserId, CreationDate FROM comments
)
SELECT "timestamp", Id AS OwnerUserId,
    CAST(bool_or(acted > "timestamp" AND acted <= "timestamp" + INTERVAL '{timedelta}') AS INTEGER) AS contribution
FROM timestamps, users JOIN acts USING (Id) GROUP BY ALL HAVING bool_or(acted <= "timestamp")
"""
_VISITS_TWO = """
SELECT "timestamp", UserID, count(DISTINCT AdID) > 1 AS num_click FROM timestamps JOIN VisitStream
ON ViewDate > "timestamp" AND ViewDate <= "timestamp" + INTERVAL '{timedelta}' GROUP BY ALL
"""
_ATTENDED = """
SELECT "timestamp", CAST(user_id AS BIGINT) AS "user", count(*) FILTER (status IN ('yes', 'maybe')) AS target
FROM timestamps JOIN event_attendees
ON start_time > "timestamp" AND start_time <= "timestamp" + INTERVAL '{timedelta}'
WHERE user_id IS NOT NULL GROUP BY ALL
"""


def shop(folder: Path) -> Path:
    """As rel-hm: purchases by the day."""
    draw = np.random.default_rng(1)
    start, end = pd.Timestamp("2020-06-01"), TEST + pd.Timedelta(days=9)
    rows = _events(draw, start, end, rates=draw.gamma(0.6, 0.25, CUSTOMERS), hours=False)
    articles = pd.DataFrame({"article_id": range(20), "product_group_name": [f"group {i % 4}" for i in range(20)]})
    transactions = pd.DataFrame(
        {
            "customer_id": rows["entity"],
            "article_id": draw.integers(0, 20, len(rows)),
            "t_dat": rows["at"],
            "price": draw.gamma(2.0, 0.01, len(rows)).round(4),
        }
    )
    customers = pd.DataFrame(
        {
            "customer_id": range(CUSTOMERS),
            "age": np.where(draw.random(CUSTOMERS) < 0.1, np.nan, draw.integers(18, 70, CUSTOMERS)),
            "club_member_status": draw.choice(["ACTIVE", "PRE-CREATE"], CUSTOMERS),
            "fashion_news_frequency": None,
        }
    )
    tables = {
        "transactions": (transactions, TableSpec(None, "t_dat", {"customer_id": "customer", "article_id": "article"})),
        "article": (articles, TableSpec("article_id")),
        "customer": (customers, TableSpec("customer_id")),
    }
    task = _task("user-churn", "customer", "customer_id", "churn", "7 days")
    task.sql = _NO_ROW_AFTER.format(events="transactions", time="t_dat")
    return _written(folder, "rel-hm", VAL, TEST, tables, [task])


def reviews(folder: Path) -> Path:
    """As rel-amazon: reviews by the second, prices of the products, some products that are gone."""
    draw = np.random.default_rng(2)
    val, test = pd.Timestamp("2015-10-01"), pd.Timestamp("2016-01-01")
    rows = _events(draw, pd.Timestamp("2013-09-01"), test + pd.Timedelta(days=100), draw.gamma(0.6, 0.03, CUSTOMERS))
    review = pd.DataFrame(
        {
            "customer_id": rows["entity"],
            "product_id": pd.array(draw.integers(0, 30, len(rows)), dtype="float64"),
            "review_time": rows["at"],
            "rating": draw.integers(1, 6, len(rows)).astype("float32"),
        }
    )
    review.loc[draw.random(len(review)) < 0.05, "product_id"] = np.nan
    product = pd.DataFrame({"product_id": range(30), "price": draw.gamma(2.0, 8.0, 30).round(2)})
    customer = pd.DataFrame({"customer_id": range(CUSTOMERS), "customer_name": "somebody"})
    tables = {
        "review": (review, TableSpec(None, "review_time", {"customer_id": "customer", "product_id": "product"})),
        "product": (product, TableSpec("product_id")),
        "customer": (customer, TableSpec("customer_id")),
    }
    churn = _task("user-churn", "customer", "customer_id", "churn", "91 days")
    churn.sql = _NO_ROW_AFTER.format(events="review", time="review_time")
    ltv = _task("user-ltv", "customer", "customer_id", "ltv", "91 days", "regression")
    ltv.sql = _PRICES_AFTER
    return _written(folder, "rel-amazon", val, test, tables, [churn, ltv])


def forum(folder: Path) -> Path:
    """As rel-stack: posts, votes (most of nobody) and comments; users join over time."""
    draw = np.random.default_rng(3)
    start, end = pd.Timestamp("2018-09-01"), FORUM_TEST + pd.Timedelta(days=100)
    joined = pd.Series(start + pd.to_timedelta(np.sort(draw.integers(0, 700, CUSTOMERS)), unit="D"))
    users = pd.DataFrame({"Id": range(CUSTOMERS), "CreationDate": joined})
    tables = {"users": (users, TableSpec("Id", "CreationDate"))}
    for name, owner, time in (
        ("posts", "OwnerUserId", "CreationDate"),
        ("votes", "UserId", "CreationDate"),
        ("comments", "UserId", "CreationDate"),
        ("badges", "UserId", "Date"),
    ):
        rows = _events(draw, start, end, draw.gamma(0.4, 0.02, CUSTOMERS))
        rows = rows[rows["at"] >= joined.to_numpy()[rows["entity"]]].reset_index(drop=True)
        of = rows["entity"].astype(float)
        if name == "votes":
            of[draw.random(len(rows)) < 0.5] = np.nan
        frame = pd.DataFrame({"Id": range(len(rows)), owner: of, time: rows["at"]})
        tables[name] = (frame, TableSpec("Id", time, {owner: "users"}))
    task = _task("user-engagement", "users", "OwnerUserId", "contribution", "91 days")
    task.sql = _ANYTHING_AFTER
    return _written(folder, "rel-stack", FORUM_VAL, FORUM_TEST, tables, [task])


def advertisements(folder: Path) -> Path:
    """As rel-avito: asked about are those who come, and some of them never came before."""
    draw = np.random.default_rng(4)
    val, test = pd.Timestamp("2015-05-08"), pd.Timestamp("2015-05-14")
    start, end = pd.Timestamp("2015-04-25"), test + pd.Timedelta(days=5)
    owners = {"UserID": "UserInfo"}
    visits = _events(draw, start, end, draw.gamma(0.5, 0.6, CUSTOMERS))
    searches = _events(draw, start, end, draw.gamma(0.5, 0.6, CUSTOMERS))
    phones = _events(draw, start, end, np.full(CUSTOMERS, 0.02))
    stream = pd.DataFrame({"UserID": visits["entity"], "AdID": draw.integers(0, 40, len(visits))})
    stream = stream.assign(ViewDate=visits["at"])
    search = pd.DataFrame(
        {"SearchID": range(len(searches)), "UserID": searches["entity"], "SearchDate": searches["at"]}
    )
    shown = pd.DataFrame({"SearchID": search["SearchID"], "AdID": 1, "SearchDate": search["SearchDate"]})
    tables = {
        "VisitStream": (stream, TableSpec(None, "ViewDate", {**owners, "AdID": "AdsInfo"})),
        "AdsInfo": (pd.DataFrame({"AdID": range(40)}), TableSpec("AdID")),
        "SearchInfo": (search, TableSpec("SearchID", "SearchDate", owners)),
        "SearchStream": (
            shown.assign(IsClick=draw.integers(0, 2, len(shown)).astype(float)),
            TableSpec(None, "SearchDate", {"SearchID": "SearchInfo", "AdID": "AdsInfo"}),
        ),
        "PhoneRequestsStream": (
            pd.DataFrame({"UserID": phones["entity"], "PhoneRequestDate": phones["at"]}),
            TableSpec(None, "PhoneRequestDate", owners),
        ),
        "UserInfo": (pd.DataFrame({"UserID": range(CUSTOMERS)}), TableSpec("UserID")),
    }
    task = _task("user-visits", "UserInfo", "UserID", "num_click", "4 days")
    task.sql = _VISITS_TWO
    return _written(folder, "rel-avito", val, test, tables, [task])


def gatherings(folder: Path) -> Path:
    """As rel-event: invitations and answers at the time of the event, some of users that are gone."""
    draw = np.random.default_rng(5)
    val, test = pd.Timestamp("2012-11-21"), pd.Timestamp("2012-11-29")
    start, end = pd.Timestamp("2012-07-01"), test + pd.Timedelta(days=9)
    rows = _events(draw, start, end, draw.gamma(0.6, 0.3, GUESTS))
    interest = _events(draw, start, end, np.full(GUESTS, 0.02))
    attendees = pd.DataFrame({"event": 0, "status": draw.choice(["yes", "maybe", "invited", "no"], len(rows))})
    attendees["user_id"] = rows["entity"].astype(float).where(draw.random(len(rows)) < 0.95)
    users = pd.DataFrame({"user_id": range(GUESTS), "locale": "en_US", "gender": draw.choice(["f", "m"], GUESTS)})
    interested = pd.DataFrame({"user": interest["entity"], "event": 0, "timestamp": interest["at"], "interested": 1})
    tables = {
        "event_attendees": (
            attendees.assign(start_time=rows["at"]),
            TableSpec(None, "start_time", {"event": "events", "user_id": "users"}),
        ),
        "event_interest": (
            interested.assign(not_interested=0),
            TableSpec(None, "timestamp", {"event": "events", "user": "users"}),
        ),
        "users": (users.assign(joinedAt=start), TableSpec("user_id", "joinedAt")),
        "events": (pd.DataFrame({"event_id": [0], "start_time": start}), TableSpec("event_id", "start_time")),
    }
    task = _task("user-attendance", "users", "user", "target", "7 days", "regression")
    task.sql = _ATTENDED
    return _written(folder, "rel-event", val, test, tables, [task])


def _events(
    draw: np.random.Generator, start: pd.Timestamp, end: pd.Timestamp, rates: np.ndarray, hours: bool = True
) -> pd.DataFrame:
    """Who acts when: so many times a day; a third of the times fall on midnight, a few closely beside it."""
    days = (end - start).days
    entity = np.repeat(np.arange(len(rates)), draw.poisson(rates * days))
    at = start + pd.to_timedelta(draw.integers(0, days, len(entity)), unit="D").as_unit("ns")
    if hours:
        offsets = [0, 0, 1, -1, 1_000, -1_000, *draw.integers(1, 86_400, 4) * 1_000_000_000]  # nanoseconds
        at += pd.to_timedelta(draw.choice(offsets, len(entity)), unit="ns")
    rows = pd.DataFrame({"entity": entity, "at": at})
    return rows.sort_values(["at", "entity"], ignore_index=True)


def _task(name: str, table: str, entity: str, target: str, window: str, kind: str = "") -> TaskManifest:
    return TaskManifest(
        name=name,
        kind="forecast",
        task_type=kind or "binary_classification",
        entity_table=table,
        entity_col=entity,
        target_col=target,
        time_col="timestamp",
        timedelta=window,
    )


def _written(
    folder: Path,
    name: str,
    val: pd.Timestamp,
    test: pd.Timestamp,
    tables: Mapping[str, tuple[pd.DataFrame, TableSpec]],
    tasks: list[TaskManifest],
) -> Path:
    specs = {table: spec for table, (_, spec) in tables.items()}
    DatasetManifest(name, str(val), str(test), tables=specs).save(folder / "manifest.yaml")
    (folder / "db").mkdir()
    for table, (frame, _) in tables.items():
        frame.to_parquet(folder / "db" / f"{table}.parquet")
    for task in tasks:
        task.save(folder / "tasks" / task.name / "manifest.yaml")
    return folder
