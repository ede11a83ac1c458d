"""Properties that only repeated draws show: coverage of intervals, error rates of tests."""

import numpy as np
from scipy.special import expit
from scipy.stats import norm

from lnm_kit.evaluation import (
    auc,
    calibration_slope,
    confusion_metrics,
    delong_test,
    delong_test_unpaired,
    hosmer_lemeshow,
    icc,
    mcnemar_test,
)
from tests.evaluation.references.row import Property

TRUE_AREA = float(norm.cdf(1.2 / np.sqrt(2)))


def areas_covered(draws: int) -> int:
    rng, label = np.random.default_rng(0), np.repeat([1, 0], [40, 120])
    found = (auc(label, rng.normal(1.2 * label)) for _ in range(draws))
    return sum(one.lo <= TRUE_AREA <= one.hi for one in found)


def differences_covered(draws: int) -> int:
    """Two scores of unequal worth on the same cases."""
    rng, label, covered = np.random.default_rng(1), np.repeat([1, 0], [50, 150]), 0
    # of a score with the shift 1 and the variance 1 + s^2: Phi(1 / sqrt(2 + 2 s^2))
    truth = norm.cdf(1 / np.sqrt(2 + 2 * 0.25)) - norm.cdf(1 / np.sqrt(2 + 2 * 2.25))
    for _ in range(draws):
        shared = rng.normal(label)
        better, worse = (shared + sd * rng.normal(size=200) for sd in (0.5, 1.5))
        gap = delong_test(label, better, worse).difference
        covered += gap.lo <= truth <= gap.hi
    return covered


def equal_areas_rejected(draws: int) -> int:
    rng, label, rejected = np.random.default_rng(2), np.repeat([1, 0], [50, 150]), 0
    for _ in range(draws):
        shared = rng.normal(label)
        first, second = (shared + rng.normal(size=200) for _ in range(2))
        rejected += delong_test(label, first, second).p_value < 0.05
    return rejected


def equal_areas_of_others_rejected(draws: int) -> int:
    rng, rejected = np.random.default_rng(3), 0
    one, other = np.repeat([1, 0], [50, 150]), np.repeat([1, 0], [40, 60])
    for _ in range(draws):
        found = delong_test_unpaired(one, rng.normal(one), other, rng.normal(other))
        rejected += found.p_value < 0.05
    return rejected


def equal_readers_rejected(draws: int) -> int:
    rng, rejected = np.random.default_rng(4), 0
    for _ in range(draws):
        first, second = rng.random((2, 300)) < 0.4
        rejected += mcnemar_test(first, second).p_mid < 0.05
    return rejected


def reader_differences_covered(draws: int) -> int:
    """The second reader copies the first half of the time; the true difference is 0.15."""
    rng, covered = np.random.default_rng(5), 0
    for _ in range(draws):
        first = rng.random(120) < 0.6
        second = np.where(rng.random(120) < 0.5, first, rng.random(120) < 0.3)
        gap = mcnemar_test(first, second).difference
        covered += gap.lo <= 0.15 <= gap.hi
    return covered


def shares_covered(draws: int) -> int:
    rng, covered = np.random.default_rng(6), 0
    for _ in range(draws):
        label = np.repeat([1, 0], [60, 60])
        called = rng.random(120) < np.where(label == 1, 0.83, 0.3)
        found = confusion_metrics(label, called, 0.5)["sensitivity"]
        covered += found.lo <= 0.83 <= found.hi
    return covered


def calibrated_models_rejected(draws: int) -> int:
    rng, rejected = np.random.default_rng(7), 0
    for _ in range(draws):
        chance = expit(rng.normal(-0.5, 1, 600))
        found = hosmer_lemeshow(rng.random(600) < chance, chance, external=True)
        rejected += found.p_value < 0.05
    return rejected


def slopes_covered(draws: int) -> int:
    rng, covered = np.random.default_rng(8), 0
    for _ in range(draws):
        linear = rng.normal(-0.5, 1, 500)
        label = rng.random(500) < expit(0.7 * linear)
        found = calibration_slope(label, expit(linear))
        covered += found.lo <= 0.7 <= found.hi
    return covered


def agreements_covered(draws: int) -> int:
    """Consistency of 3 raters: variances 1 of subjects and 0.4 of error."""
    rng, covered = np.random.default_rng(9), 0
    for _ in range(draws):
        table = rng.normal(size=(40, 1)) + rng.normal(0, np.sqrt(0.4), (40, 3))
        found = icc(table)["ICC(3,1)"]
        covered += found.lo <= 1 / 1.4 <= found.hi
    return covered


PROPERTIES = (
    Property("coverage, AUC with DeLong interval", 0.95, 4000, areas_covered),
    Property("coverage, difference by paired DeLong", 0.95, 2000, differences_covered),
    Property("type I error, paired DeLong", 0.05, 2000, equal_areas_rejected),
    Property("type I error, unpaired DeLong", 0.05, 2000, equal_areas_of_others_rejected),
    Property("type I error, McNemar mid-p", 0.05, 2000, equal_readers_rejected),
    Property("coverage, Tango interval", 0.95, 2000, reader_differences_covered),
    Property("coverage, Wilson interval at 0.83 of 60", 0.95, 400, shares_covered),
    Property("type I error, Hosmer-Lemeshow, external", 0.05, 400, calibrated_models_rejected),
    Property("coverage, calibration slope", 0.95, 400, slopes_covered),
    Property("coverage, ICC(3,1)", 0.95, 400, agreements_covered),
)
