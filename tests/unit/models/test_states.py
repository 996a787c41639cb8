"""Who has gone, who leaves and who stays, and what hangs on it: the identities that the columns keep."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from holdfast.errors import BundleError
from holdfast.models import Bundle, to_matrix
from holdfast.models.calibration import Affine
from holdfast.models.scores import PREDICTIONS
from holdfast.models.states import StateModel, ValueShares
from tests.unit.models.test_edited_bundle import sealed

SHARES = ValueShares(leaving=0.4, gone=0.1, kept=0.9, lost=0.05)


@pytest.fixture(scope="module")
def shop(bundle: Bundle) -> Bundle:
    """Without contracts: of those at risk some have gone, more of the others leave."""
    gone = replace(bundle.risk, calibration=Affine(0.8, -1.5))
    leaving = replace(bundle.risk, calibration=Affine(0.5, -1.0))
    return replace(bundle, states=StateModel(gone, leaving, shares=SHARES))


@pytest.fixture(scope="module")
def service(bundle: Bundle) -> Bundle:
    """With contracts: whoever leaves brings a part until then."""
    brings = replace(bundle.risk, calibration=Affine(0.3, -0.5))
    return replace(bundle, states=StateModel(brings=brings, shares=ValueShares(kept=1.1)))


@pytest.fixture(params=["shop", "service", "bundle"])
def each(request: pytest.FixtureRequest) -> Bundle:
    """Every kind of business; the last tells no states."""
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Bundle)
    return found


def test_the_three_states_are_all_there_are(each: Bundle, table: pd.DataFrame) -> None:
    """Probabilities, and they sum to one."""
    told = each.predict(table)
    states = told[["p_gone", "p_leaving", "p_staying"]]
    assert ((states >= 0) & (states <= 1)).all(axis=None)
    assert states.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-15)
    assert list(told) == list(PREDICTIONS)


def test_expected_loss_is_what_leaves_with_those_who_leave(each: Bundle, table: pd.DataFrame) -> None:
    """To the bit: whoever multiplies the columns of the table finds the rank of the list."""
    told = each.predict(table)
    assert (told["expected_loss"] == told["p_leaving"] * (told["value_if_kept"] - told["value_if_lost"])).all()
    assert (told["expected_loss"] >= 0).all()


def test_the_value_is_what_the_three_states_bring_together(shop: Bundle, table: pd.DataFrame) -> None:
    """One number cannot say two things: the value and the value if kept must belong to one customer."""
    told = shop.predict(table)
    comes = told["p_staying"] + SHARES.leaving * told["p_leaving"] + SHARES.gone * told["p_gone"]
    np.testing.assert_allclose(comes * told["value_if_kept"] / SHARES.kept, told["value"], rtol=1e-10)
    np.testing.assert_allclose(told["value_if_lost"], SHARES.lost * told["value_if_kept"], rtol=1e-12)


def test_with_contracts_nobody_has_gone_and_who_leaves_churns(service: Bundle, table: pd.DataFrame) -> None:
    """Exactly, or a service would read two risks of one thing."""
    told = service.predict(table)
    assert (told["p_gone"] == 0).all()
    assert (told["p_leaving"] == told["p_churn"]).all()
    stays = told["value_if_kept"] / service.states.shares.kept
    together = (1 - told["p_churn"]) * stays + told["p_churn"] * told["value_if_lost"]
    np.testing.assert_allclose(together, told["value"], rtol=1e-10)


def test_the_value_if_kept_is_the_mean_of_its_distribution(each: Bundle, table: pd.DataFrame) -> None:
    """Mean, interval and chance come from one distribution: its quantiles average to its mean."""
    outlook = each.scores(table.head(40)).outlook
    at = (np.arange(4_000) + 0.5) / 4_000
    drawn = np.array([outlook.kept.quantile(np.full(40, q)) for q in at])
    np.testing.assert_allclose(drawn.mean(axis=0), outlook.value_if_kept, rtol=5e-3)


def test_what_is_at_stake_exceeds_its_lower_bound_as_often_as_the_interval_says(
    each: Bundle, table: pd.DataFrame
) -> None:
    """The nightly chance that a contact pays is read from the distribution that the table shows."""
    scores = each.scores(table)
    told = scores.predictions
    upper = scores.probability_at_stake_above(told["value_if_kept_high"] - told["value_if_lost"])
    assert (upper <= 0.1 + 1e-9).all()
    none = scores.probability_at_stake_above(-told["value_if_lost"] - 1e-9)
    assert none == pytest.approx(1, abs=1e-12)


def test_the_likelier_a_customer_has_gone_the_less_is_at_stake(shop: Bundle, table: pd.DataFrame) -> None:
    """Of one who is all but surely gone nothing can be kept, though their churn is all but sure."""
    losses = []
    for intercept in (-4.0, 0.0, 4.0, 12.0):
        gone = replace(shop.states, gone=replace(shop.risk, calibration=Affine(1e-9, intercept)))
        losses.append(replace(shop, states=gone).predict(table)["p_leaving"].to_numpy())
    assert (np.diff(losses, axis=0) <= 0).all()
    assert losses[-1].max() < 1e-5


def test_a_row_alone_is_told_as_among_many(shop: Bundle, table: pd.DataFrame) -> None:
    """A service asks for one customer, the night for all."""
    rows = table.iloc[[5, 700, 1500]]
    alone = pd.concat([shop.predict(rows.iloc[[i]]) for i in range(3)])
    pd.testing.assert_frame_equal(alone, shop.predict(table).loc[rows.index], rtol=1e-12)


def test_states_come_back_from_their_parts(each: Bundle, table: pd.DataFrame, tmp_path: Path) -> None:
    """Description and trees, in memory and on disk, to the bit."""
    again = StateModel.from_parts(*each.states.to_parts())
    X, p, value = (
        to_matrix(table, each.features),
        *(getattr(each.scores(table), name) for name in ("log_odds", "value")),
    )
    first, second = (states.outlook(X, 1 / (1 + np.exp(-p)), value) for states in (each.states, again))
    for name in ("gone", "leaving", "lost", "expected_loss"):
        assert (getattr(first, name) == getattr(second, name)).all()
    loaded = Bundle.load(each.save(tmp_path / "bundle"))
    pd.testing.assert_frame_equal(loaded.predict(table), each.predict(table), check_exact=True)


@pytest.mark.parametrize(
    ("name", "share"), [("leaving", 1.5), ("gone", -0.1), ("lost", 2.0), ("kept", 0.0), ("kept", -1.0), ("kept", "x")]
)
def test_shares_that_are_none_are_refused(shop: Bundle, tmp_path: Path, name: str, share: Any) -> None:
    """A bundle that somebody edited would else promise more than everything."""

    def edit(index: Any) -> None:
        index["states"]["shares"][name] = share

    refused(shop, tmp_path, edit)


def test_a_state_without_its_trees_or_of_another_width_is_refused(shop: Bundle, tmp_path: Path) -> None:
    """What is left out does not become "nobody has gone"."""
    refused(shop, tmp_path / "absent", lambda index: index["states"].pop("gone"))
    refused(shop, tmp_path / "none", lambda index: index.pop("states"))
    wide = replace(shop.risk, score=replace(shop.risk.score, n_features=7, trees=None))
    with pytest.raises(BundleError, match="models of states of 7"):
        replace(shop, states=StateModel(wide, wide))


def refused(bundle: Bundle, folder: Path, edit: Callable[[Any], Any]) -> None:
    """Save, edit, seal again, load."""
    index = json.loads((bundle.save(folder) / "bundle.json").read_text())
    edit(index)
    sealed(folder, index)
    with pytest.raises(BundleError):
        Bundle.load(folder)
