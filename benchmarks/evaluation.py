"""Bootstrap, DeLong and decision curves of many cases, against loops and other packages.

    python -m benchmarks.evaluation [--rounds 3] [--cases 10000] [--scores 1000000]

The loops would take minutes at full size: they run a share of the resamples, and their seconds are
scaled to all of them, which the note says. Scores are simulated.
"""

import argparse
import importlib.util
import warnings
from collections.abc import Callable

import numpy as np
from sklearn import metrics

from benchmarks.results import save
from benchmarks.table import show
from benchmarks.timing import alternate, missing, row
from lnm_kit.evaluation import auc, bootstrap_metrics, delong_test
from lnm_kit.evaluation.decision_curve import decision_curve

PACKAGES = ("lnm-kit", "numpy", "scipy", "scikit-learn", "confidenceinterval")
RESAMPLES = 2000
LOOP_RESAMPLES = 40
PAIRS_AT_MOST = 10_000
THRESHOLD = 0.3
Scores = tuple[np.ndarray, np.ndarray, np.ndarray]


def simulated_scores(n: int, seed: int = 0) -> Scores:
    """Labels, and the probabilities of two models."""
    rng = np.random.default_rng(seed)
    label = (rng.random(n) < 0.3).astype(int)
    shared = rng.normal(size=n)
    first, second = (label + 0.6 * shared + 0.8 * rng.normal(size=n) for _ in range(2))
    return label, 1 / (1 + np.exp(-first)), 1 / (1 + np.exp(-second))


