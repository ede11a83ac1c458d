"""References of the AUC, its interval, DeLong's tests, the ROC curve and Youden's threshold."""

import math
from collections.abc import Iterator

import numpy as np
from scipy.integrate import quad
from scipy.stats import mannwhitneyu

from lnm_kit.evaluation import auc, delong_test, delong_test_unpaired, roc_points, youden_threshold
from tests.evaluation.references.published import (
    CT_LABEL,
    CT_RATING,
    OVARIAN_OUTCOME,
    OVARIAN_TESTS,
)
from tests.evaluation.references.row import Pair, Row

Z = 1.959963984540054

SIZES = ((2, 2), (3, 40), (60, 4), (25, 25), (12, 90))


def drawn() -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Labels and two scores: continuous, tied, heavily tied; balanced and not; from 2 cases on."""
    rng = np.random.default_rng(0)
    for positives, negatives in SIZES:
        label = np.repeat([1, 0], [positives, negatives])
        for decimals in (9, 1, 0):
            for shift in (0.0, 0.8, -0.5):
                shared = rng.normal(shift * label)
                yield (
                    label,
                    np.round(shared + 0.5 * rng.normal(size=label.size), decimals),
                    np.round(shared + 0.5 * rng.normal(size=label.size), decimals),
                )


def kernel(label: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Every positive against every negative, one pair at a time: 1 right, 1/2 tie, 0 wrong."""
    return np.array(
        [
            [1.0 if x > y else 0.5 if x == y else 0.0 for y in score[label == 0]]
            for x in score[label == 1]
        ]
    )


