import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Lasso
from sklearn.preprocessing import StandardScaler

from lnm_kit.errors import InputError
from lnm_kit.radiomics.lasso import LassoSelector, lasso_path

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


def test_the_lasso_finds_what_is_there_with_the_right_sign():
    features = noisy(1)
    fitted = LassoSelector(seed=0).fit(StandardScaler().fit_transform(features), LABEL)
    assert fitted.get_support()[[3, 7]].all()
    assert fitted.coef_[3] > 0 > fitted.coef_[7]


def test_coefficients_are_those_of_scikit_learns_lasso_at_the_chosen_penalty():
    scaled = StandardScaler().fit_transform(noisy(2))
    fitted = LassoSelector(seed=0).fit(scaled, LABEL)
    plain = Lasso(alpha=fitted.alpha_, tol=1e-6).fit(scaled, LABEL)
    assert fitted.coef_ == pytest.approx(plain.coef_, abs=2e-3)


def test_inner_folds_that_keep_patients_together_choose_a_larger_penalty():
    # every patient has four images that are nearly alike, and no feature means anything
    rng = np.random.default_rng(5)
    owner, label = np.repeat(np.arange(60), 4), np.repeat(np.arange(60) % 2, 4)
    features = rng.normal(size=(60, 40))[owner] + 0.05 * rng.normal(size=(240, 40))
    scaled = StandardScaler().fit_transform(features)
    together = LassoSelector(folds=5, seed=0).fit(scaled, label, groups=owner)
    apart = LassoSelector(folds=5, seed=0).fit(scaled, label)
    assert together.alpha_ > 2 * apart.alpha_
    assert together.get_support().sum() < apart.get_support().sum()
    with pytest.raises(InputError, match="one patient for each of the 240 rows"):
        LassoSelector().fit(scaled, label, groups=owner[1:])


def test_when_the_lasso_keeps_nothing_the_strongest_is_kept_and_said(caplog):
    rng = np.random.default_rng(0)
    while True:  # until noise is found on which the smallest error is at the largest penalty
        noise = rng.normal(size=(80, 3))
        with caplog.at_level("INFO", logger="lnm_kit"):
            fitted = LassoSelector(seed=0).fit(noise, LABEL)
        if fitted.fell_back_:
            break
    assert fitted.get_support().sum() == 1
    correlation = [abs(np.corrcoef(column, LABEL)[0, 1]) for column in noise.T]
    assert fitted.get_support()[np.argmax(correlation)]
    assert "LASSO keeps no feature" in caplog.text


def test_few_cases_of_a_class_make_fewer_inner_folds():
    label = np.repeat([0, 1], [40, 3])
    rng = np.random.default_rng(0)
    values = rng.normal(size=(43, 4)) + 2 * label[:, None]
    assert LassoSelector(folds=10).fit(values, label).get_support().any()


def test_copies_of_a_feature_do_not_break_the_lasso():
    features = noisy(5, n=20)
    copies = pd.concat([features, features + 1e-9, features * 2], axis=1)
    LassoSelector(seed=0).fit(StandardScaler().fit_transform(copies), LABEL)


def test_the_path_agrees_with_the_selector():
    features = noisy(3)
    path = lasso_path(features, LABEL, seed=0)
    fitted = LassoSelector(seed=0).fit(StandardScaler().fit_transform(features), LABEL)
    assert path.alpha == pytest.approx(fitted.alpha_)
    assert set(path.kept().index) == set(features.columns[fitted.get_support()])
    assert path.error[np.argmin(np.abs(path.alphas - path.alpha))] == path.error.min()
    assert path.coefficients.shape == (12, 100)
    assert (np.diff(path.alphas) < 0).all()
    assert not path.coefficients.iloc[:, 0].to_numpy().any()
    assert path.kept().abs().is_monotonic_decreasing


def test_nothing_that_varies_leaves_an_empty_path():
    path = lasso_path(positive_features(0) * 0, LABEL, seed=0)
    assert path.kept().empty


def test_a_path_without_features_or_with_one_positive_is_refused():
    with pytest.raises(InputError, match="no features"):
        lasso_path(positive_features(0).iloc[:, :0], LABEL, seed=0)
    with pytest.raises(InputError, match="found 1 positive and 79 negative"):
        lasso_path(positive_features(0), (np.arange(80) == 0).astype(int), seed=0)


def test_the_penalty_does_not_depend_on_how_products_are_computed():
    # more features than cases take the other way through scikit-learn than fewer
    scaled = StandardScaler().fit_transform(noisy(4, n=100))
    fitted = LassoSelector(seed=0).fit(scaled, LABEL)
    plain = Lasso(alpha=fitted.alpha_, tol=1e-7, precompute=True, max_iter=50_000)
    assert fitted.coef_ == pytest.approx(plain.fit(scaled, LABEL).coef_, abs=5e-3)
