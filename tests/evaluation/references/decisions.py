"""References of the confusion matrix's metrics, McNemar's test, predictive values, net benefit."""

import math
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.stats import beta, binomtest, multinomial
from sklearn import metrics as sk

from lnm_kit.evaluation import (
    Confusion,
    compare_decisions,
    confusion_metrics,
    mcnemar_test,
    predictive_values,
)
from lnm_kit.evaluation.decision_curve import decision_curve
from lnm_kit.evaluation.prevalence import negative_predictive_value, positive_predictive_value
from lnm_kit.evaluation.reclassification import net_reclassification
from tests.evaluation.references.row import Pair, Row

Z = 1.959963984540054

COUNTS = (  # tp, fp, fn, tn
    (7, 3, 2, 20),
    (1, 0, 0, 1),
    (0, 4, 3, 9),
    (5, 0, 0, 60),
    (40, 9, 6, 45),
    (80, 10, 5, 5),
    (2, 30, 1, 200),
    (9, 11, 0, 0),
)
SMALL = ((3, 1, 2, 5), (4, 2, 1, 3), (2, 3, 2, 6))
PAIRED = (  # both, only a, only b, neither
    (1, 1, 7, 12),
    (0, 5, 0, 6),
    (10, 0, 0, 20),
    (3, 4, 4, 1),
    (60, 12, 25, 300),
    (0, 0, 1, 1),
    (2, 9, 1, 0),
)


