import warnings
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.compose import make_column_transformer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from lnm_kit.errors import InputError
from lnm_kit.explain.contributions import Contributions, mean_absolute_shap, shap_values


def make_table(n, *, seed, numbers=3):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(n, numbers)), columns=list("abcdefghijklmn")[:numbers])
    table["location"] = rng.choice(["upper", "middle", "lower"], size=n).astype(object)
    table.index = [f"case-{number}" for number in range(n)]
    label = rng.random(n) < expit(table.a - table.b + (table.location == "upper"))
    return table, label.astype(int).to_numpy()


def encoded(classifier, numbers):
    columns = make_column_transformer(
        (OneHotEncoder(drop="first"), ["location"]), (StandardScaler(), list(numbers))
    )
    return make_pipeline(columns, classifier)


class Formula:
    """A model whose log-odds are a formula of the table."""

    def __init__(self, log_odds):
        self.log_odds = log_odds

    def predict_proba(self, table):
        positive = expit(np.asarray(self.log_odds(table), dtype=float))
        return np.column_stack([1 - positive, positive])


def shapley_by_hand(log_odds, background, case):
    """All subsets, by the definition; one row at a time."""
    names = list(background.columns)

    def worth(known):
        mixed = background.copy()
        for name in known:
            mixed[name] = case[name]
        return log_odds(mixed).mean()

    values = {}
    for name in names:
        others = [other for other in names if other != name]
        values[name] = sum(
            (worth((*known, name)) - worth(known)) / (len(names) * comb(len(others), size))
            for size in range(len(names))
            for known in combinations(others, size)
        )
    return values


def log_odds_of(model):
    return lambda table: logit(model.predict_proba(table)[:, 1])


def test_a_logistic_regression_has_its_closed_form():
    table, label = make_table(80, seed=0)
    numbers = table[["a", "b", "c"]]
    numbers = (numbers - numbers.mean()) / numbers.std()
    model = LogisticRegression().fit(numbers, label)
    background, cases = numbers[:30], numbers[30:]
    found = shap_values(model, background, cases, seed=0)
    np.testing.assert_allclose(found.values, model.coef_ * (cases - background.mean()), atol=1e-10)
    assert found.base == pytest.approx(model.decision_function(background).mean())
    pd.testing.assert_frame_equal(found.features, cases)


def test_an_encoded_column_is_one_player_and_the_sum_is_the_log_odds():
    table, label = make_table(120, seed=1)
    model = encoded(LogisticRegression(), "abc").fit(table, label)
    background, cases = table[:50], table[50:]
    found = shap_values(model, background, cases, seed=0)
    assert found.values.columns.tolist() == ["a", "b", "c", "location"]
    np.testing.assert_allclose(found.log_odds, model.decision_function(cases), atol=1e-6)
    by_hand = shapley_by_hand(model.decision_function, background, cases.iloc[0])
    np.testing.assert_allclose(found.values.iloc[0], list(by_hand.values()), atol=1e-9)


def test_naive_bayes_has_an_additive_answer_too():
    table, label = make_table(90, seed=2)
    numbers = table[["a", "b", "c"]]
    model = GaussianNB().fit(numbers, label)
    found = shap_values(model, numbers[:20], numbers[20:], seed=0)
    by_hand = shapley_by_hand(log_odds_of(model), numbers[:20], numbers.iloc[20])
    np.testing.assert_allclose(found.values.iloc[0], list(by_hand.values()), atol=1e-8)
    np.testing.assert_allclose(found.log_odds, log_odds_of(model)(numbers[20:]), atol=1e-6)


def test_a_tree_ensemble_equals_shapley_over_all_subsets():
    table, label = make_table(90, seed=3, numbers=2)
    model = encoded(GradientBoostingClassifier(n_estimators=15, random_state=0), "ab")
    model.fit(table, label)
    found = shap_values(model, table[:20], table[20:24], seed=0)
    for case in found.values.index:
        by_hand = shapley_by_hand(log_odds_of(model), table[:20], table.loc[case])
        np.testing.assert_allclose(found.values.loc[case], list(by_hand.values()), atol=1e-9)
    assert found.base == pytest.approx(log_odds_of(model)(table[:20]).mean())


def test_a_product_among_many_columns_is_shared_and_sums_exactly():
    table, _ = make_table(40, seed=4, numbers=11)
    model = Formula(lambda rows: rows.a * rows.b + rows.c)
    found = shap_values(model, table[:15], table[15:20], seed=0)
    np.testing.assert_allclose(found.log_odds, model.log_odds(table[15:20]), atol=1e-9)
    ignored = found.values.drop(columns=["a", "b", "c"])
    assert (ignored.to_numpy() == 0).all()
    # Forward and backward through one order gives a pair its exact halves.
    small = shap_values(model, table[:15][["a", "b", "c"]], table[15:20][["a", "b", "c"]], seed=0)
    np.testing.assert_allclose(found.values[["a", "b", "c"]], small.values, atol=1e-9)


@pytest.mark.parametrize("numbers", [3, 11])
def test_a_column_that_the_model_ignores_gets_exactly_nothing(numbers):
    table, label = make_table(60, seed=5, numbers=numbers)
    for classifier in (LogisticRegression(), GradientBoostingClassifier(n_estimators=4)):
        model = encoded(classifier, "ab").fit(table, label)
        values = shap_values(model, table[:10], table[10:14], seed=0).values
        assert (values["c"] == 0).all()
        assert (values["a"] != 0).any()


