"""References of calibration, of the Brier scores and of the log loss."""

from collections.abc import Iterator

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, gammaincc, logit
from scipy.stats import binomtest
from sklearn import metrics as sk

from lnm_kit.evaluation import (
    brier_score,
    calibration_curve,
    calibration_intercept,
    calibration_slope,
    hosmer_lemeshow,
    log_loss,
)
from lnm_kit.evaluation.calibration import scaled_brier_score
from tests.evaluation.references.row import Pair, Row

Z = 1.959963984540054


def drawn() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Labels and predictions: calibrated, too extreme, shifted, tied; small and large."""
    rng = np.random.default_rng(0)
    for n in (20, 60, 400):
        for slope, intercept in ((1.0, 0.0), (0.5, 0.0), (1.0, 0.8), (1.7, -0.5)):
            for decimals in (9, 1):
                probability = np.clip(expit(rng.normal(-0.7, 1, n)).round(decimals), 0.05, 0.95)
                truth = expit(intercept + slope * logit(probability))
                label = (rng.random(n) < truth).astype(int)
                if 2 < label.sum() < n - 2:
                    yield label, probability


def grouped(label: np.ndarray, probability: np.ndarray, groups: int) -> list[np.ndarray]:
    """Cases of every group: a case is placed by the share of predictions below it, ties halved."""
    members: dict[int, list[int]] = {}
    for case, own in enumerate(probability):
        below = sum(other < own for other in probability)
        equal = sum(other == own for other in probability)
        place = (below + equal / 2) / len(label)
        members.setdefault(int(np.floor(place * groups + 1e-12)), []).append(case)
    return [np.array(members[group]) for group in sorted(members)]


def curve_by_loop() -> Iterator[Pair]:
    for label, probability in drawn():
        for groups in (4, 10):
            curve = calibration_curve(label, probability, groups=groups)
            cases = grouped(label, probability, groups)
            yield curve["n"], [len(part) for part in cases]
            yield curve["mean_predicted"], [probability[part].mean() for part in cases]
            yield curve["observed"], [label[part].mean() for part in cases]
            ends = [
                binomtest(int(label[part].sum()), len(part)).proportion_ci(method="wilson")
                for part in cases
            ]
            yield curve["lo"], [end.low for end in ends]
            yield curve["hi"], [end.high for end in ends]


def hosmer_lemeshow_by_cells() -> Iterator[Pair]:
    """Chi-squared over both outcomes of every group; its tail by the incomplete gamma function."""
    for label, probability in drawn():
        for groups in (5, 10):
            total, cases = 0.0, grouped(label, probability, groups)
            for part in cases:
                expected = probability[part].mean() * len(part)
                for found, wanted in (
                    (label[part].sum(), expected),
                    (len(part) - label[part].sum(), len(part) - expected),
                ):
                    total += (found - wanted) ** 2 / wanted
            for external, freedom in ((True, len(cases)), (False, len(cases) - 2)):
                test = hosmer_lemeshow(label, probability, external=external, groups=groups)
                yield test.p_value, gammaincc(freedom / 2, total / 2)


def most_likely(label: np.ndarray, design: np.ndarray, offset: np.ndarray) -> np.ndarray:
    """Coefficients and standard errors of a logistic regression by a general minimizer."""

    def loss(beta: np.ndarray) -> float:
        linear = design @ beta + offset
        return float(np.sum(np.logaddexp(0, linear) - label * linear))

    def gradient(beta: np.ndarray) -> np.ndarray:
        return design.T @ (expit(design @ beta + offset) - label)

    def curvature(beta: np.ndarray) -> np.ndarray:
        chance = expit(design @ beta + offset)
        return (design * (chance * (1 - chance))[:, None]).T @ design

    start = np.zeros(design.shape[1])
    found = minimize(
        loss, start, jac=gradient, hess=curvature, method="trust-exact", options={"gtol": 1e-10}
    )
    errors = np.sqrt(np.diag(np.linalg.inv(curvature(found.x))))
    return np.column_stack([found.x, errors])


def recalibration_by_minimizer() -> Iterator[Pair]:
    for label, probability in drawn():
        if probability[label == 1].min() >= probability[label == 0].max():
            continue  # separated: there is no slope
        linear, ones = logit(probability), np.ones((len(label), 1))
        value, error = most_likely(label, ones, linear)[0]
        found = calibration_intercept(label, probability)
        yield (found.value, found.lo, found.hi), (value, value - Z * error, value + Z * error)
        value, error = most_likely(label, np.column_stack([ones, linear]), 0 * linear)[1]
        found = calibration_slope(label, probability)
        yield (found.value, found.lo, found.hi), (value, value - Z * error, value + Z * error)


def scores_by_sklearn() -> Iterator[Pair]:
    for label, probability in drawn():
        yield brier_score(label, probability).value, sk.brier_score_loss(label, probability)
        yield scaled_brier_score(label, probability).value, sk.d2_brier_score(label, probability)
        yield log_loss(label, probability).value, sk.log_loss(label, probability)


def mean_by_enumeration() -> Iterator[Pair]:
    """Tails beyond the bootstrap intervals of two means, all 7^7 resamples of 7 cases drawn."""
    label = np.array([0, 0, 1, 0, 1, 1, 0])
    probability = np.array([0.12, 0.4, 0.77, 0.55, 0.31, 0.9, 0.22])
    for found, losses in (
        (brier_score(label, probability), (probability - label) ** 2),
        (log_loss(label, probability), -np.log(np.where(label == 1, probability, 1 - probability))),
    ):
        sums = np.zeros(1)
        for _ in losses:
            sums = (sums[:, None] + losses).ravel()
        means = sums / len(losses)
        yield (np.mean(means < found.lo), np.mean(means > found.hi)), (0.025, 0.025)


ROWS = (
    Row("calibration curve with Wilson intervals", "loop over cases; scipy", 1e-9, curve_by_loop),
    Row(
        "Hosmer-Lemeshow p, external and development",
        "both outcomes of every group, incomplete gamma function",
        1e-9,
        hosmer_lemeshow_by_cells,
    ),
    Row(
        "calibration intercept and slope, intervals",
        "likelihood maximized by scipy",
        1e-5,
        recalibration_by_minimizer,
    ),
    Row("Brier score, scaled Brier score, log loss", "scikit-learn", 1e-12, scores_by_sklearn),
    Row(
        "Brier score and log loss, tails beyond the bootstrap interval",
        "all 823,543 resamples of 7 cases",
        0.0124,
        mean_by_enumeration,
    ),
)
