"""The bundle on disk: whole, checked, and harmless to open."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from holdfast.errors import BundleError, StorageError
from holdfast.models import Bundle
from holdfast.models.bundle import _sha256
from holdfast.models.checks import InputError

SCORES = [
    "p_churn",
    "value",
    "value_low",
    "value_high",
    "expected_loss",
    "p_gone",
    "p_leaving",
    "p_staying",
    "value_if_kept",
    "value_if_kept_low",
    "value_if_kept_high",
    "value_if_lost",
]


@pytest.fixture
def folder(bundle: Bundle, tmp_path: Path) -> Path:
    """The bundle, saved."""
    return bundle.save(tmp_path / "bundle")


def test_a_saved_bundle_scores_to_the_bit(bundle: Bundle, folder: Path, table: pd.DataFrame) -> None:
    """What is published must be what was tested."""
    again = Bundle.load(folder)
    pd.testing.assert_frame_equal(again.predict(table), bundle.predict(table), check_exact=True)
    pd.testing.assert_frame_equal(again.contributions(table), bundle.contributions(table), check_exact=True)
    assert again.features == bundle.features
    assert again.card == bundle.card


def test_scores_are_what_their_names_say(bundle: Bundle, table: pd.DataFrame) -> None:
    """Expected loss is what leaves with those who leave, the interval holds most means, the index is the caller's."""
    part = table.tail(50)
    scores = bundle.predict(part)
    assert scores.columns.tolist() == SCORES
    assert (scores.dtypes == np.float64).all()
    assert scores.index.equals(part.index)
    assert scores["p_churn"].between(0, 1).all()
    at_stake = scores["value_if_kept"] - scores["value_if_lost"]
    assert (scores["expected_loss"] == scores["p_leaving"] * at_stake).all()
    assert scores[["p_gone", "p_leaving", "p_staying"]].sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-15)
    assert (scores["value_if_kept_low"] <= scores["value_if_kept_high"]).all()
    assert (scores["value_low"] <= scores["value_high"]).all()
    assert ((scores["value_low"] <= scores["value"]) & (scores["value"] <= scores["value_high"])).mean() > 0.8
    assert (bundle.scores(part).probability_value_above(0.0) <= 1).all()


def test_contributions_sum_to_the_log_odds(bundle: Bundle, table: pd.DataFrame) -> None:
    """Every reason on a list adds up."""
    parts = bundle.contributions(table)
    assert parts.columns.tolist() == [*bundle.feature_names, "base"]
    log_odds = bundle.scores(table).log_odds
    assert np.abs(parts.sum(axis=1) - log_odds).max() < 1e-9
    assert bundle.predict(table)["p_churn"].to_numpy() == pytest.approx(1 / (1 + np.exp(-log_odds)), abs=1e-15)


def test_the_same_bundle_is_the_same_bytes(bundle: Bundle, folder: Path, tmp_path: Path) -> None:
    """Fingerprints of models are compared."""
    other = bundle.save(tmp_path / "other")
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == {p.name: p.read_bytes() for p in other.iterdir()}


def test_nothing_in_a_bundle_can_run(folder: Path) -> None:
    """Registry files are not trusted: text and JSON only, no pickle."""
    assert {path.suffix for path in folder.iterdir()} == {".txt", ".json", ".sha256"}
    for path in folder.iterdir():
        path.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["bundle.json", "risk_trees.txt", "value_amount_trees.txt"])
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone"])
def test_a_damaged_file_is_refused_by_name(folder: Path, name: str, damage: str) -> None:
    """A model with one changed digit would score everybody wrongly and look well."""
    file = folder / name
    content = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(content[:-9] if damage == "cut" else content.replace(b"1", b"2", 1))
    with pytest.raises(BundleError, match=name):
        Bundle.load(folder)


def reseal(folder: Path, **changes: object) -> None:
    """Change the index and make its hash fit, as somebody with bad intent would."""
    index = json.loads((folder / "bundle.json").read_text()) | changes
    (folder / "bundle.json").write_text(json.dumps(index))
    (folder / "bundle.sha256").write_text(_sha256((folder / "bundle.json").read_bytes()))


