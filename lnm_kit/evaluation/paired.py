"""Two readers or models that decide on the same cases: McNemar's test and paired differences."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.stats import binom, norm
from statsmodels.stats.contingency_tables import mcnemar

from lnm_kit.errors import InputError
from lnm_kit.evaluation.estimate import LEVEL, Estimate, Numbers

_Z = float(norm.ppf((1 + LEVEL) / 2))


@dataclass(frozen=True)
class PairedTest:
    """Difference of two paired shares (first minus second) and McNemar's two p values.

    `only_a` and `only_b` count the cases in which a alone and b alone says yes; `n` counts all.
    """

    n: int
    only_a: int
    only_b: int
    difference: Estimate
    p_exact: float
    p_mid: float


def mcnemar_test(a: Numbers, b: Numbers) -> PairedTest:
    r"""Test whether two yes-no answers on the *same* cases have the same share of yes.

    With only-a count x and only-b count y, the exact p value is that of the binomial test of x out
    of x + y with 1/2; the mid-p value subtracts the probability of the observed table, which makes
    it less conservative. The interval of the difference (x - y) / n is Tango's score interval.

    Parameters
    ----------
    a, b
        (N,), 0 or 1 (or bool): the answers of a and of b, in the same order of cases. To compare
        accuracies, give whether each decision was right.

    Raises
    ------
    InputError
        When the two differ in length, are empty, or hold something else than 0 and 1.

    Notes
    -----
    *Source*: McNemar, Psychometrika 1947;12:153-157; mid-p: Fagerland, Lydersen and Laake, BMC Med
    Res Methodol 2013;13:91; interval: Tango, Stat Med 1998;17:891-908.

    Examples
    --------
    >>> a, b = [1] * 6 + [0] * 4, [1] * 1 + [0] * 8 + [1]
    >>> test = mcnemar_test(a, b)
    >>> test.only_a, test.only_b, test.p_exact, round(test.p_mid, 3)
    (5, 1, 0.21875, 0.125)
    >>> print(test.difference)
    0.400 (-0.087 to 0.720)
    """
    first, second = _answers("a", a), _answers("b", b)
    if first.shape != second.shape or first.ndim != 1 or not first.size:
        raise InputError(
            f"a has the shape {first.shape} and b {second.shape}; both must be one-dimensional, of "
            "the same length and hold at least one case."
        )
    n = first.size
    only_a, only_b = int(np.sum(first & ~second)), int(np.sum(~first & second))
    exact = float(mcnemar([[0, only_a], [only_b, 0]], exact=True).pvalue)
    observed = float(binom.pmf(only_a, only_a + only_b, 0.5))
    tail = float(binom.cdf(min(only_a, only_b), only_a + only_b, 0.5))
    lo, hi = _tango(only_a, only_b, n)
    difference = Estimate((only_a - only_b) / n, lo, hi, "Tango score, paired")
    mid = min(2 * tail - observed, 1.0)
    return PairedTest(n, only_a, only_b, difference, exact, mid)


def compare_decisions(
    label: Numbers, called_a: Numbers, called_b: Numbers
) -> dict[str, PairedTest]:
    """Compare sensitivity, specificity and accuracy of two decisions on the *same* cases.

    Parameters
    ----------
    label
        (N,), 0 or 1; 1 is the positive class.
    called_a, called_b
        (N,), 0 or 1: whether a and b called each case positive.

    Returns
    -------
    dict
        `sensitivity` (over the positive cases), `specificity` (over the negative cases) and
        `accuracy` (over all), each a :class:`PairedTest` of a against b.

    Raises
    ------
    InputError
        When the three differ in length, hold something else than 0 and 1, or a class is missing.

    Notes
    -----
    *Source*: as of :func:`mcnemar_test`, on the right decisions.

    Examples
    --------
    >>> label = [1, 1, 1, 1, 0, 0, 0, 0]
    >>> tests = compare_decisions(label, [1, 1, 1, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 0, 1, 1])
    >>> {name: test.difference.value for name, test in tests.items()}
    {'sensitivity': 0.5, 'specificity': 0.25, 'accuracy': 0.375}
    """
    labels = _answers("label", label)
    first, second = _answers("called_a", called_a), _answers("called_b", called_b)
    if labels.ndim != 1 or not labels.shape == first.shape == second.shape:
        raise InputError(
            f"label has the shape {labels.shape}, called_a {first.shape} and called_b "
            f"{second.shape}; all must be one-dimensional and of the same length."
        )
    if labels.all() or not labels.any():
        raise InputError("label holds one class only; sensitivity and specificity need both.")
    right_a, right_b = first == labels, second == labels
    return {
        "sensitivity": mcnemar_test(right_a[labels], right_b[labels]),
        "specificity": mcnemar_test(right_a[~labels], right_b[~labels]),
        "accuracy": mcnemar_test(right_a, right_b),
    }


def _answers(name: str, given: Numbers) -> np.ndarray:
    answers = np.asarray(given)
    odd = set(np.unique(answers).tolist()) - {0, 1}
    if odd:
        raise InputError(f"{name} holds {sorted(odd, key=str)[:5]}; allowed: 0 and 1.")
    return answers.astype(bool)


def _tango(only_a: int, only_b: int, n: int) -> tuple[float, float]:
    """Differences whose score statistic is z: the ends of Tango's interval."""
    value = (only_a - only_b) / n

    def distance(tried: float) -> float:
        # Most likely share of only-b cases, were the difference the one tried.
        slope = 2 * n - only_a + only_b
        second = -only_a - only_b + slope * tried
        third = -only_b * tried * (1 - tried)
        root = math.sqrt(max(second**2 - 8 * n * third, 0.0))
        share = (root - second) / (4 * n)
        variance = max(n * (2 * share + tried * (1 - tried)), 0.0)
        return abs(only_a - only_b - n * tried) - _Z * math.sqrt(variance)

    # At the value itself the distance is negative or, with no disagreement, 0 a second time.
    lo = -1.0 if only_b == n else brentq(distance, -1.0, value - 1e-9)
    hi = 1.0 if only_a == n else brentq(distance, value + 1e-9, 1.0)
    return float(lo), float(hi)
