"""The estimators stand alone: tables of any types, columns by name, cutoffs of any unit; scikit-learn's promise."""

from __future__ import annotations

import doctest
import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

import holdfast.learning
from holdfast.learning import (
    AtRiskClassifier,
    HorizonClassifier,
    LogisticBaseline,
    MeanRateRegressor,
    Tuning,
    ValueRegressor,
)
from holdfast.learning.inputs import instants
from holdfast.models.checks import InputError

SMALL: dict[str, Any] = {"n_estimators": 15, "n_jobs": 1}
EVERY = {
    "risk": AtRiskClassifier(**SMALL),
    "value": ValueRegressor(**SMALL),
    "horizons": HorizonClassifier((20, 60), classifier=AtRiskClassifier(**SMALL)),
    "logistic": LogisticBaseline(),
    "rate": MeanRateRegressor("spend"),
}


@parametrize_with_checks(
    [
        AtRiskClassifier(n_estimators=40, n_jobs=1),
        ValueRegressor(n_estimators=40, n_jobs=1),
        AtRiskClassifier(n_estimators=10, n_jobs=1, tuning=Tuning(trials=2)),
        HorizonClassifier(
            (1.5, 2.5, 3.5, 4.5, 7.5),  # the targets of the checks are small whole numbers
            classifier=AtRiskClassifier(n_estimators=20, n_jobs=1),
        ),
        LogisticBaseline(),
        MeanRateRegressor(),
    ],
)
def test_estimators_keep_the_scikit_learn_promise(estimator: Any, check: Any) -> None:
    """Users put them into pipelines, grid searches and cross-validation, which rely on this contract."""
    check(estimator)


def customers(count: int = 400, seed: int = 0) -> pd.DataFrame:
    """A table as it comes out of a warehouse: text, categories, nullable numbers, truth values."""
    draw = np.random.default_rng(seed)
    gone = draw.random(count) < 0.1
    return pd.DataFrame(
        {
            "silent": draw.exponential(40, count),
            "spend": pd.array(np.where(gone, np.nan, draw.lognormal(3, 1, count)), dtype="Float64"),
            "orders": pd.array(np.where(gone, None, draw.poisson(4, count)), dtype="Int64"),
            "subscribed": pd.array(np.where(gone, None, draw.random(count) < 0.5), dtype="boolean"),
            "member": draw.random(count) < 0.5,
            "channel": pd.Categorical(draw.choice(["web", "shop", "fair"], count), categories=["web", "shop", "fair"]),
            "country": pd.array(draw.choice(["DE", "FR", "IT"], count), dtype="string"),
            "city": draw.choice(["Bonn", "Lyon", None], count),
        }
    )


def target(kind: str, table: pd.DataFrame, seed: int = 0) -> np.ndarray:
    """What each estimator learns; the channel and the city have a say in it."""
    draw = np.random.default_rng(seed)
    odds = table["silent"].to_numpy() / 20 - 2 + 2.0 * (table["channel"] == "fair") - 2.0 * (table["city"] == "Bonn")
    churned = (draw.random(len(table)) < 1 / (1 + np.exp(-odds))).to_numpy()
    if kind in ("risk", "logistic"):
        return churned.astype(float)
    return np.where(churned, 0.0, draw.lognormal(3, 0.5, len(table))) + (10.0 * ~churned if kind == "horizons" else 0)


