import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from lnm_kit.errors import InputError
from lnm_kit.evaluation.agreement import ICC_FORMS, icc, icc_features
from tests.evaluation.references.published import JUDGES


def ratings(seed: int, n: int, k: int, *, subject=1.0, rater=0.5, error=0.5, fixed=None):
    """Ratings of a two-way random model with the given standard deviations."""
    rng = np.random.default_rng(seed)
    judges = rng.normal(0, rater, (1, k)) if fixed is None else np.asarray(fixed)[None]
    return rng.normal(0, subject, (n, 1)) + judges + rng.normal(0, error, (n, k))


def mean_squares(table: np.ndarray) -> dict[str, float]:
    """Mean squares of the two analyses of variance by statsmodels."""
    n, k = table.shape
    long = pd.DataFrame(
        {
            "value": table.ravel(),
            "subject": np.repeat(np.arange(n), k),
            "rater": np.tile(np.arange(k), n),
        }
    )
    two_way = anova_lm(ols("value ~ C(subject) + C(rater)", long).fit())
    one_way = anova_lm(ols("value ~ C(subject)", long).fit())
    return {
        "rows": two_way.loc["C(subject)", "mean_sq"],
        "columns": two_way.loc["C(rater)", "mean_sq"],
        "error": two_way.loc["Residual", "mean_sq"],
        "within": one_way.loc["Residual", "mean_sq"],
    }


@pytest.mark.parametrize(
    ("form", "value", "lo", "hi"),
    # Values as printed by Shrout and Fleiss; ends as printed by ICC of the R package psych.
    [
        ("ICC(1,1)", 0.17, -0.133, 0.72),
        ("ICC(2,1)", 0.29, 0.019, 0.76),
        ("ICC(3,1)", 0.71, 0.342, 0.95),
        ("ICC(1,k)", 0.44, -0.884, 0.91),
        ("ICC(2,k)", 0.62, 0.071, 0.93),
        ("ICC(3,k)", 0.91, 0.676, 0.99),
    ],
)
def test_published_example(form, value, lo, hi):
    found = icc(JUDGES)[form]
    assert found.value == pytest.approx(value, abs=0.0051)
    assert found.lo == pytest.approx(lo, abs=5.1e-4)
    assert found.hi == pytest.approx(hi, abs=0.0051)


@pytest.mark.parametrize(("seed", "n", "k"), [(0, 12, 2), (1, 8, 5), (2, 30, 3)])
def test_values_follow_from_the_analysis_of_variance_of_statsmodels(seed, n, k):
    table = ratings(seed, n, k)
    square = mean_squares(table)
    rows, columns, error, within = (square[s] for s in ("rows", "columns", "error", "within"))
    expected = {
        "ICC(1,1)": (rows - within) / (rows + (k - 1) * within),
        "ICC(2,1)": (rows - error) / (rows + (k - 1) * error + k * (columns - error) / n),
        "ICC(3,1)": (rows - error) / (rows + (k - 1) * error),
        "ICC(1,k)": (rows - within) / rows,
        "ICC(2,k)": (rows - error) / (rows + (columns - error) / n),
        "ICC(3,k)": (rows - error) / rows,
    }
    found = icc(table)
    assert tuple(found) == ICC_FORMS
    assert {form: found[form].value for form in ICC_FORMS} == pytest.approx(expected)


def test_large_samples_give_the_ratio_of_the_variances():
    found = icc(ratings(0, 4000, 3, fixed=[-0.5, 0.0, 0.5], error=0.6))
    error, raters = 0.36, 0.25  # the variance of -0.5, 0, 0.5 with divisor k - 1
    assert found["ICC(3,1)"].value == pytest.approx(1 / (1 + error), abs=0.02)
    assert found["ICC(2,1)"].value == pytest.approx(1 / (1 + error + raters), abs=0.02)
    assert found["ICC(2,k)"].value == pytest.approx(1 / (1 + (error + raters) / 3), abs=0.02)


@pytest.mark.parametrize(
    ("form", "model", "truth"),
    [
        ("ICC(1,1)", {"rater": 0.0, "error": 0.7}, 1 / 1.49),
        ("ICC(2,1)", {"rater": 0.3, "error": 0.5}, 1 / 1.34),
        ("ICC(2,k)", {"rater": 0.3, "error": 0.5}, 1 / (1 + 0.34 / 4)),
        ("ICC(3,1)", {"rater": 2.0, "error": 0.5}, 1 / 1.25),
        ("ICC(3,k)", {"rater": 2.0, "error": 0.5}, 1 / (1 + 0.25 / 4)),
    ],
)
def test_intervals_cover_the_ratio_of_the_variances_as_often_as_they_say(form, model, truth):
    tables = np.stack([ratings(seed, 20, 4, **model) for seed in range(1500)])
    drawn = [pd.DataFrame(tables[:, :, rater].T) for rater in range(4)]
    found = icc_features(drawn, form=form)
    covered = ((found["lo"] <= truth) & (truth <= found["hi"])).mean()
    assert 0.93 <= covered <= 0.97