def covariance(label: np.ndarray, *scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Areas and their covariance matrix, equations 2 to 5 of DeLong et al."""
    kernels = [kernel(label, score) for score in scores]
    areas = np.array([part.mean() for part in kernels])
    m, n = kernels[0].shape
    v10 = np.array([part.mean(axis=1) for part in kernels]) - areas[:, None]
    v01 = np.array([part.mean(axis=0) for part in kernels]) - areas[:, None]
    return areas, v10 @ v10.T / (m - 1) / m + v01 @ v01.T / (n - 1) / n


def area_by_pairs() -> Iterator[Pair]:
    for label, score, _ in drawn():
        yield auc(label, score).value, kernel(label, score).mean()
    yield auc([1, 0, 0], [1.0, 1.0, 2.0]).value, 0.25


def area_by_rank_sum() -> Iterator[Pair]:
    for label, score, _ in drawn():
        found = mannwhitneyu(score[label == 1], score[label == 0]).statistic
        yield auc(label, score).value, found / (label == 1).sum() / (label == 0).sum()


def interval_by_components() -> Iterator[Pair]:
    for label, score, _ in drawn():
        (area,), ((variance,),) = covariance(label, score)
        found = auc(label, score)
        if found.method != "DeLong, logit":
            continue
        half = Z * math.sqrt(variance) / (area * (1 - area))
        center = math.log(area / (1 - area))
        ends = [1 / (1 + math.exp(-(center + side * half))) for side in (-1, 1)]
        yield (found.lo, found.hi), ends


def newcombe_by_integration() -> Iterator[Pair]:
    """At each end of the interval, the distance to the value is z standard errors.

    The error is that of the exponential model: with negatives of rate 1 and positives of rate
    r = (1 - A) / A, Q1 = P(two positives above one negative) = E[F(x)^2], integrated here.
    """

    def error(area: float, m: int, n: int) -> float:
        rate = (1 - area) / area
        above = quad(lambda y: math.exp(-2 * rate * y - y), 0, math.inf)[0]
        below = quad(lambda x: (1 - math.exp(-x)) ** 2 * rate * math.exp(-rate * x), 0, math.inf)[0]
        mean = (m + n) / 2 - 1
        total = area * (1 - area) + mean * (above - area**2) + mean * (below - area**2)
        return math.sqrt(total / (m * n))

    for m, n in ((1, 9), (5, 5), (30, 1), (17, 103), (2, 2)):
        label = np.repeat([1, 0], [m, n])
        for score in (label, np.ones(m + n), -label):
            found = auc(label, score)
            for end in (found.lo, found.hi):
                if 0 < end < 1:
                    yield abs(found.value - end) / error(end, m, n), Z


def areas_printed() -> Iterator[Pair]:
    printed = {"albumin": (0.7366, 0.0927), "protein": (0.6478, 0.1000), "k_g": (0.7258, 0.1028)}
    for name, numbers in printed.items():
        yield area_and_error(OVARIAN_OUTCOME, OVARIAN_TESTS[name]), numbers
    yield area_and_error(CT_LABEL, CT_RATING), (0.8932, 0.0307)


def area_and_error(label: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """The area and, from the width of its logit interval, DeLong's standard error."""
    found = auc(label, score)
    width = math.log(found.hi / (1 - found.hi)) - math.log(found.lo / (1 - found.lo))
    return found.value, width / 2 / Z * found.value * (1 - found.value)


def contrasts_printed() -> Iterator[Pair]:
    printed = {
        "albumin": (0.0108, 0.0953, -0.1761, 0.1976, 0.0127, 0.9102),
        "protein": (-0.0780, 0.1046, -0.2830, 0.1271, 0.5554, 0.4561),
    }
    for name, numbers in printed.items():
        test = delong_test(OVARIAN_OUTCOME, OVARIAN_TESTS[name], OVARIAN_TESTS["k_g"])
        gap = test.difference
        found = (gap.value, gap.value / test.z, gap.lo, gap.hi, test.z**2, test.p_value)
        yield found, numbers


def paired_by_covariance() -> Iterator[Pair]:
    for label, first, second in drawn():
        areas, matrix = covariance(label, first, second)
        contrast = np.array([1.0, -1.0])
        variance, gap = contrast @ matrix @ contrast, areas[0] - areas[1]
        if variance < 1e-15:
            continue
        test, error = delong_test(label, first, second), math.sqrt(variance)
        yield (test.difference.lo, test.difference.hi), (gap - Z * error, gap + Z * error)
        yield test.p_value, math.erfc(abs(gap / error) / math.sqrt(2))


def unpaired_by_covariance() -> Iterator[Pair]:
    cases = list(drawn())
    for (label, first, _), (other, _, second) in zip(cases, reversed(cases), strict=True):
        (a,), ((va,),) = covariance(label, first)
        (b,), ((vb,),) = covariance(other, second)
        if va + vb < 1e-15:
            continue
        test, error = delong_test_unpaired(label, first, other, second), math.sqrt(va + vb)
        yield (test.difference.value, test.difference.lo), (a - b, a - b - Z * error)
        yield test.p_value, math.erfc(abs((a - b) / error) / math.sqrt(2))


def error_by_bootstrap() -> Iterator[Pair]:
    """DeLong's standard errors over those of 4,000 resamplings within the classes."""
    rng = np.random.default_rng(4)
    for positives, negatives in ((60, 60), (40, 160)):
        label = np.repeat([1, 0], [positives, negatives])
        shared = rng.normal(label)
        scores = [np.round(shared + rng.normal(size=label.size), 1) for _ in range(2)]
        kernels = [kernel(label, score) for score in scores]
        areas = []
        for _ in range(4000):
            rows = rng.integers(positives, size=positives)
            columns = rng.integers(negatives, size=negatives)
            areas.append([part[rows][:, columns].mean() for part in kernels])
        first, second = np.array(areas).T
        test = delong_test(label, *scores)
        yield area_and_error(label, scores[0])[1] / first.std(), 1.0
        yield test.difference.value / test.z / (first - second).std(), 1.0


def paired_p_by_permutation() -> Iterator[Pair]:
    """P values of 2,500 random exchanges of the two scores of a case, each turned to ranks."""
    rng = np.random.default_rng(5)
    for worth in (0.0, 0.4, 0.8):
        label = np.repeat([1, 0], [40, 80])
        shared = rng.normal(label)
        scores = (shared + rng.normal(size=120), shared + rng.normal(size=120) + worth * label)
        ranks = np.array([score.argsort().argsort() for score in scores])

        def gap(both: np.ndarray, label: np.ndarray = label) -> float:
            above = both[:, label == 1, None] > both[:, None, label == 0]
            equal = both[:, label == 1, None] == both[:, None, label == 0]
            first, second = (above + 0.5 * equal).mean(axis=(1, 2))
            return float(first - second)

        observed, more = gap(ranks), 0
        for _ in range(2500):
            more += abs(gap(np.where(rng.random(120) < 0.5, ranks, ranks[::-1]))) >= abs(observed)
        yield delong_test(label, *scores).p_value, more / 2500


def roc_by_counting() -> Iterator[Pair]:
    for label, score, _ in drawn():
        points = roc_points(label, score)
        for false_rate, true_rate, threshold in points.to_numpy():
            called = score >= threshold
            yield (false_rate, true_rate), (called[label == 0].mean(), called[label == 1].mean())
        area = np.trapezoid(points["true_positive_rate"], points["false_positive_rate"])
        yield area, kernel(label, score).mean()


def youden_by_search() -> Iterator[Pair]:
    for label, score, _ in drawn():
        gains = {
            tried: round(
                (score >= tried)[label == 1].mean() + (score < tried)[label == 0].mean(), 9
            )
            for tried in score
        }
        best = max(gains.values())
        yield youden_threshold(label, score), max(t for t, gain in gains.items() if gain == best)


ROWS = (
    Row("AUC", "all pairs of a positive and a negative", 1e-12, area_by_pairs),
    Row("AUC", "Mann-Whitney U of scipy over the number of pairs", 1e-12, area_by_rank_sum),
    Row(
        "AUC, standard error",
        "printed: ovarian cancer (DeLong 1988, in the SAS/STAT guide), CT ratings (Hanley and "
        "McNeil 1982, in the Stata manual)",
        5e-5,
        areas_printed,
    ),
    Row(
        "AUC, DeLong interval",
        "structural components pair by pair, logit by hand",
        1e-10,
        interval_by_components,
    ),
    Row(
        "AUC, Newcombe interval",
        "z at its ends, exponential model integrated numerically",
        1e-6,
        newcombe_by_integration,
    ),
    Row(
        "paired DeLong: difference, error, interval, chi-squared, p",
        "printed: contrasts of ovarian cancer (SAS/STAT guide)",
        5e-5,
        contrasts_printed,
    ),
    Row("paired DeLong: interval, p", "covariance matrix pair by pair", 1e-9, paired_by_covariance),
    Row("DeLong standard errors, ratio", "bootstrap of the cases", 0.06, error_by_bootstrap),
    Row("paired DeLong: p", "exchanging the scores at random", 0.03, paired_p_by_permutation),
    Row(
        "unpaired DeLong: interval, p",
        "sum of variances pair by pair",
        1e-9,
        unpaired_by_covariance,
    ),
    Row("ROC curve and its area", "counting at every threshold", 1e-12, roc_by_counting),
    Row("Youden threshold", "search over every score", 0.0, youden_by_search),
)
