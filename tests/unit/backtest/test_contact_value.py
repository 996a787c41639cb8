"""What lists would have brought, worked out by hand, and as people read it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from holdfast.backtest import ContactTerms, ContactValue, backtest
from holdfast.backtest.contact_value import contact_value
from tests.unit.backtest.business import HOW, SPEC, TESTS, snapshots

TERMS = ContactTerms({"letter": (1.0, 0.1), "call": (6.0, 0.2)}, places=2, share=1.0, control_share=0.0, currency="EUR")
ROWS = pd.DataFrame(
    {
        "customer_id": ["a", "b", "c", "d"],
        "cutoff": TESTS[0],
        "churned": [1, 0, 1, 0],
        "model_p_churn": [0.5, 0.2, 0.9, 0.1],
        "model_value": [200.0, 300.0, 10.0, 20.0],
        "model_expected_loss": [100.0, 60.0, 9.0, 2.0],
        "recency_p_churn": [0.1, 0.2, 0.9, 0.8],
    }
)
# expected losses 100, 60, 9, 2. A letter brings .1 of them less 1, a call .2 less 6: call a (14), and b (6 against 5);
# c and d get letters that do not pay (-0.1 and -0.8). What came: a 0.2 * 200 - 6 = 34, b -6, c 0.1 * 10 - 1 = 0, d -1.


def found(terms: ContactTerms = TERMS, rows: pd.DataFrame = ROWS, draws: int = 0) -> ContactValue:
    """What lists of two customers bring."""
    return contact_value(rows, terms, draws=draws, seed=0)


def test_the_lists_by_hand() -> None:
    """Four customers, two actions, small enough to check with a pencil."""
    value = found()
    assert value.contacts == 2
    assert {rule: of.profit.estimate for rule, of in value.rules.items()} == pytest.approx(
        {
            "expected loss": 34 - 6,
            "risk alone": 34 + 0,
            "value alone": 34 - 6,
            "longest silence": 0 - 1,
            "random draw": (34 - 6 + 0 - 1) / 2,
        }
    )
    assert [of.leavers for of in value.rules.values()] == pytest.approx([0.5, 1, 0.5, 0.5, 0.5])
    assert [of.lost_value for of in value.rules.values()] == pytest.approx([200 / 210, 1, 200 / 210, 10 / 210, 0.5])
    less = [of.less.estimate for of in value.rules.values() if of.less is not None]
    assert less == pytest.approx([28 - 34, 0, 28 + 1, 28 - 13.5])
    assert value.promised == pytest.approx(14 + 6)
    assert (value.unlimited_contacts, value.unlimited.estimate) == pytest.approx((2, 28))


def test_whoever_leaves_is_worth_what_was_expected_to_leave_with_them() -> None:
    """Of a, half of whose risk is of a pause, 20 were at stake: 10 of expected loss, and no call pays."""
    half = ROWS.assign(model_expected_loss=[10.0, 60.0, 9.0, 2.0])
    value = found(rows=half)
    assert value.promised == pytest.approx(6 + 0)
    assert value.rules["expected loss"].profit.estimate == pytest.approx(-6 + (0.1 * 20 - 1))
    assert value.rules["expected loss"].lost_value == pytest.approx(20 / 30)


def test_customers_who_are_held_back_bring_and_cost_nothing() -> None:
    """A tenth of the places is control: a tenth less of everything but the shares that stand on the list."""
    value, whole = found(replace(TERMS, control_share=0.1)), found()
    assert value.contacts == pytest.approx(1.8)
    for rule, of in value.rules.items():
        assert of.profit.estimate == pytest.approx(0.9 * whole.rules[rule].profit.estimate)
        assert of.leavers == whole.rules[rule].leavers
    assert value.promised == pytest.approx(0.9 * whole.promised)
    assert value.figures()["list_profit_per_contact"] == pytest.approx(14)


def test_a_list_may_be_a_share_of_the_customers_of_each_cutoff() -> None:
    """Two cutoffs with lists of half their customers bring what one such list brings, on average."""
    later = ROWS.assign(cutoff=TESTS[1])
    value = found(replace(TERMS, places=None, share=0.5), pd.concat([ROWS, later], ignore_index=True))
    assert value.rules["expected loss"].profit.estimate == pytest.approx(28)
    assert value.contacts == 2


def test_a_business_whose_data_tells_no_silence_has_one_rule_less() -> None:
    """A rule that cannot be followed is not compared with."""
    assert "longest silence" not in found(rows=ROWS.drop(columns="recency_p_churn")).rules


def test_the_list_by_expected_loss_earns_most_where_scores_are_true() -> None:
    """Where risks and values are what they say, no other order of one length brings more, and it keeps its promise."""
    draw = np.random.default_rng(0)
    p, value = draw.beta(1, 3, 20_000), draw.lognormal(4, 1, 20_000)
    rows = pd.DataFrame(
        {
            "customer_id": np.arange(20_000).astype(str),
            "cutoff": TESTS[0],
            "churned": (draw.random(20_000) < p).astype(int),
            "model_p_churn": p,
            "model_value": value,
            "model_expected_loss": p * value,
        }
    )
    result = found(replace(TERMS, places=2_000), rows, draws=50)
    assert all(of.less.low > 0 for of in result.rules.values() if of.less is not None)
    assert result.rules["expected loss"].profit.estimate == pytest.approx(result.promised, rel=0.1)


def test_people_read_what_a_list_brings_in_their_currency() -> None:
    """Per list, per contact, better than what: a number without these is none."""
    value = found(replace(TERMS, control_share=0.5), draws=20)
    table = value.table(1)
    assert table.splitlines()[0] == "What a list would have brought at the test cutoff: 1 contacts, 1 held back"
    assert table.splitlines()[1].endswith("of all who left of the value lost EUR a list EUR a contact")
    assert table.splitlines()[2].split() == ["by", "expected", "loss", "50.0%", "95.2%", "14", "14.00"]
    said = value.sentences()
    assert said[0].startswith("The list by expected loss brings 3 EUR less than one by risk alone (95 % interval ")
    assert said[0].endswith(", which may be chance.")
    assert said[2].startswith(
        "The list by expected loss brings 14 EUR more than one by longest silence (95 % interval "
    )
    assert "When it was made, the list by expected loss promised 10 EUR." in said
    assert any("the 2 customers whose contact was expected to pay would have brought 28 EUR" in line for line in said)
    assert found(replace(TERMS, currency=None)).table(3).startswith("What a list would have brought at each of 3 test")


def test_a_backtest_with_terms_tells_what_lists_bring() -> None:
    """In the table, in the JSON and among the figures of every cutoff; without terms nobody speaks of lists."""
    table = snapshots(cutoffs=9)
    with_terms = backtest(table, SPEC, TESTS[:2], **HOW, terms=replace(TERMS, places=30))
    pooled = with_terms.contacts["pooled"]
    each = [with_terms.figures(at)["list_profit"] for at in with_terms.cutoffs]
    assert with_terms.figures()["list_profit"] == pooled.rules["expected loss"].profit.estimate
    assert with_terms.figures()["list_profit"] == pytest.approx(np.mean(each))
    assert set(pooled.figures()) <= set(with_terms.figures())
    assert pooled.table(2) in with_terms.table()
    told = json.loads(json.dumps(with_terms.to_dict(), allow_nan=False))["contacts"]
    assert told["rules"]["expected loss"]["profit"]["estimate"] == with_terms.figures()["list_profit"]
    without = backtest(table, SPEC, TESTS[:2], **HOW)
    assert "list" not in without.table()
    assert "contacts" not in without.to_dict()
    assert max(len(line) for line in with_terms.table().splitlines()) <= 100
