"""A list does not depend on how its customers were divided."""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from holdfast.errors import DataError
from holdfast.outreach import PLANNED, not_applied, select, select_planned
from holdfast.outreach.plan import plan
from holdfast.partitioned import LocalParts
from tests.property.test_outreach_groups import scored, settings
from tests.unit.outreach.scored import AS_OF, outreach_settings


@settings_of_hypothesis(max_examples=30)
@given(scored(), settings(), st.lists(st.integers(0, 25), max_size=6), st.booleans())
def test_any_division_into_parts_gives_the_same_list(
    customers: pd.DataFrame, raw: dict[str, Any], edges: list[int], equal: bool
) -> None:
    """Planned part by part and cut by counting, or planned and sorted at once: the same id, tables and counts.

    Parts may be without rows, and everybody may lose the same.
    """
    chosen = outreach_settings(**raw)
    if equal:
        customers = customers.assign(value=7.0, value_low=7.0, value_high=7.0, expected_loss=7.0)
    customers = customers.sort_values("customer_id", ignore_index=True)
    bounds = [0, *sorted(min(edge, len(customers)) for edge in edges), len(customers)]
    pieces = [customers.iloc[first:stop] for first, stop in pairwise(bounds)]
    parts = LocalParts(lambda _: pieces).map(partial(plan, settings=chosen), PLANNED).keep()
    skipped = not_applied(customers.columns)

    def in_parts() -> Any:
        return select_planned(parts, chosen, AS_OF, model_version="1", rules_not_applied=skipped)

    try:
        whole = select(customers, chosen, AS_OF, model_version="1")
    except DataError as error:
        with pytest.raises(DataError) as caught:
            in_parts()
        assert str(caught.value) == str(error)  # noqa: PT017 - one of two right outcomes
        return
    found = in_parts()
    assert found.list_id == whole.list_id
    assert (found.counts, found.excluded_by_rule) == (whole.counts, whole.excluded_by_rule)
    assert found.rules_not_applied == whole.rules_not_applied
    assert found.customers.sha256 == whole.customers.sha256
    assert found.excluded.sha256 == whole.excluded.sha256
    pd.testing.assert_frame_equal(found.at_risk, whole.at_risk, check_exact=True)
    told = found.customers.frame()
    ranked = told[told["group"] != "excluded"].sort_values(["expected_loss", "customer_id"], ascending=[False, True])
    singled_out = ranked["group"].isin(["contact", "control"]).tolist()
    places = chosen.budget.places(len(customers))
    assert singled_out == [rank < places for rank in range(len(ranked))]