def test_another_format_is_refused(folder: Path) -> None:
    """A bundle of a later version may mean other things by the same names."""
    reseal(folder, format="holdfast-bundle/99")
    with pytest.raises(BundleError, match=r"format 'holdfast-bundle/99'; this version of holdfast reads"):
        Bundle.load(folder)


def test_a_bundle_cannot_name_files_outside_its_folder(folder: Path) -> None:
    """A path in an untrusted file must not lead anywhere."""
    reseal(folder, files={"../secret.txt": "0" * 64})
    with pytest.raises(BundleError, match="outside its folder"):
        Bundle.load(folder)


def test_a_folder_without_a_bundle_is_named(tmp_path: Path) -> None:
    """The usual mistake is a wrong path."""
    with pytest.raises(BundleError, match=r"bundle\.json; the system answered: No such file"):
        Bundle.load(tmp_path)


def test_saving_again_replaces_the_whole_folder(bundle: Bundle, folder: Path) -> None:
    """No file of the older bundle may stay behind; no staging folder either."""
    (folder / "left_over.txt").write_text("older")
    bundle.save(folder)
    assert not (folder / "left_over.txt").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["bundle"]


def test_a_disk_that_refuses_leaves_what_was_there(bundle: Bundle, folder: Path, tmp_path: Path) -> None:
    """Here a file stands where a folder is wanted; a full disk answers the same way."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="unchanged"):
        bundle.save(tmp_path / "file" / "bundle")
    Bundle.load(folder)


def test_missing_columns_are_all_named(bundle: Bundle, table: pd.DataFrame) -> None:
    """One error per run would take as many runs as there are columns."""
    with pytest.raises(BundleError, match="lacks 2 of them: days_since_order, channel"):
        bundle.predict(table.drop(columns=["days_since_order", "channel"]))


def test_whole_numbers_flags_and_missing_values_are_cast(bundle: Bundle, table: pd.DataFrame) -> None:
    """A notebook user's columns are seldom float64."""
    part = table.head(20).assign(orders_365d=np.arange(20))
    spend = part["spend_365d"].astype(object)
    as_objects = part.assign(orders_365d=part["orders_365d"].astype("Int64"), spend_365d=spend)
    pd.testing.assert_frame_equal(bundle.predict(part), bundle.predict(as_objects))
    assert np.isfinite(bundle.predict(part.assign(orders_365d=True, satisfaction_last=None))).all().all()


def test_an_unknown_category_counts_as_missing(bundle: Bundle, table: pd.DataFrame) -> None:
    """A new sales channel appears a year after training."""
    part = table.head(20)
    pd.testing.assert_frame_equal(
        bundle.predict(part.assign(channel="metaverse")), bundle.predict(part.assign(channel=None))
    )


@pytest.mark.parametrize(
    ("column", "message"),
    [([np.inf] * 3, "infinity in spend_365d"), (["much"] * 3, "spend_365d \\(wanted a number, found str\\)")],
)
def test_what_is_no_number_is_refused(bundle: Bundle, table: pd.DataFrame, column: list[object], message: str) -> None:
    """The error names the feature, never the customer's value."""
    with pytest.raises(InputError, match=message):
        bundle.predict(table.head(3).assign(spend_365d=column))


def test_models_of_another_catalogue_do_not_make_a_bundle(bundle: Bundle) -> None:
    """Four features cannot describe a model of five columns."""
    with pytest.raises(BundleError, match=r"found 4 features, a risk model of 5 and a value model of 5 columns"):
        Bundle(bundle.risk, bundle.value, bundle.features[:4], bundle.card)


def test_a_card_that_is_not_json_is_refused(bundle: Bundle, tmp_path: Path) -> None:
    """Found when saving, not when somebody reads the bundle a year later."""
    with pytest.raises(TypeError, match="card holds a"):
        replace(bundle, card=replace(bundle.card, own_features={"home": tmp_path})).save(tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []
