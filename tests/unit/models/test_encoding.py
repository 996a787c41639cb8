"""From named columns to the matrix, and what a model may keep of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from holdfast.models import learn_categories, to_matrix
from holdfast.models.encoding import FEWEST_CUSTOMERS
from holdfast.models.feature_record import FeatureRecord

MAIL = FeatureRecord("mail", "category", "category")


def customers(words: list[str], snapshots: int = 3) -> pd.DataFrame:
    """Each with one word, at several cutoffs."""
    ids = [f"c{i}" for i in range(len(words))]
    return pd.DataFrame({"customer_id": ids * snapshots, "mail": pd.array(words * snapshots, dtype="str")})


def test_what_names_a_person_is_no_category() -> None:
    """A hundred e-mail addresses, each at twelve cutoffs, must not travel with a registered model."""
    table = customers([f"person{i}@example.com" for i in range(100)], snapshots=12)
    (learnt,) = learn_categories(table, [MAIL])
    assert learnt.categories == ()
    assert np.isnan(to_matrix(table, [learnt])).all()


def test_a_category_needs_ten_customers() -> None:
    """Nine are too few however often they are seen; ten are enough."""
    assert FEWEST_CUSTOMERS == 10
    (learnt,) = learn_categories(customers(["shop"] * 10 + ["fair"] * 9, snapshots=5), [MAIL])
    assert learnt.categories == ("shop",)


def test_without_customers_every_row_counts_as_one() -> None:
    """A notebook's table may have none."""
    (learnt,) = learn_categories(customers(["shop"] * 10, snapshots=1).drop(columns="customer_id"), [MAIL])
    assert learnt.categories == ("shop",)