def answers(model: Any, X: Any) -> np.ndarray:
    """All numbers that it predicts."""
    for method in ("predict_proba_by_horizon", "predict_proba", "predict"):
        if hasattr(model, method):
            return np.asarray(getattr(model, method)(X))
    raise AssertionError(model)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Customers to learn from."""
    return customers()


@pytest.fixture(scope="module")
def fitted(table: pd.DataFrame) -> dict[str, Any]:
    """Each estimator, learnt from the table as it is."""
    return {kind: clone(model).fit(table, target(kind, table)) for kind, model in EVERY.items()}


@pytest.mark.parametrize("kind", EVERY)
def test_a_table_of_any_types_is_learnt_and_predicted(kind: str, fitted: dict[str, Any], table: pd.DataFrame) -> None:
    """A data scientist's first call is ``fit(df, y)``; the model that travels takes the codes as a matrix."""
    model = fitted[kind]
    assert list(model.feature_names_in_) == list(table.columns)
    assert np.flatnonzero(model.is_categorical_).tolist() == [5, 6, 7]
    assert model.categories_[5] == ["fair", "shop", "web"]
    found = answers(model, table)
    assert np.isfinite(found).all()
    if kind != "rate":
        matrix = table.assign(**{table.columns[j]: codes(table.iloc[:, j], of) for j, of in model.categories_.items()})
        matrix = np.column_stack([matrix[name].to_numpy(dtype=float, na_value=np.nan) for name in matrix])
        with pytest.warns(UserWarning, match="valid feature names"):
            assert np.array_equal(answers(model, matrix), found)


def codes(column: pd.Series, categories: list[str]) -> list[float]:
    """The place of each category, by hand."""
    return [categories.index(each) if each in categories else np.nan for each in column]


@pytest.mark.parametrize("kind", ["risk", "value", "horizons"])
def test_categories_decide_and_their_order_or_type_does_not(kind: str, fitted: dict[str, Any]) -> None:
    """Tomorrow's table lists the channels in another order, has one more, and comes from another file format."""
    model, later = fitted[kind], customers(200, seed=5)
    found = answers(model, later)
    assert not np.array_equal(answers(model, later.assign(city="Bonn")), answers(model, later.assign(city="Lyon")))
    channel = later["channel"].astype(str)
    for other in (
        pd.Categorical(channel, categories=["shop", "new", "fair", "web"]),
        channel.astype(object),
        pd.array(channel, dtype="string"),
    ):
        assert np.array_equal(answers(model, later.assign(channel=other)), found)
    unseen, missing = (answers(model, later.assign(channel=each)) for each in ("moon", None))
    assert np.array_equal(unseen, missing)
    kept = pickle.loads(pickle.dumps(model))
    assert np.array_equal(answers(kept, later.assign(channel=channel[::-1].to_numpy()[::-1])), found)


def test_numbers_of_any_type_are_the_same_numbers(table: pd.DataFrame) -> None:
    """Nullable, boolean and object columns of numbers are their float64."""
    plain = table.assign(
        **{name: table[name].astype(object).map(float, na_action="ignore") for name in ("spend", "orders")},
        subscribed=table["subscribed"].to_numpy(dtype=float, na_value=np.nan),
        member=table["member"].astype(int),
    )
    y = target("risk", table)
    one, other = (AtRiskClassifier(**SMALL).fit(each, y) for each in (table, plain))
    assert one.model_.to_parts() == other.model_.to_parts()


