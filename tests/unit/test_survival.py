"""Time to churn for the customers of a project."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from holdfast import Project
from holdfast.labels import EVENT
from holdfast.learning.training import fit, known_by
from holdfast.models import Bundle
from holdfast.models.checks import InputError
from holdfast.survival import columns, outlook_labels
from holdfast.timeline import Days, instant
from tests.end_to_end.shop import in_memory, orders

AS_OF = "2024-03-05"
HORIZONS = (30, 90)


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    """Orders of 18 months."""
    return orders(customers=350)


@pytest.fixture(scope="module")
def project(raw: pd.DataFrame) -> Iterator[Project]:
    """On all of them."""
    with in_memory(raw) as found:
        yield found


@pytest.fixture(scope="module")
def bundle(project: Project) -> Bundle:
    """The model in charge, as it could have been trained at the instant."""
    complete = project.configuration.labels.complete_after
    return fit(known_by(project.snapshots(), instant(AS_OF), complete), project.evaluation.spec())


@pytest.fixture(scope="module")
def found(project: Project, bundle: Bundle) -> pd.DataFrame:
    """What the project says."""
    return project.survival(AS_OF, horizons=HORIZONS, bundle=bundle)


def test_horizons_that_differ_have_names_that_differ() -> None:
    """Also beyond six digits."""
    assert list(columns((100_000.5, 100_000.75), returns=False))[2:] == ["p_churn_100000.5d", "p_churn_100000.75d"]


def test_every_customer_has_a_probability_for_each_horizon(found: pd.DataFrame, project: Project) -> None:
    """The same customers as any score of that instant, in a stated order of columns."""
    assert {name: str(kind) for name, kind in found.dtypes.items()} == columns(HORIZONS, returns=True)
    assert found["customer_id"].tolist() == project.snapshots(AS_OF)["customer_id"].tolist()
    assert set(found["cutoff"]) == {instant(AS_OF)}


def test_a_missing_order_gets_rarer_and_a_return_likelier(found: pd.DataFrame) -> None:
    """Where churn is the absence of an order, "never decreasing" belongs to coming back."""
    assert (found["p_churn_90d"] <= found["p_churn_30d"]).all()
    assert (found["p_return_90d"] >= found["p_return_30d"]).all()
    assert (found["p_churn_30d"] - found["p_churn_90d"]).mean() > 0.05
    np.testing.assert_allclose(found["p_return_30d"], 1 - found["p_churn_30d"], rtol=0, atol=1e-15)


def test_the_configured_horizon_says_what_the_champion_says(project: Project, bundle: Bundle) -> None:
    """To the bit: the list and the table of horizons speak of the same risk."""
    both = project.survival(AS_OF, horizons=(30, 60), bundle=bundle)
    champion = project.scored(AS_OF, bundle=bundle).set_index("customer_id")["p_churn"]
    assert (both.set_index("customer_id")["p_churn_60d"] == champion[both["customer_id"]]).all()


def test_what_comes_after_the_instant_changes_nothing(raw: pd.DataFrame, bundle: Bundle, found: pd.DataFrame) -> None:
    """The same bytes from the data as it was exported at the instant, and from all that came since."""
    with in_memory(raw[raw["at"] < pd.Timestamp(AS_OF, tz="UTC")]) as then:
        pd.testing.assert_frame_equal(then.survival(AS_OF, horizons=HORIZONS, bundle=bundle), found, check_exact=True)


def test_horizons_are_labelled_in_one_pass(project: Project) -> None:
    """The days to the event agree with the label of the horizon that the configuration names."""
    labels = outlook_labels(project.configuration.labels, (30, 60, 90))
    assert labels.complete_after == Days(30)
    cutoffs = [instant("2023-10-01"), instant("2024-01-01")]
    wide, plain = (project.dataset.built((), cutoffs, each) for each in (labels, project.configuration.labels))
    assert ((wide[EVENT] >= 60) == (plain["churned"] == 1)).all()
    assert ((wide[EVENT] >= 30) == (wide["churned"] == 1)).all()
    assert wide[EVENT].max() == 90


def test_a_horizon_longer_than_the_history_is_refused(project: Project, bundle: Bundle) -> None:
    """With the longest that is known, so that one can choose again."""
    with pytest.raises(InputError, match=r"known for 365 days; the longest known is 2.* Shorten it"):
        project.survival(AS_OF, horizons=(30, 365), bundle=bundle)
    with pytest.raises(InputError, match=r"each longer than the one before.*found 90, 30"):
        project.survival(AS_OF, horizons=(90, 30), bundle=bundle)
