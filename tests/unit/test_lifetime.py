"""Lifetime value for the customers of a project."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from holdfast import Project
from holdfast.errors import BundleError
from holdfast.learning.training import fit, known_by
from holdfast.lifetime import Prospect, columns
from holdfast.models import Bundle
from holdfast.models.checks import InputError
from holdfast.models.model_card import ValueDefinition
from holdfast.timeline import instant
from tests.end_to_end.shop import in_memory, orders

AS_OF = "2024-03-05"
HORIZONS = (30, 60, 365, 1095)


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
    return project.lifetime_value(AS_OF, horizons=HORIZONS, yearly_discount=0.1, bundle=bundle)


def test_every_customer_has_a_value_for_each_horizon(found: pd.DataFrame, project: Project) -> None:
    """The same customers as any score of that instant, in a stated order of columns, more for a longer horizon."""
    assert {name: str(kind) for name, kind in found.dtypes.items()} == columns(HORIZONS)
    assert found["customer_id"].tolist() == project.snapshots(AS_OF)["customer_id"].tolist()
    assert set(found["cutoff"]) == {instant(AS_OF)}
    said = found[[f"value_{h}d" for h in HORIZONS]].to_numpy()
    assert np.isfinite(said).all()
    assert (np.diff(said, axis=1) > 0).all()


def test_the_configured_horizon_says_what_the_champion_says(
    project: Project, bundle: Bundle, found: pd.DataFrame
) -> None:
    """To the bit without a discount, and below it with one."""
    plain = project.lifetime_value(AS_OF, horizons=HORIZONS, bundle=bundle)
    champion = project.scored(AS_OF, bundle=bundle).set_index("customer_id")["value"]
    assert (plain["value_60d"].to_numpy() == champion[plain["customer_id"]].to_numpy()).all()
    assert (found["value_60d"] < plain["value_60d"]).all()


def test_what_comes_after_the_instant_changes_nothing(raw: pd.DataFrame, bundle: Bundle, found: pd.DataFrame) -> None:
    """The same bytes from the data as it was exported at the instant, and from all that came since."""
    with in_memory(raw[raw["at"] < pd.Timestamp(AS_OF, tz="UTC")]) as then:
        again = then.lifetime_value(AS_OF, horizons=HORIZONS, yearly_discount=0.1, bundle=bundle)
    pd.testing.assert_frame_equal(again, found, check_exact=True)


def test_what_answers_can_be_sent_to_a_worker(project: Project, bundle: Bundle, found: pd.DataFrame) -> None:
    """An engine that works elsewhere gets it pickled."""
    sent = pickle.loads(pickle.dumps(Prospect(bundle, HORIZONS, 0.1)))
    answer = sent(project.snapshots(AS_OF))
    pd.testing.assert_frame_equal(answer.reset_index(drop=True), found, check_exact=True)


def test_what_cannot_be_told_is_refused_before_anything_is_read(bundle: Bundle) -> None:
    """A wrong argument should not cost the reading of a year's orders; here there are none to read."""
    with in_memory(orders(customers=1).head(0)) as empty:
        with pytest.raises(InputError, match=r"three years; found 1100\. .* Shorten it"):
            empty.lifetime_value(AS_OF, horizons=(90, 1100), bundle=bundle)
        with pytest.raises(InputError, match="0 or more, such as 0\\.1; found -1"):
            empty.lifetime_value(AS_OF, yearly_discount=-1, bundle=bundle)
        mrr = replace(bundle, card=replace(bundle.card, value=ValueDefinition("mrr", 60)))
        with pytest.raises(BundleError, match=r"wants a model of the customer base.*its own horizon, 60 days"):
            empty.lifetime_value(AS_OF, bundle=mrr)