def test_columns_are_named_or_numbered(table: pd.DataFrame) -> None:
    """Names survive a new column in the middle; both mean the same model."""
    y, value = target("risk", table), target("value", table)
    at = pd.date_range("2024-01-01", periods=4, freq="MS").repeat(100)
    whole = table.assign(sine=np.sin(at.month), cosine=np.cos(at.month), age=table["silent"] + 30)
    numbers = whole[["silent", "spend", "orders", "age", "sine", "cosine"]].astype(float)
    named = {
        "season_columns": ["sine", "cosine"],
        "history_columns": ["orders", "silent", "age"],
        "accumulating_columns": "age",
    }
    places = {"season_columns": (4, 5), "history_columns": (2, 0, 3), "accumulating_columns": np.arange(6) == 3}
    for kind, target_of, own in ((AtRiskClassifier, y, {}), (ValueRegressor, value, {"spend_column": ["spend", 1]})):
        models = [
            kind(**SMALL, **how, purge_days=20, **{name: each[i] for name, each in own.items()}).fit(
                numbers, target_of, cutoff=at
            )
            for i, how in enumerate((named, places))
        ]
        assert models[0].model_.to_parts() == models[1].model_.to_parts()
    declared = [
        AtRiskClassifier(**SMALL, categorical_features=each).fit(table, y) for each in ([5, 6, 7], "from_dtype")
    ]
    assert declared[0].model_.to_parts() == declared[1].model_.to_parts()
    of_steps = AtRiskClassifier(
        **SMALL, monotonic_cst={"silent": 1}, categorical_features=["channel", "country", "city"]
    )
    steps = HorizonClassifier((20, 60), classifier=of_steps).fit(table, target("horizons", table))
    later = customers(50, seed=2)
    assert (answers(steps, later.assign(silent=later["silent"] + 9)) >= answers(steps, later) - 1e-12).all()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            AtRiskClassifier(season_columns=["sine", "cosine"]),
            r"as season_columns; X has no 'sine', 'cosine'\. It has 8",
        ),
        (AtRiskClassifier(categorical_features=["colour"]), r"as categorical_features; X has no 'colour'\."),
        (AtRiskClassifier(accumulating_columns=[1, 8, -1]), r"as accumulating_columns; X has no 8, -1\."),
        (AtRiskClassifier(monotonic_cst={"age": 1}), r"as monotonic_cst; X has no 'age'.*named silent, spend, orders"),
        (AtRiskClassifier(monotonic_cst={"channel": 1}), "found 1 for column 5, which holds categories"),
        (ValueRegressor(spend_column="revenue"), r"as spend_column; X has no 'revenue'\."),
        (
            ValueRegressor(history_columns=["orders", "silent"]),
            "as history_columns has, 3, or none; found 'orders', 'sil",
        ),
        (ValueRegressor(spend_column="city"), "columns of numbers as spend_column has.* 'city' with categories"),
        (LogisticBaseline(columns=["recency"]), r"as columns; X has no 'recency'\."),
        (MeanRateRegressor("revenue"), r"as column; X has no 'revenue'\."),
        (AtRiskClassifier(categorical_features=["channel"]), "found text in 'country', 'city'"),
        (HorizonClassifier((20, 60), classifier=AtRiskClassifier(season_columns=["sine", "cosine"])), "no 'sine'"),
    ],
)
def test_columns_that_are_not_there_are_listed(model: Any, message: str, table: pd.DataFrame) -> None:
    """All that are wrong of one parameter, at once."""
    kind = {AtRiskClassifier: "risk", LogisticBaseline: "risk", HorizonClassifier: "horizons"}.get(type(model), "value")
    with pytest.raises(InputError, match=message):
        model.fit(table, target(kind, table))


def test_instants_are_no_feature(table: pd.DataFrame) -> None:
    """Their microseconds would name the cutoff."""
    with pytest.raises(InputError, match=r"numbers, text or categories, found 'signup' \(datetime64\)\. Turn instants"):
        AtRiskClassifier().fit(table.assign(signup=pd.Timestamp("2024-01-01")), target("risk", table))


def test_text_where_numbers_were_is_named(fitted: dict[str, Any], table: pd.DataFrame) -> None:
    """By its column and type."""
    with pytest.raises(InputError, match=r"Wanted numbers in column 'silent', as in training; found .* type str"):
        fitted["risk"].predict(table.assign(silent="long"))


@pytest.mark.parametrize("kind", EVERY)
def test_nobody_to_score_is_no_error(kind: str, fitted: dict[str, Any], table: pd.DataFrame) -> None:
    """A filter that leaves nobody gives an empty answer, not a failed night."""
    assert len(answers(fitted[kind], table.iloc[:0])) == 0
    with_history = EVERY[kind]
    if isinstance(with_history, AtRiskClassifier | ValueRegressor):
        own = {"spend_column": "spend"} if kind == "value" else {}
        learner = clone(with_history).set_params(history_columns=["orders", "silent", "age"], **own)
        whole = table.assign(age=table["silent"] + 30)
        model = learner.fit(whole, target(kind, table))
        assert len(answers(model, whole.iloc[:0])) == 0
        if kind == "risk":
            assert model.contributions(whole.iloc[:0]).shape == (0, 10)
        else:
            assert [len(end) for end in model.predict_interval(whole.iloc[:0])] == [0, 0]