@settings(max_examples=15, deadline=None)
@given(st.floats(-2, 2), st.floats(-2, 2), st.floats(0.1, 3))
def test_columns_that_the_model_cannot_tell_apart_get_the_same(first, second, weight):
    rows = pd.DataFrame({"a": [first, second, 0.5], "c": [1.0, -1.0, 0.0]})
    rows.insert(1, "b", rows.a)
    model = Formula(lambda table: weight * table.a * table.b * table.c + table.a + table.b)
    values = shap_values(model, rows, rows, seed=0).values
    np.testing.assert_allclose(values.a, values.b, atol=1e-9)


def test_the_same_seed_gives_the_same_and_leaves_the_global_generator_and_shell_alone(capfd):
    table, _ = make_table(30, seed=6, numbers=10)
    model = Formula(lambda rows: rows.a * rows.b * rows.c - rows.d * (rows.location == "upper"))
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        once, again, other = (
            shap_values(model, table[:10], table[10:14], seed=seed).values for seed in (0, 0, 1)
        )
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    pd.testing.assert_frame_equal(once, again)
    assert not np.allclose(once, other)
    assert capfd.readouterr() == ("", "")


def test_columns_may_stand_in_any_order_and_keep_their_kinds():
    table, _ = make_table(60, seed=7)
    table["n_foci"] = np.arange(60) % 3 + 1
    table["flag"] = np.arange(60) % 2 == 0
    seen = {}

    def remember(rows):
        seen.update(rows.dtypes.to_dict())
        return rows.a + rows.n_foci * rows.flag

    found = shap_values(Formula(remember), table[:10], table.iloc[10:15, ::-1], seed=0)
    assert seen == table.dtypes.to_dict()
    assert found.values.columns.tolist() == table.columns.tolist()


def test_a_missing_value_reaches_the_model_as_missing():
    table = pd.DataFrame({"a": [1.0, np.nan, 2.0], "kind": ["x", None, "y"]}, dtype=object)
    table["a"] = table.a.astype(float)
    model = Formula(lambda rows: rows.a.isna() * 1.0 + 2.0 * rows.kind.isna())
    found = shap_values(model, table, table, seed=0)
    np.testing.assert_allclose(found.values.iloc[1], [2 / 3, 4 / 3])


def test_a_certain_model_is_clipped():
    table = pd.DataFrame({"a": [0.0, 1.0]})
    certain = Formula(lambda rows: np.where(rows.a > 0.5, np.inf, -np.inf))
    found = shap_values(certain, table[:1], table, seed=0)
    np.testing.assert_allclose(found.log_odds, [-logit(1 - 1e-9), logit(1 - 1e-9)], rtol=1e-6)


def test_importance_is_the_mean_size_with_an_interval_like_the_normal_one():
    values = pd.DataFrame(np.random.default_rng(0).normal(size=(400, 2)) * [1, 3])
    table = mean_absolute_shap(Contributions(values, 0.0, values), seed=0)
    assert table.index.tolist() == [1, 0]
    np.testing.assert_allclose(table["mean"], values.abs().mean()[[1, 0]])
    half = 1.96 * values.abs().std()[[1, 0]] / np.sqrt(400)
    np.testing.assert_allclose(table["hi"] - table["mean"], half, rtol=0.1)
    np.testing.assert_allclose(table["mean"] - table["lo"], half, rtol=0.1)


TABLE, _ = make_table(6, seed=8)
MODEL = Formula(lambda rows: rows.a)


class Three:
    def predict_proba(self, table):
        return np.full((len(table), 3), 1 / 3)


@pytest.mark.parametrize(
    ("model", "background", "cases", "message"),
    [
        (object(), TABLE, TABLE, r"the model \(object\) has no predict_proba"),
        (MODEL, TABLE[:0], TABLE, r"background has shape \(0, 4\)"),
        (MODEL, TABLE, TABLE[:0], r"cases has shape \(0, 4\)"),
        (MODEL, TABLE, TABLE[["a", "b"]], "cases lacks c, location"),
        (MODEL, TABLE[["a", "b", "c"]], TABLE, "background lacks location"),
        (MODEL, TABLE, pd.concat([TABLE, TABLE[:1]]), r"cases holds \['case-0'\] more than once"),
        (MODEL, TABLE[["a", "a"]], TABLE[["a"]], "background names a column twice"),
        (Three(), TABLE, TABLE, r"needed: finite probabilities of two labels"),
        (Formula(lambda rows: rows.a * np.nan), TABLE, TABLE, "finite probabilities"),
    ],
)
def test_wrong_input_is_named(model, background, cases, message):
    with pytest.raises(InputError, match=message):
        shap_values(model, background, cases, seed=0)


def test_all_problems_are_named_together():
    with pytest.raises(InputError, match=r"predict_proba.*background has.*cases has"):
        shap_values(object(), TABLE[:0], TABLE[:0], seed=0)


NUMBERS = TABLE[["a", "b"]]


@pytest.mark.parametrize(
    ("values", "base", "features", "message"),
    [
        (NUMBERS[:0], 0.0, NUMBERS[:0], "needed: a case and a column"),
        (NUMBERS, 0.0, NUMBERS[1:], "differ in their cases or columns"),
        (NUMBERS, 0.0, NUMBERS[["a"]], "differ in their cases or columns"),
        (NUMBERS.iloc[[0, 0]], 0.0, NUMBERS.iloc[[0, 0]], "comes twice"),
        (NUMBERS, np.nan, NUMBERS, "not finite"),
        (NUMBERS * np.inf, 0.0, NUMBERS, "not finite"),
    ],
)
def test_contributions_that_do_not_fit_together_are_refused(values, base, features, message):
    with pytest.raises(InputError, match=message):
        Contributions(values, base, features)


def test_no_resamples_are_refused():
    with pytest.raises(InputError, match="resamples is 0"):
        mean_absolute_shap(Contributions(NUMBERS, 0.0, NUMBERS), seed=0, resamples=0)
