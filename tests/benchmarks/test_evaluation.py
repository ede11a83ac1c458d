"""The peers of the statistics compute the same numbers."""

import numpy as np
import pytest

from benchmarks.evaluation import (
    THRESHOLD,
    curve_by_counting,
    delong_by_pairs,
    simulated_scores,
    sklearn_loop,
)
from lnm_kit.evaluation import auc, bootstrap_metrics
from lnm_kit.evaluation.decision_curve import decision_curve

LABEL, FIRST, SECOND = simulated_scores(300)


def test_delong_by_pairs_is_delong_by_ranks():
    area, variance = delong_by_pairs(LABEL, FIRST)
    found = auc(LABEL, FIRST)
    assert found.value == pytest.approx(area, abs=1e-12)
    logit = np.log(area / (1 - area))
    half = 1.959963984540054 * np.sqrt(variance) / (area * (1 - area))
    assert found.lo == pytest.approx(1 / (1 + np.exp(half - logit)), abs=1e-9)


@pytest.mark.filterwarnings("ignore")
def test_the_loop_of_scikit_learn_gives_the_intervals_of_the_counts():
    lo, hi = sklearn_loop(LABEL, FIRST, 400)
    found = list(bootstrap_metrics(LABEL, FIRST, THRESHOLD, resamples=400).values())
    widths = hi - lo
    assert np.abs([one.lo for one in found] - lo).max() < 0.25 * widths.max()
    assert (np.abs([one.hi for one in found] - hi) < 0.25 * widths).all()


def test_curves_by_counting_scatter_about_the_curve():
    limits = np.array([0.1, 0.3, 0.5])
    curves = np.array(curve_by_counting(LABEL, FIRST, limits, 200))
    found = decision_curve(LABEL, FIRST, limits)
    assert curves.mean(axis=0) == pytest.approx(found.net_benefit, abs=0.01)
    assert np.quantile(curves, 0.025, axis=0) == pytest.approx(found.lo, abs=0.02)