def decided(tp: int, fp: int, fn: int, tn: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and decisions with these counts."""
    return np.repeat([1, 0, 1, 0], [tp, fp, fn, tn]), np.repeat([1.0, 1, 0, 0], [tp, fp, fn, tn])


def metrics_by_sklearn() -> Iterator[Pair]:
    for counts in COUNTS:
        label, called = decided(*counts)
        found = confusion_metrics(label, called, 0.5)
        references: dict[str, Callable[..., float]] = {
            "accuracy": sk.accuracy_score,
            "sensitivity": sk.recall_score,
            "specificity": partial(sk.recall_score, pos_label=0),
            "ppv": partial(sk.precision_score, zero_division=math.nan),
            "npv": partial(sk.precision_score, pos_label=0, zero_division=math.nan),
            "f1": sk.f1_score,
            "kappa": sk.cohen_kappa_score,
        }
        for name, reference in references.items():
            yield found[name].value, reference(label, called)


def kappas_printed() -> Iterator[Pair]:
    for counts, printed in (((40, 9, 6, 45), 0.70), ((80, 10, 5, 5), 0.32)):
        yield confusion_metrics(*decided(*counts), 0.5)["kappa"].value, printed


def wilson_by_score_equation() -> Iterator[Pair]:
    for tp, fn in ((0, 1), (1, 1), (0, 20), (20, 0), (3, 9), (1, 28), (81, 182), (500, 3)):
        found = confusion_metrics(*decided(tp, 1, fn, 1), 0.5)["sensitivity"]
        n, share = tp + fn, tp / (tp + fn)

        def score(tried: float, share: float = share, n: int = n) -> float:
            return (share - tried) ** 2 - Z**2 * tried * (1 - tried) / n

        # at a share of 0 or 1 the share itself is a second root
        yield found.lo, brentq(score, 1e-12, min(share, 1 - 1e-9), xtol=1e-14) if tp else 0.0
        yield found.hi, brentq(score, max(share, 1e-9), 1 - 1e-12, xtol=1e-14) if fn else 1.0
        interval = binomtest(tp, n).proportion_ci(method="wilson")
        yield (found.lo, found.hi), (interval.low, interval.high)


def wilson_printed() -> Iterator[Pair]:
    printed = {
        (81, 182): (0.2553, 0.3662),
        (15, 133): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 28): (0.0061, 0.1718),
    }
    for (tp, fn), ends in printed.items():
        found = confusion_metrics(*decided(tp, 1, fn, 1), 0.5)["sensitivity"]
        yield (found.lo, found.hi), ends


def bootstrap_by_enumeration() -> Iterator[Pair]:
    """Exact bootstrap distribution: every table that a resampling can give, with its probability.

    Compared is the tail below (above) the end of the interval: 2.5 % must lie between the
    probability of passing it and that of reaching it.
    """
    for counts in SMALL:
        n = sum(counts)
        cells = np.array(
            [
                (a, b, c, n - a - b - c)
                for a in range(n + 1)
                for b in range(n + 1 - a)
                for c in range(n + 1 - a - b)
            ]
        )
        chance = multinomial(n, np.array(counts) / n).pmf(cells)
        tp, fp, fn, tn = cells.T
        with np.errstate(invalid="ignore"):
            f1 = tp / (tp + (fp + fn) / 2)
            # observed and expected disagreement
            kappa = 1 - n * (fp + fn) / ((tp + fp) * (fp + tn) + (tp + fn) * (fn + tn))
        found = confusion_metrics(*decided(*counts), 0.5)
        for name, statistic in (("f1", f1), ("kappa", kappa)):
            known = ~np.isnan(statistic)
            values, weights = statistic[known], chance[known] / chance[known].sum()
            for end, sign in ((found[name].lo, 1), (found[name].hi, -1)):
                passed = weights[sign * values < sign * end - 1e-9].sum()
                reached = weights[sign * values < sign * end + 1e-9].sum()
                yield float(np.clip(0.025, passed, reached)), 0.025


def answers(both: int, only_a: int, only_b: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    cells = [both, only_a, only_b, neither]
    return np.repeat([1, 1, 0, 0], cells), np.repeat([1, 0, 1, 0], cells)


def mcnemar_by_counting() -> Iterator[Pair]:
    for cells in PAIRED:
        found = mcnemar_test(*answers(*cells))
        _, x, y, _ = cells
        chance = [math.comb(x + y, k) / 2 ** (x + y) for k in range(x + y + 1)]
        exact = sum(p for k, p in enumerate(chance) if abs(2 * k - x - y) >= abs(x - y))
        yield found.p_exact, exact
        # mid-p: tables as extreme as the observed one count half
        equal = sum(p for k, p in enumerate(chance) if abs(2 * k - x - y) == abs(x - y))
        yield found.p_mid, 1.0 if x == y else exact - equal / 2


def airway_printed() -> Iterator[Pair]:
    found = mcnemar_test(*answers(1, 1, 7, 12))
    ends = (found.difference.lo, found.difference.hi)
    yield (found.p_exact, found.p_mid, *ends), (0.070, 0.039, -0.517, -0.026)


def tango_by_likelihood() -> Iterator[Pair]:
    """At each end, z with the most likely share of only-b found on the likelihood itself."""
    for cells in PAIRED:
        _, x, y, _ = cells
        n, found = sum(cells), mcnemar_test(*answers(*cells)).difference
        for tried in (found.lo, found.hi):
            if abs(tried) >= 1:
                continue

            def slope(share: float, tried: float = tried, cells: tuple[int, ...] = cells) -> float:
                # derivative of x log(share + d) + y log(share) + rest log(1 - 2 share - d)
                both, x, y, neither = cells
                rest = 1 - 2 * share - tried
                return x / (share + tried) + y / share - 2 * (both + neither) / rest

            low, high = max(0.0, -tried) + 1e-13, (1 - tried) / 2 - 1e-13
            if slope(low) <= 0:
                share = low
            else:
                share = high if slope(high) >= 0 else brentq(slope, low, high, xtol=1e-15)
            error = math.sqrt(n * (2 * share + tried - tried**2))
            yield abs(x - y - n * tried) / error, Z


def decisions_by_crosstable() -> Iterator[Pair]:
    rng = np.random.default_rng(2)
    for n in (12, 80, 300):
        label = (np.arange(n) % 3 == 0).astype(int)
        a, b = (((rng.normal(label) > cut).astype(int)) for cut in (0.3, 0.8))
        tests = compare_decisions(label, a, b)
        for name, inside in (("sensitivity", label == 1), ("specificity", label == 0)):
            x = int(np.sum((a[inside] == label[inside]) & (b[inside] != label[inside])))
            y = int(np.sum((a[inside] != label[inside]) & (b[inside] == label[inside])))
            yield tests[name].difference.value, (x - y) / inside.sum()
            yield tests[name].p_exact, binomtest(x, x + y).pvalue if x + y else 1.0


def predictive_values_printed() -> Iterator[Pair]:
    liver = Confusion(tp=231, fp=32, fn=27, tn=54)
    table = predictive_values(liver, [0.75, 0.25])
    yield table["ppv"], (0.88, 0.45)
    yield table["npv"], (0.67, 0.95)


def predictive_values_by_counting() -> Iterator[Pair]:
    for se, sp, share in ((0.9, 0.8, 0.1), (0.99, 0.99, 0.001), (0.2, 0.95, 0.5), (1, 0.5, 0.3)):
        people = 1e9
        sick, healthy = people * share, people * (1 - share)
        called, right = sick * se + healthy * (1 - sp), sick * se
        yield positive_predictive_value(se, sp, share), right / called
        yield (
            negative_predictive_value(se, sp, share),
            (healthy - (called - right)) / (people - called),
        )


def predictive_intervals_by_integration() -> Iterator[Pair]:
    """Posterior probability below each end, the other rate integrated out numerically."""
    for counts in (Confusion(30, 10, 5, 75), Confusion(90, 40, 10, 160), Confusion(8, 3, 4, 11)):
        se = beta(counts.tp + 0.5, counts.fn + 0.5)
        sp = beta(counts.tn + 0.5, counts.fp + 0.5)
        row = predictive_values(counts, 0.2).iloc[0]
        for name, first, second, share in (("ppv", se, sp, 0.2), ("npv", sp, se, 0.8)):
            for end, level in ((row[f"{name}_lo"], 0.025), (row[f"{name}_hi"], 0.975)):
                # the value is below the end when 1 - second is above first / ratio
                ratio = end / (1 - end) * (1 - share) / share

                def below(rate: float, first=first, second=second, ratio=ratio) -> float:
                    return first.pdf(rate) * second.cdf(1 - rate / ratio)

                yield quad(below, 0, 1, points=[first.mean(), min(ratio, 1)], limit=200)[0], level


def net_benefit_by_counting() -> Iterator[Pair]:
    rng = np.random.default_rng(0)
    limits = np.arange(0.0, 0.95, 0.05)
    for n in (12, 90):
        probability = rng.uniform(size=n).round(2)
        label = (rng.random(n) < probability).astype(int)
        found = decision_curve(label, probability, limits, resamples=2).net_benefit
        counted = []
        for limit in limits:
            treated = [y for y, p in zip(label, probability, strict=True) if p >= limit]
            wrong = treated.count(0) * limit / (1 - limit)
            counted.append((treated.count(1) - wrong) / n)
        yield found, np.array(counted)


def net_reclassification_printed() -> Iterator[Pair]:
    """Pencina et al. 2008, Table II: moves between three classes of risk, and the printed index."""
    events = [[39, 15, 0], [4, 87, 14], [0, 3, 21]]
    others = [[1959, 142, 0], [148, 703, 31], [1, 25, 74]]
    label, moves = [], []
    for y, counts in ((1, events), (0, others)):
        for i, row in enumerate(counts):
            for j, count in enumerate(row):
                label += [y] * count
                moves += [((i + 0.5) / 3, (j + 0.5) / 3)] * count
    first, second = np.array(moves).T
    found = net_reclassification(label, first, second, [1 / 3, 2 / 3])
    yield found.total.value, 0.121


def net_reclassification_by_moves() -> Iterator[Pair]:
    """Every case moves by -1, 0 or 1; the index is a sum of means, their variances add up."""
    for seed, cuts in ((0, None), (1, (0.2, 0.5)), (2, (0.35,))):
        rng = np.random.default_rng(seed)
        label = (rng.random(70) < 0.4).astype(int)
        first, second = rng.uniform(size=(2, 70)).round(1 if seed else 4)
        found = net_reclassification(label, first, second, cuts)
        classes = [
            [sum(p >= cut for cut in cuts) if cuts else p for p in risk] for risk in (first, second)
        ]
        move = np.sign(np.subtract(classes[1], classes[0]))
        parts = [move[label == 1], -move[label == 0]]
        value = sum(part.mean() for part in parts)
        error = math.sqrt(sum(part.var() / len(part) for part in parts))
        yield found.total.value, value
        yield (found.total.lo, found.total.hi), (value - Z * error, value + Z * error)
        yield (found.positive.value, found.negative.value), [part.mean() for part in parts]


ROWS = (
    Row("ACC SEN SPE PPV NPV F1 kappa", "scikit-learn", 1e-12, metrics_by_sklearn),
    Row("kappa", "printed: Feinstein and Cicchetti 1990, two tables", 5e-3, kappas_printed),
    Row(
        "Wilson interval",
        "root of the score equation; scipy binomtest",
        1e-9,
        wilson_by_score_equation,
    ),
    Row("net benefit", "patients counted at every threshold", 1e-12, net_benefit_by_counting),
    Row(
        "net reclassification index",
        "printed: Pencina et al. 2008, Table II",
        5e-4,
        net_reclassification_printed,
    ),
    Row(
        "net reclassification index, interval, parts",
        "moves of every case, their means and variances",
        1e-12,
        net_reclassification_by_moves,
    ),
    Row("Wilson interval", "printed: Newcombe 1998, table I", 5e-5, wilson_printed),
    Row(
        "F1 and kappa, tail beyond the bootstrap interval",
        "every resampled table enumerated",
        0.0124,
        bootstrap_by_enumeration,
    ),
    Row("McNemar exact and mid-p", "binomial coefficients counted", 1e-12, mcnemar_by_counting),
    Row(
        "McNemar p values, Tango interval",
        "printed: airway example, Fagerland et al. 2013 and 2014",
        5e-4,
        airway_printed,
    ),
    Row("Tango interval, z at its ends", "likelihood maximized", 1e-6, tango_by_likelihood),
    Row(
        "paired differences of SEN and SPE, p",
        "counted; scipy binomtest",
        1e-12,
        decisions_by_crosstable,
    ),
    Row(
        "PPV and NPV against prevalence",
        "printed: liver scans, Altman and Bland 1994",
        5e-3,
        predictive_values_printed,
    ),
    Row(
        "PPV and NPV against prevalence",
        "a billion people counted",
        1e-8,
        predictive_values_by_counting,
    ),
    Row(
        "PPV and NPV, posterior below the ends of the interval",
        "numerical integration",
        0.0039,
        predictive_intervals_by_integration,
    ),
)
