"""The models of purchases by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from holdfast.models.btyd.bg_nbd import BetaGeometric
from holdfast.models.btyd.mbg_nbd import ModifiedBetaGeometric
from holdfast.models.btyd.pareto_nbd import ParetoNBD
from holdfast.models.btyd.purchases import PurchaseModel
from holdfast.models.checks import InputError

KINDS: Mapping[str, type[PurchaseModel]] = {
    model.kind: model for model in (BetaGeometric, ModifiedBetaGeometric, ParetoNBD)
}


def model_of(kind: str) -> type[PurchaseModel]:
    """The class of a name; raises InputError for a name that is none."""
    if kind not in KINDS:
        raise InputError(f"Wanted a kind of model among {', '.join(KINDS)}; found {kind!r}.")
    return KINDS[kind]


def from_json(stored: Mapping[str, Any]) -> PurchaseModel:
    """Rebuild a model of any kind from its ``to_json``."""
    return model_of(stored["kind"]).from_json(stored)