@pytest.mark.parametrize("kind", EVERY)
def test_importances_are_shares_and_find_what_decides(kind: str, fitted: dict[str, Any]) -> None:
    """Silence decides all but the rate of spend, which reads one column."""
    found = fitted[kind].feature_importances_
    assert found.shape == (8,)
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(1.0)
    assert found.argmax() == (1 if kind == "rate" else 0)


def test_importances_are_mean_contributions(fitted: dict[str, Any], table: pd.DataFrame) -> None:
    """The same measure as the reasons, of ridge and trees together."""
    size = np.abs(fitted["risk"].contributions(table)[:, :-1]).mean(axis=0)
    assert fitted["risk"].feature_importances_ == pytest.approx(size / size.sum())


MONTHS = pd.date_range("2024-01-01", periods=4, freq="MS")
MICROSECONDS = MONTHS.as_unit("us").asi8


@pytest.mark.parametrize(
    "cutoff",
    [
        *(MONTHS.to_numpy().astype(f"datetime64[{unit}]") for unit in ("D", "s", "ms", "us", "ns")),
        MONTHS,
        pd.Series(MONTHS, index=[9, 8, 7, 6]),
        pd.Series(MONTHS.tz_localize("UTC").tz_convert("Asia/Tokyo")),
        MONTHS.to_pydatetime().tolist(),
        [each.replace(tzinfo=UTC) for each in MONTHS.to_pydatetime()],
        [each.date() for each in MONTHS],
        [each.date().isoformat() for each in MONTHS],
        MICROSECONDS,
        MICROSECONDS.tolist(),
        pd.array(MICROSECONDS, dtype="Int64"),
    ],
    ids=lambda cutoff: f"{type(cutoff).__name__} {getattr(cutoff, 'dtype', '')}",
)
def test_cutoffs_of_any_unit_and_type_are_the_same_instants(cutoff: Any) -> None:
    """Nanoseconds read as microseconds would make the purge a thousand times too short: outcomes would leak."""
    found = instants(cutoff, 4)
    assert found is not None
    assert found.dtype == np.int64
    assert found.tolist() == MICROSECONDS.tolist()


@pytest.mark.parametrize("kind", ["risk", "value", "horizons"])
def test_a_model_of_nanoseconds_is_that_of_microseconds(kind: str, table: pd.DataFrame) -> None:
    """Through every fit: which folds there are depends on the purge."""
    model, y = clone(EVERY[kind]), target(kind, table)
    how = {"classifier__" if kind == "horizons" else "": 0}
    model.set_params(**{f"{prefix}purge_days": 30 for prefix in how})
    one, other = (
        clone(model).fit(table, y, cutoff=np.resize(each, len(table)))
        for each in (MICROSECONDS, MONTHS.to_numpy().astype("datetime64[ns]"))
    )
    assert one.model_.to_parts() == other.model_.to_parts()


