import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, ttest_ind
from sklearn.base import clone

from lnm_kit.errors import InputError
from lnm_kit.radiomics.lasso import LassoSelector
from lnm_kit.radiomics.selection import ConstantFilter, VolcanoFilter, volcano

LABEL = np.repeat([0, 1], [60, 20])


def positive_features(seed: int, n: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(rng.lognormal(size=(80, n)), columns=list("abcdefghij"[:n]))


def noisy(seed: int, n: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(80, n)), columns=[f"f{i}" for i in range(n)])
    frame["f3"] += 1.5 * LABEL
    frame["f7"] -= 1.2 * LABEL
    return frame


@pytest.mark.parametrize("test", ["mann-whitney", "t-test"])
def test_p_values_are_those_of_scipy_column_by_column(test):
    features = positive_features(0)
    table = volcano(features, LABEL, test=test)
    for name, column in features.items():
        above, below = column[LABEL == 1], column[LABEL == 0]
        if test == "mann-whitney":
            expected = mannwhitneyu(above, below, method="asymptotic").pvalue
        else:
            expected = ttest_ind(above, below, equal_var=False).pvalue
        assert table.loc[name, "p_value"] == pytest.approx(expected)


def test_fold_change_is_the_ratio_of_the_means():
    features = positive_features(1)
    found = volcano(features, LABEL)["log2_fold_change"]
    expected = np.log2(features[LABEL == 1].mean() / features[LABEL == 0].mean())
    assert found.to_numpy() == pytest.approx(expected.to_numpy())


def test_a_doubled_feature_passes_and_a_halved_one_too():
    features = positive_features(2)
    features.loc[LABEL == 1, "a"] *= 8
    features.loc[LABEL == 1, "b"] /= 8
    table = volcano(features, LABEL)
    assert table.loc[["a", "b"], "passes"].all()
    assert table.loc["a", "log2_fold_change"] > 1
    assert table.loc["b", "log2_fold_change"] < -1


def test_a_significant_but_small_change_does_not_pass():
    features = positive_features(3)
    features["a"] = 100 + LABEL + 0.1 * features["a"]
    table = volcano(features, LABEL)
    assert table.loc["a", "p_value"] < 1e-6
    assert not table.loc["a", "passes"]


def test_a_feature_of_both_signs_has_no_fold_change_and_never_passes():
    features = noisy(0)
    table = volcano(features, LABEL, p_below=1.1, log2_fold_change_above=0.0)
    assert not table["defined"].any()
    assert table["log2_fold_change"].isna().all()
    assert not table["passes"].any()


@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_units_do_not_matter(seed, unit):
    features = positive_features(seed)
    one, two = volcano(features, LABEL), volcano(-features * unit, LABEL)
    assert one["log2_fold_change"].to_numpy() == pytest.approx(two["log2_fold_change"].to_numpy())
    assert one["p_value"].to_numpy() == pytest.approx(two["p_value"].to_numpy())


@given(st.integers(0, 1000))
def test_swapping_the_classes_turns_the_fold_change_round(seed):
    features = positive_features(seed)
    one, two = volcano(features, LABEL), volcano(features, 1 - LABEL)
    assert one["log2_fold_change"].to_numpy() == pytest.approx(-two["log2_fold_change"].to_numpy())
    assert one["p_value"].to_numpy() == pytest.approx(two["p_value"].to_numpy())


def test_of_unrelated_features_one_in_twenty_has_a_small_p():
    rng = np.random.default_rng(0)
    features = pd.DataFrame(rng.lognormal(size=(80, 2000)))
    assert 0.035 < (volcano(features, LABEL)["p_value"] < 0.05).mean() < 0.065


def test_a_constant_feature_has_p_1():
    features = positive_features(0).assign(a=3.0)
    for test in ("mann-whitney", "t-test"):
        table = volcano(features, LABEL, test=test)
        assert table.loc["a", "p_value"] == 1
        assert table.loc["a", "log2_fold_change"] == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test": "anova"}, "test is 'anova'; allowed: mann-whitney, t-test"),
        ({"label": np.full(80, 2)}, "other values than 0 and 1"),
        ({"label": np.zeros(80)}, "at least two cases; found 0 positive and 80 negative"),
        ({"features": pd.DataFrame(index=range(80))}, "there are no features"),
        ({"label": LABEL[:10]}, "80 rows"),
        ({"features": positive_features(0).mask(lambda t: t > 5)}, "not finite"),
    ],
)
def test_bad_input_is_named(change, message):
    given_ = {"features": positive_features(0), "label": LABEL} | change
    with pytest.raises(InputError, match=message):
        volcano(given_.pop("features"), given_.pop("label"), **given_)


def test_the_filter_keeps_what_passes_and_names_it():
    features = positive_features(2)
    features.loc[LABEL == 1, "c"] *= 8
    fitted = VolcanoFilter().fit(features, LABEL)
    assert fitted.get_feature_names_out().tolist() == ["c"]
    assert fitted.transform(features).shape == (80, 1)
    assert not fitted.fell_back_


def test_when_nothing_passes_the_smallest_p_is_kept_and_said(caplog):
    features = positive_features(4)
    with caplog.at_level("INFO", logger="lnm_kit"):
        fitted = VolcanoFilter(log2_fold_change_above=50.0).fit(features, LABEL)
    assert fitted.fell_back_
    assert fitted.get_feature_names_out().tolist() == [fitted.table_["p_value"].idxmin()]
    assert "no feature passes" in caplog.text


@pytest.mark.parametrize("estimator", [VolcanoFilter(p_below=0.01), LassoSelector(folds=4, seed=3)])
def test_estimators_clone_and_take_parameters(estimator):
    copy = clone(estimator)
    assert copy.get_params() == estimator.get_params()
    name = next(iter(copy.get_params()))
    assert copy.set_params(**{name: copy.get_params()[name]}) is copy
    assert not [attribute for attribute in vars(copy) if attribute.endswith("_")]


def test_what_varies_is_kept_whatever_its_scale():
    features = positive_features(0).assign(a=3.0, b=lambda f: 1e-12 * f["b"], c=-0.0)
    fitted = ConstantFilter().fit(features)
    assert fitted.get_feature_names_out().tolist() == ["b", "d", "e", "f"]