def sklearn_loop(label: np.ndarray, score: np.ndarray, resamples: int) -> np.ndarray:
    """The ten metrics of `bootstrap_metrics`, as tutorials compute them."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(resamples):
        rows = rng.integers(0, len(label), len(label))
        truth, chance = label[rows], score[rows]
        called = (chance >= THRESHOLD).astype(int)
        found.append(
            (
                metrics.roc_auc_score(truth, chance),
                metrics.accuracy_score(truth, called),
                metrics.recall_score(truth, called),
                metrics.recall_score(truth, called, pos_label=0),
                metrics.precision_score(truth, called),
                metrics.precision_score(truth, called, pos_label=0),
                metrics.f1_score(truth, called),
                metrics.cohen_kappa_score(truth, called),
                metrics.brier_score_loss(truth, chance),
                metrics.log_loss(truth, chance),
            )
        )
    return np.quantile(found, [0.025, 0.975], axis=0)


def confidenceinterval_loop(label: np.ndarray, score: np.ndarray, resamples: int) -> list:
    """The seven metrics that this package has."""
    import confidenceinterval as ci

    called = (score >= THRESHOLD).astype(int)
    given = {"method": "bootstrap_percentile", "n_resamples": resamples}
    decided = (ci.accuracy_score, ci.tpr_score, ci.tnr_score, ci.ppv_score, ci.npv_score)
    found = [metric(label, called, **given) for metric in decided]
    found.append(ci.f1_score(label, called, average="binary", **given))
    found.append(ci.roc_auc_score(label, score, **given))
    return found


def delong_by_pairs(label: np.ndarray, score: np.ndarray) -> tuple[float, float]:
    """Area and variance as in the paper: every positive against every negative."""
    positive, negative = score[label == 1], score[label == 0]
    placed_positive, placed_negative = np.empty(len(positive)), np.zeros(len(negative))
    for place, value in enumerate(positive):
        wins = (value > negative) + 0.5 * (value == negative)
        placed_positive[place] = wins.mean()
        placed_negative += wins
    placed_negative /= len(positive)
    variance = placed_positive.var(ddof=1) / len(positive)
    return placed_positive.mean(), variance + placed_negative.var(ddof=1) / len(negative)


def curve_by_counting(label: np.ndarray, score: np.ndarray, limits: np.ndarray, n: int) -> list:
    """A decision curve of each resample, by counting at every threshold."""
    rng = np.random.default_rng(0)
    curves = []
    for _ in range(n):
        rows = rng.integers(0, len(label), len(label))
        truth, chance = label[rows], score[rows]
        curve = []
        for limit in limits:
            called = chance >= limit
            true = (called & (truth == 1)).sum()
            curve.append((true - (called.sum() - true) * limit / (1 - limit)) / len(truth))
        curves.append(curve)
    return curves


def measure(*, rounds: int = 3, n_cases: int = 10_000, n_scores: int = 1_000_000) -> list[dict]:
    """Rows of the table."""
    found = _bootstrap(rounds, n_cases) + _curves(rounds, n_cases)
    found += _delong(rounds, min(n_cases, PAIRS_AT_MOST))
    return found + _delong_of_many(rounds, n_scores)


def _bootstrap(rounds: int, n_cases: int) -> list[dict]:
    label, score, _ = simulated_scores(n_cases)
    what = f"{RESAMPLES:,} resamples of {n_cases:,} cases, 10 metrics"
    calls: dict[str, Callable[[], object]] = {
        "own": lambda: bootstrap_metrics(label, score, THRESHOLD, resamples=RESAMPLES),
        "loop of scikit-learn": lambda: sklearn_loop(label, score, LOOP_RESAMPLES),
    }
    notes = {"loop of scikit-learn": f"{LOOP_RESAMPLES} resamples run, scaled"}
    has_peer = importlib.util.find_spec("confidenceinterval") is not None
    if has_peer:
        calls["confidenceinterval"] = lambda: confidenceinterval_loop(label, score, LOOP_RESAMPLES)
        notes["confidenceinterval"] = f"7 of the metrics; {LOOP_RESAMPLES} resamples run, scaled"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        taken = alternate(calls, rounds=rounds)
    scale = {"loop of scikit-learn": RESAMPLES / LOOP_RESAMPLES}
    # it computes the metrics of the cases themselves as well
    scale["confidenceinterval"] = (RESAMPLES + 1) / (LOOP_RESAMPLES + 1)
    found = [
        row(
            what,
            "bootstrap_metrics",
            taken["own"],
            peer=name,
            peer_seconds=[one * scale[name] for one in taken[name]],
            note=note,
        )
        for name, note in notes.items()
    ]
    return found if has_peer else [*found, missing(what, "confidenceinterval")]


def _curves(rounds: int, n_cases: int) -> list[dict]:
    label, score, _ = simulated_scores(n_cases)
    limits, few = np.arange(0, 1, 0.01), 10
    taken = alternate(
        {
            "own": lambda: decision_curve(label, score, limits, resamples=RESAMPLES),
            "loop": lambda: curve_by_counting(label, score, limits, few),
        },
        rounds=rounds,
    )
    return [
        row(
            f"decision curve, 100 thresholds, {RESAMPLES:,} resamples of {n_cases:,}",
            "decision_curve",
            taken["own"],
            peer="plain loop",
            peer_seconds=[one * RESAMPLES / few for one in taken["loop"]],
            note=f"{few} resamples run, scaled",
        )
    ]


def _delong(rounds: int, n: int) -> list[dict]:
    label, score, _ = simulated_scores(n)
    calls = {
        "own": lambda: auc(label, score),
        "pairs": lambda: delong_by_pairs(label, score),
    }
    taken = alternate(calls, rounds=rounds)
    what = f"AUC and DeLong's interval, {n:,} scores"
    return [row(what, "auc", taken["own"], peer="all pairs", peer_seconds=taken["pairs"])]


def _delong_of_many(rounds: int, n: int) -> list[dict]:
    label, first, second = simulated_scores(n)
    calls: dict[str, Callable[[], object]] = {
        "auc": lambda: auc(label, first),
        "roc_auc_score": lambda: metrics.roc_auc_score(label, first),
        "delong_test": lambda: delong_test(label, first, second),
    }
    has_peer = importlib.util.find_spec("confidenceinterval") is not None
    if has_peer:
        import confidenceinterval as ci

        calls["confidenceinterval"] = lambda: ci.roc_auc_score(label, first)
    taken = alternate(calls, rounds=rounds)
    interval = f"AUC and DeLong's interval, {n:,} scores"
    return [
        row(
            interval,
            "auc",
            taken["auc"],
            peer="scikit-learn",
            peer_seconds=taken["roc_auc_score"],
            note="the peer computes the area, without an interval",
        ),
        row(
            interval,
            "auc",
            taken["auc"],
            peer="confidenceinterval",
            peer_seconds=taken["confidenceinterval"],
        )
        if has_peer
        else missing(interval, "confidenceinterval"),
        row(f"DeLong's test of two models, {n:,} scores", "delong_test", taken["delong_test"]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--scores", type=int, default=1_000_000)
    choice = parser.parse_args()
    rows = measure(rounds=choice.rounds, n_cases=choice.cases, n_scores=choice.scores)
    save("evaluation", rows, PACKAGES)
    show("evaluation", rows)


if __name__ == "__main__":
    main()
