"""References of permutation p values: every labeling counted."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from lnm_kit.evaluation.permutation import INDICATORS, permutation_tests
from tests.evaluation.references.row import Pair, Row

PERMUTATIONS = 40_000


def indicators(label: np.ndarray, score: np.ndarray, threshold: float) -> tuple[float, ...]:
    """Sensitivity, specificity, accuracy and AUC from their definitions, in that order."""
    called = score >= threshold
    wins = score[label][:, None] - score[~label][None, :]
    area = float(((wins > 0) + (wins == 0) / 2).mean())
    sensitivity, specificity = called[label].mean(), (~called[~label]).mean()
    return float(sensitivity), float(specificity), float((called == label).mean()), area


def permutations_enumerated() -> Iterator[Pair]:
    """All ways to choose the positives, 220 to 3,003; ours draws some of them at random."""
    for seed, (n, positive, decimals) in enumerate(((12, 3, 3), (13, 5, 0), (15, 5, 1))):
        rng = np.random.default_rng(seed)
        label = np.arange(n) < positive
        score = (rng.normal(size=n) + 0.8 * label).round(decimals)
        observed = indicators(label, score, 0.5)
        reached = np.zeros(len(observed))
        ways = list(combinations(range(n), positive))
        for chosen in ways:
            other = np.isin(np.arange(n), chosen)
            reached += np.array(indicators(other, score, 0.5)) >= np.array(observed) - 1e-12
        found = permutation_tests(label, score, 0.5, permutations=PERMUTATIONS, seed=seed)
        yield [found[name] for name in INDICATORS], reached / len(ways)


ROWS = (
    Row(
        f"permutation p of SEN, SPE, ACC, AUC, {PERMUTATIONS:,} shuffles",
        "every labeling enumerated",
        0.01,  # four standard errors of a share of one half
        permutations_enumerated,
    ),
)