@given(
    arrays(np.float64, st.tuples(st.integers(2, 8), st.integers(2, 5)), elements=st.integers(0, 9))
)
@settings(deadline=None)
def test_every_interval_holds_its_value_and_nothing_is_silently_missing(table):
    for form, found in icc(table).items():
        if found.defined:
            assert found.lo - 1e-9 <= found.value <= found.hi + 1e-9 <= 1 + 2e-9, form
        else:
            assert found.method.startswith("undefined: ")
            assert np.ptp(table.mean(axis=1)) < 1e-9 or form == "ICC(2,k)"


@given(st.integers(0, 1000), st.floats(-50, 50), st.floats(0.1, 20))
@settings(deadline=None)
def test_shift_and_scale_and_order_change_nothing_but_a_raters_shift_changes_agreement(
    seed, shift, scale
):
    table = ratings(seed, 10, 3)
    found = icc(table)
    rng = np.random.default_rng(seed)
    moved = icc((shift + scale * table)[rng.permutation(10)][:, rng.permutation(3)])
    biased = icc(table + np.array([0, 0, 9]))
    for form in ICC_FORMS:
        assert moved[form].value == pytest.approx(found[form].value, abs=1e-8)
        assert moved[form].lo == pytest.approx(found[form].lo, abs=1e-6)
    assert biased["ICC(3,1)"].value == pytest.approx(found["ICC(3,1)"].value)
    assert biased["ICC(2,1)"].value < max(found["ICC(2,1)"].value, 0.2)


def test_subjects_that_do_not_differ_have_no_consistency():
    found = icc(np.array([[0.1, 0.3], [0.1, 0.3], [0.1, 0.3]]))
    assert found["ICC(3,1)"].method.startswith("undefined: the estimated variance")
    assert found["ICC(1,1)"].value == pytest.approx(-1)
    assert found["ICC(2,1)"].value == pytest.approx(0)


def test_a_negative_coefficient_has_an_interval():
    # All subjects have the same mean, so that no factor moves the ends; the degrees of freedom of
    # Satterthwaite, uncorrected, would vanish.
    found = icc(np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]))["ICC(2,1)"]
    assert found.value == pytest.approx(-1)
    assert (found.lo, found.hi) == pytest.approx((-1, -1))


def test_two_equal_raters_agree_fully():
    table = np.repeat(np.arange(6.0)[:, None], 2, axis=1)
    for found in icc(table).values():
        assert (found.value, found.lo, found.hi) == (1, 1, 1)


def test_many_features_are_those_of_each_alone_whatever_the_order():
    rng = np.random.default_rng(0)
    cube = rng.normal(size=(15, 40, 1)) + rng.normal(0, 0.4, (15, 40, 3))
    names = [f"feature_{i}" for i in range(40)]
    cases = [f"case_{i}" for i in range(15)]
    tables = [pd.DataFrame(cube[:, :, r], index=cases, columns=names) for r in range(3)]
    tables[1] = tables[1].sample(frac=1, random_state=0)[names[::-1]]
    for form in ICC_FORMS:
        found = icc_features(tables, form=form)
        assert found.index.tolist() == names
        for number, name in enumerate(names):
            alone = icc(cube[:, number])[form]
            row = found.loc[name]
            assert (row["icc"], row["lo"], row["hi"]) == pytest.approx(
                (alone.value, alone.lo, alone.hi)
            )
            assert row["method"] == alone.method


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9])
def test_a_constant_feature_is_undefined_and_says_so(constant):
    found = icc(np.full((7, 3), constant))
    assert {estimate.method for estimate in found.values()} == {
        "undefined: the ratings have no spread"
    }


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (np.ones((1, 3)), "at least two of each"),
        (np.ones((3, 1)), "at least two of each"),
        (np.ones(3), r"\(subjects, raters\)"),
        (np.array([[1, 2], [np.nan, 1], [2, 2]]), "first subject 1, rater 0"),
    ],
)
def test_bad_ratings_are_named(table, message):
    with pytest.raises(InputError, match=message):
        icc(table)


def test_tables_that_do_not_match_are_refused():
    first = pd.DataFrame({"area": [1.0, 2.0, 3.0]}, index=["a", "b", "c"])
    for others, message in (
        ([], "at least two"),
        ([first.rename(index={"c": "d"})], r"subjects of table 1.*\['c', 'd'\]"),
        ([first.rename(columns={"area": "size"})], "features of table 1"),
        ([first.loc[["a", "b", "c", "c"]]], r"twice or not in both: \['c'\]"),
    ):
        with pytest.raises(InputError, match=message):
            icc_features([first, *others])
    with pytest.raises(InputError, match=r"Did you mean 'ICC\(2,1\)'"):
        icc_features([first, first], form="ICC(2,1")
