"""Attributes of the customer that are static or carry the time at which they were known."""

from holdfast.features.feature import Feature, spoken
from holdfast.history.aggregates import Last


def per_attribute(attribute: str) -> Feature:
    """The last known value of one attribute."""
    meaning = f"has the {spoken(attribute)} {{value}}"
    return Feature(attribute, "customers", Last(attribute), "category", meaning, "attribute")
