import numpy as np
import pytest
from scipy.stats import fisher_exact, mannwhitneyu

from lnm_kit.errors import InputError
from lnm_kit.evaluation.confusion import confusion
from lnm_kit.evaluation.permutation import permutation_tests


def scores(n=60, shift=0.7, seed=0):
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    return label, rng.normal(size=n) + shift * label


def test_decisions_have_fishers_exact_p_and_the_auc_that_of_mann_whitney():
    label, score = scores()
    found = permutation_tests(label, score, 0.4, permutations=20_000, seed=1)
    counts = confusion(label, score, 0.4)
    exact = fisher_exact(
        [[counts.tp, counts.fp], [counts.fn, counts.tn]], alternative="greater"
    ).pvalue
    for name in ("sensitivity", "specificity", "accuracy"):
        assert found[name] == pytest.approx(exact, abs=4 * np.sqrt(exact / 20_000))
    area = mannwhitneyu(score[label == 1], score[label == 0], alternative="greater").pvalue
    assert found["auc"] == pytest.approx(area, abs=4 * np.sqrt(area / 20_000) + 1e-3)


def test_the_three_indicators_of_one_threshold_have_one_p():
    for seed in range(5):
        found = permutation_tests(*scores(shift=0.3, seed=seed), 0.0, seed=seed)
        assert found["sensitivity"] == found["specificity"] == found["accuracy"]


def test_guesses_are_below_a_level_about_as_often_as_it_says():
    p = [permutation_tests(*scores(shift=0.0, seed=s), 9e9, permutations=99, seed=s)["auc"]
         for s in range(200)]  # fmt: skip
    assert 0.06 < np.mean(np.array(p) <= 0.1) < 0.15


def test_no_p_is_zero_and_no_shuffle_is_refused():
    label, score = scores(shift=50)
    assert permutation_tests(label, score, 25, permutations=99, seed=0)["auc"] == 0.01
    with pytest.raises(InputError, match="permutations is 0"):
        permutation_tests(label, score, 25, permutations=0, seed=0)
    with pytest.raises(InputError, match="holds only"):
        permutation_tests([1, 1], [0.2, 0.3], 0.5, seed=0)
