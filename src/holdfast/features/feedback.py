"""What customers said when they were asked."""

from holdfast.features.feature import Feature
from holdfast.history.aggregates import Change, Count, DaysSinceLast, Last, Mean
from holdfast.history.conditions import Where
from holdfast.timeline import Days

FEATURES = (
    Feature(
        "survey_score_last",
        "surveys",
        Last("score"),
        "score",
        "gave a score of {value} in the last survey",
        "feedback",
        actionable=True,
        when_missing="has answered no survey yet",
    ),
    Feature(
        "survey_score_change",
        "surveys",
        Change("score"),
        "score",
        "changed the survey score by {value}",
        "feedback",
        actionable=True,
        when_missing="has answered fewer than two surveys",
    ),
    Feature(
        "survey_score_mean_365d",
        "surveys",
        Mean("score"),
        "score",
        "gave a score of {value} on average in 365 days",
        "feedback",
        Days(365),
        actionable=True,
        when_missing="has answered no survey in the last 365 days",
    ),
    Feature(
        "detractor_365d",
        "surveys",
        Count(Where("score", "<=", 6.0)),
        "count",
        "answered {value} times as a detractor in the last 365 days",
        "feedback",
        Days(365),
        actionable=True,
    ),
    Feature(
        "promoter_365d",
        "surveys",
        Count(Where("score", ">=", 9.0)),
        "count",
        "answered {value} times as a promoter in the last 365 days",
        "feedback",
        Days(365),
    ),
    Feature(
        "surveys_365d",
        "surveys",
        Count(),
        "count",
        "answered {value} surveys in the last 365 days",
        "feedback",
        Days(365),
        when_missing="has answered no survey in the last 365 days",
    ),
    Feature(
        "days_since_survey",
        "surveys",
        DaysSinceLast(),
        "days",
        "last answered a survey {value} ago",
        "feedback",
        when_missing="no survey yet",
    ),
)
