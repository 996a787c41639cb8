"""When in the year the cutoff lies; the same for every customer of a cutoff."""

from holdfast.features.feature import Feature
from holdfast.history.aggregates import YearPart

FEATURES = (
    Feature(
        "season_sin",
        None,
        YearPart("sin"),
        "ratio",
        "stands at the time of the year (spring to autumn: {value})",
        "season",
        role="season_sine",
    ),
    Feature(
        "season_cos",
        None,
        YearPart("cos"),
        "ratio",
        "stands at the time of the year (winter to summer: {value})",
        "season",
        role="season_cosine",
    ),
)
