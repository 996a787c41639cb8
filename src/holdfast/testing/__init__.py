"""Tests for features and aggregates of your own: the battery that those of the package pass.

::

    from holdfast.testing import check_feature, within

    def test_my_feature():
        check_feature(my_feature, by_hand=lambda events, cutoff: float(len(within(events, cutoff, 90))))

It needs Hypothesis (``pip install 'holdfast[testing]'``) when a check runs, and no test framework in particular.
"""

from holdfast.testing.battery import check_aggregate, check_feature, check_features
from holdfast.testing.events import within

__all__ = ["check_aggregate", "check_feature", "check_features", "within"]
