"""Which model is used: the plainest within a standard error of the best."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.learning.model_choice import ModelsAtCutoff, choose_model
from holdfast.models.checks import InputError


def _tried(seed: int, customers: int = 4000) -> ModelsAtCutoff:
    """Outcomes drawn from known log-odds, and four ways to get them wrong."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 1.5, customers)
    outcome = (rng.random(customers) < 1 / (1 + np.exp(-truth))).astype(float)
    noise = rng.normal(size=customers)
    said = {
        "noisy": truth + 1.5 * noise,
        "twin": truth + 1.5 * rng.normal(size=customers),
        "true": truth,
        "shifted": 0.5 * truth - 2.0,
        "inverted": -truth,
    }
    return ModelsAtCutoff(np.arange(customers), outcome, said)


def test_the_better_model_is_chosen_and_said_why() -> None:
    """It is shipped, so a user must be able to read what speaks for it."""
    found = choose_model(["noisy", "true"], [_tried(1), _tried(2)])
    assert found.name == "true"
    assert found.log_loss["true"] < found.log_loss["noisy"] - 0.03
    assert found.why == f"true has the least log loss, {found.log_loss['true']:.4f}"


def test_a_difference_by_chance_chooses_nothing() -> None:
    """The plainer of two equals stays: it is easier to explain and harder to break."""
    tried = [_tried(1), _tried(2)]
    for order in (["twin", "noisy"], ["noisy", "twin"]):
        assert choose_model(order, tried).name == order[0]
    best = min(("twin", "noisy"), key=choose_model(["twin", "noisy"], tried).log_loss.__getitem__)
    other = "twin" if best == "noisy" else "noisy"
    assert choose_model([other, best], tried).why.startswith(f"{other} is plainer than {best} and loses 0.0")


def test_level_and_spread_of_one_season_do_not_choose() -> None:
    """A later season has others; what stays is who is likelier than whom."""
    found = choose_model(["shifted", "true"], [_tried(1)])
    assert found.name == "shifted"
    assert found.log_loss["shifted"] == pytest.approx(found.log_loss["true"], abs=1e-9)


def test_a_ranking_upside_down_is_worth_nothing() -> None:
    """A negative slope would turn a model that is always wrong into the best."""
    tried = _tried(1)
    share = tried.outcome.mean()
    found = choose_model(["inverted", "noisy"], [tried])
    assert found.name == "noisy"
    nothing = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    assert found.log_loss["inverted"] == pytest.approx(nothing, abs=1e-9)


def test_one_customer_at_many_cutoffs_is_one_draw() -> None:
    """The same rows given nine times are no more evidence than once."""
    rng = np.random.default_rng(4)
    once = _tried(3, customers=300)
    slight = ModelsAtCutoff(
        once.customers,
        once.outcome,
        {"a": once.log_odds["true"] + 0.8 * rng.normal(size=300), "b": once.log_odds["true"]},
    )
    assert choose_model(["a", "b"], [slight]).name == choose_model(["a", "b"], [slight] * 9).name
    apart = [ModelsAtCutoff(one.customers + 300 * i, one.outcome, one.log_odds) for i, one in enumerate([slight] * 9)]
    assert choose_model(["a", "b"], apart).name == "b"


def test_a_model_that_was_not_tried_is_named() -> None:
    """A typing error, or a fold in which a model could not be fitted."""
    with pytest.raises(InputError, match="Wanted the models true, other tried at a cutoff at least; found otherwise"):
        choose_model(["true", "other"], [_tried(1)])
    with pytest.raises(InputError, match="Wanted the models"):
        choose_model(["true"], [])