@pytest.mark.parametrize(
    ("cutoff", "message"),
    [
        (MICROSECONDS * 1000, "microseconds since 1970, found .* outside 1900 to 2200"),
        (MICROSECONDS // 1000, "first days of 1970, as seconds or milliseconds are"),
        (MICROSECONDS // 1_000_000, "first days of 1970, as seconds or milliseconds are"),
        (MICROSECONDS.astype(float), "datetimes, or integers .* as cutoff; found float64"),
        (["soon"] * 4, "datetimes, or integers"),
        ([True] * 4, "found bool"),
        ([datetime(2024, 1, 1), None, date(2024, 1, 1), pd.NaT], "a cutoff for each row, found 2 of 4 missing"),
        (MICROSECONDS[:3], "one cutoff for each of 4 rows"),
    ],
)
def test_cutoffs_that_are_no_instants_are_refused(cutoff: Any, message: str) -> None:
    """A guess would be silent leakage."""
    with pytest.raises(InputError, match=message):
        instants(cutoff, 4)


@pytest.fixture
def routing() -> Iterator[None]:
    """With scikit-learn's routing of what rows carry."""
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.mark.usefixtures("routing")
def test_what_rows_carry_is_routed_to_fit(table: pd.DataFrame) -> None:
    """Cutoffs and weights follow their rows through pipelines, searches and cross-validation."""
    y = target("risk", table)
    at, weight = np.resize(MONTHS.to_numpy(), len(table)), np.random.default_rng(1).uniform(0.5, 1.5, len(table))
    model = AtRiskClassifier(**SMALL, purge_days=30)
    model.set_fit_request(cutoff=True, sample_weight=True, recent=True).set_score_request(sample_weight=False)
    carried = {"cutoff": at, "sample_weight": weight, "recent": table.head(50)}
    direct = clone(model).fit(table, y, **carried)
    pipeline = make_pipeline(FunctionTransformer(), model).fit(table, y, **carried)
    assert pipeline[-1].model_.to_parts() == direct.model_.to_parts()
    search = GridSearchCV(model, {"min_child_samples": [20, 60]}, cv=KFold(2)).fit(table, y, **carried)
    found = search.best_estimator_.model_.to_parts()
    assert found == clone(model).set_params(**search.best_params_).fit(table, y, **carried).model_.to_parts()
    scores = cross_val_score(model, table, y, cv=KFold(2), params=carried)
    train, test = next(KFold(2).split(table))
    by_hand = clone(model).fit(
        table.iloc[train], y[train], cutoff=at[train], sample_weight=weight[train], recent=table.head(50)
    )
    assert scores[0] == by_hand.score(table.iloc[test], y[test])


@pytest.mark.usefixtures("routing")
@pytest.mark.parametrize("kind", [AtRiskClassifier, ValueRegressor, HorizonClassifier])
def test_every_fit_asks_for_what_rows_carry(kind: Callable[..., Any]) -> None:
    """By the names of its arguments."""
    wanted = kind().set_fit_request(cutoff=True, sample_weight=True).get_metadata_routing().fit.requests
    assert wanted["cutoff"] is wanted["sample_weight"] is True


@pytest.mark.parametrize("name", [name for name in holdfast.learning.__all__ if name != "Tuning"])
def test_the_example_of_every_estimator_runs(name: str) -> None:
    """It is the first thing that a user copies."""
    kind = getattr(holdfast.learning, name)
    (found,) = doctest.DocTestFinder(recurse=False).find(kind, name, globs={name: kind})
    assert found.examples
    assert doctest.DocTestRunner().run(found).failed == 0


def test_parameters_stay_as_they_were_given() -> None:
    """Clones and searches rely on it; the first four may be given by place, as always."""
    leaves = [7, 15]
    model = AtRiskClassifier(0.1, leaves, 50, 10, monotonic_cst={"a": 1})
    assert model.num_leaves is leaves
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(TypeError, match="positional"):
        AtRiskClassifier(0.1, leaves, 50, 10, None)
    assert set(ValueRegressor().get_params()) ^ set(AtRiskClassifier().get_params()) == {
        "amount_parameters",
        "monotonic_cst",
        "spend_column",
    }


@pytest.mark.parametrize("parameters", [{"num_leaves": []}, {"linear_penalty": ()}])
@pytest.mark.parametrize("kind", [AtRiskClassifier, ValueRegressor])
def test_nothing_to_choose_from_is_refused(kind: Any, parameters: dict[str, Any]) -> None:
    """By name, and not as an index out of range."""
    with pytest.raises(InputError, match=f"Wanted one {next(iter(parameters))} at least"):
        kind(**parameters).fit(np.arange(40.0).reshape(-1, 1), np.arange(40) % 2)
