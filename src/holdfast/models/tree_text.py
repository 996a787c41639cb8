"""Boosted trees in LightGBM's text form, read with suspicion: its own reader trusts a text and may end the process."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from holdfast.errors import BundleError
from holdfast.models.checks import Vector

_BEGIN, _END = "Tree=0\n", "end of trees"
_OF_SPLITS = (
    "split_feature",
    "threshold",
    "decision_type",
    "left_child",
    "right_child",
    "split_gain",
    "internal_value",
    "internal_weight",
    "internal_count",
)
_OF_LEAVES = ("leaf_value", "leaf_count", "leaf_weight")
_FRACTIONS = ("threshold", "split_gain", "internal_value", "internal_weight", "leaf_value", "leaf_weight", "shrinkage")
_CATEGORY = 1  # bit of a decision that asks for a category; its threshold is a place among the sets of categories
_MOST_LEAVES = 1_000_000


def require_sound_trees(text: str, n_features: int) -> None:
    """Refuse a text that LightGBM could not have written for so many features.

    Looked at is what LightGBM reads without looking: where each tree begins, how long its lists are, that children
    form one tree, and that features, categories and values exist.

    Raises
    ------
    BundleError
        Says which tree.
    """
    head, begin, rest = text.partition(_BEGIN)
    fields = _fields(head)
    sizes = _numbers(fields, "tree_sizes", None, "the header")
    _require(
        fields.get("version") == "v4"
        and fields.get("num_class") == fields.get("num_tree_per_iteration") == "1"
        and fields.get("max_feature_idx") == str(n_features - 1)
        and all(len(fields.get(name, "").split()) == n_features for name in ("feature_names", "feature_infos"))
        and bool(begin)
        and len(sizes) > 0,
        "the header",
    )
    blocks, at = begin + rest, 0
    for number, size in enumerate(sizes.astype(np.int64).tolist()):
        where = f"tree {number}"
        block = blocks[at : at + size]
        _require(size > 0 and len(block) == size and block.startswith(f"Tree={number}\n"), where)
        _require_tree(_fields(block), n_features, where)
        at += size
    _require(blocks[at:].lstrip("\n").startswith(_END), "the end of the trees")


def _require_tree(fields: Mapping[str, str], n_features: int, where: str) -> None:
    leaves, sets = (int(_numbers(fields, name, 1, where)[0]) for name in ("num_leaves", "num_cat"))
    _require(1 <= leaves <= _MOST_LEAVES and sets >= 0 and fields.get("is_linear", "0") == "0", where)
    split = {name: _numbers(fields, name, leaves - 1, where) for name in _OF_SPLITS}
    values = {name: _numbers(fields, name, leaves, where) for name in _OF_LEAVES if leaves > 1 or name != "leaf_weight"}
    _numbers(fields, "shrinkage", 1, where)
    _require(((split["split_feature"] >= 0) & (split["split_feature"] < n_features)).all(), where)
    _require(all((counts >= 0).all() for counts in (split["internal_count"], values["leaf_count"])), where)
    parents = np.arange(leaves - 1)
    children = np.concatenate([split["left_child"], split["right_child"]])
    everyone = np.concatenate([np.arange(-leaves, 0), np.arange(1, leaves - 1)]) if leaves > 1 else np.empty(0)
    _require(np.array_equal(np.sort(children), everyone), where)
    _require(((children < 0) | (children > np.tile(parents, 2))).all(), where)
    of_sets = split["threshold"][split["decision_type"].astype(np.int64) & _CATEGORY == 1]
    _require(((of_sets >= 0) & (of_sets < sets)).all(), where)
    if sets:
        bounds = _numbers(fields, "cat_boundaries", sets + 1, where)
        _require(bounds[0] == 0 and (np.diff(bounds) >= 1).all(), where)
        words = _numbers(fields, "cat_threshold", int(bounds[-1]), where)
        _require(((words >= 0) & (words < 2**32)).all(), where)


def _fields(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines() if "=" in line)


def _numbers(fields: Mapping[str, str], name: str, count: int | None, where: str) -> Vector:
    """So many finite numbers, whole where LightGBM writes them so; a threshold of inf parts known from missing."""
    try:
        found = np.array(fields.get(name, "").split(), dtype=np.float64)
    except ValueError:
        found = np.array([np.nan])
    whole = name in _FRACTIONS or bool((found == np.floor(found)).all())
    sound = ~np.isnan(found) if name == "threshold" else np.isfinite(found)
    _require((count is None or len(found) == count) and bool(sound.all()) and whole, where)
    return found


def _require(sound: bool | np.bool_, where: str) -> None:
    if not sound:
        raise BundleError(
            f"Wanted boosted trees as LightGBM writes them, found something else in {where}. "
            "The bundle was changed by hand; copy it again, or train again."
        )
