"""Invented papers with consistent numbers, and with one slip: to measure what the audit catches."""

import copy
import re
from typing import Any

import numpy as np
from scipy.stats import norm

from lnm_kit.evaluation.auc import auc
from lnm_kit.evaluation.audit.matrices import rate

RATES_PRINTED = ("accuracy", "sensitivity", "specificity", "ppv", "npv", "f1", "kappa")

_SEPARATIONS = (0.8, 1.5)
_LEVELS = ("low", "middle", "high")


def invented_paper(rng: np.random.Generator) -> dict[str, Any]:
    """Make up a paper whose printed numbers all come from the same simulated cases.

    Two splits of 60 to 600 cases, a table of counts with percentages, a table of two models with
    seven rates and the AUC with DeLong's interval, a table of four odds ratios with Wald's.

    Parameters
    ----------
    rng
        Random numbers.

    Returns
    -------
    dict
        In the form of :func:`read_paper`.

    Examples
    --------
    >>> paper = invented_paper(np.random.default_rng(0))
    >>> paper["table_2"]["rows"][0][:3]
    ['training', 'A', '0.735']
    """
    splits = {}
    for name in ("training", "test"):
        n = int(rng.integers(60, 600))
        positive = int(rng.integers(12, n // 2))
        splits[name] = {"n": n, "positive": positive, "negative": n - positive}
    metrics = [
        [name, model, *_performance(split, separation, rng)]
        for name, split in splits.items()
        for model, separation in zip("AB", _SEPARATIONS, strict=True)
    ]
    shares = rng.dirichlet(np.full(len(_LEVELS), 5.0))
    counts = [rng.multinomial(split["n"], shares) for split in splits.values()]
    levels = [
        ["size", level]
        + [
            f"{count[place]} ({100 * count[place] / split['n']:.1f}%)"
            for count, split in zip(counts, splits.values(), strict=True)
        ]
        for place, level in enumerate(_LEVELS)
    ]
    return {
        "paper": "an invented paper",
        "splits": splits,
        "total": {
            key: sum(split[key] for split in splits.values())
            for key in ("n", "positive", "negative")
        },
        "table_1": {"columns": ["variable", "level", "training", "test"], "rows": levels},
        "table_2": {
            "columns": ["split", "model", "auc", "auc_ci", *RATES_PRINTED],
            "rows": metrics,
        },
        "table_3": {
            "columns": ["label", "beta", "odds_ratio", "p_value"],
            "rows": [[f"x{number}", *_odds(rng)] for number in range(4)],
        },
    }


def with_slip(
    paper: dict[str, Any], rng: np.random.Generator, *, kinds: tuple[str, ...] | None = None
) -> tuple[dict[str, Any], str]:
    """Change one digit of one printed cell to another digit.

    Parameters
    ----------
    paper
        Of :func:`invented_paper`; it is left as it is.
    rng
        Random numbers.
    kinds
        Columns that the cell is drawn from; None = all of them.

    Returns
    -------
    dict, str
        The paper with the slip, and the column of the changed cell ("counts" for Table 1).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> paper = invented_paper(rng)
    >>> slipped, column = with_slip(paper, rng, kinds=("kappa",))
    >>> column, slipped == paper
    ('kappa', False)
    """
    changed = copy.deepcopy(paper)
    cells = []
    for key in ("table_1", "table_2", "table_3"):
        for row in changed[key]["rows"]:
            for place, name in enumerate(changed[key]["columns"]):
                kind = "counts" if key == "table_1" else name
                if name not in ("variable", "level", "split", "model", "label") and (
                    kinds is None or kind in kinds
                ):
                    cells.append((row, place, kind))
    row, place, kind = cells[rng.integers(len(cells))]
    row[place] = _other_digit(row[place], rng)
    return changed, kind


def _performance(split: dict[str, int], separation: float, rng: np.random.Generator) -> list[str]:
    positive, negative = split["positive"], split["negative"]
    label = np.repeat([1, 0], [positive, negative])
    score = rng.normal(size=len(label)) + separation * label
    found = auc(label, score)
    threshold = rng.uniform(0, separation)
    tp = int(np.sum(score[:positive] >= threshold))
    tn = int(np.sum(score[positive:] < threshold))
    rates = [float(rate(name, positive, negative, tp, tn)) for name in RATES_PRINTED]
    interval = f"{found.lo:.3f}–{found.hi:.3f}"
    return [f"{found.value:.3f}", interval, *(f"{value:.3f}" for value in rates)]


def _odds(rng: np.random.Generator) -> list[str]:
    beta, se = rng.normal(0, 0.8), rng.uniform(0.1, 0.5)
    low, odds, high = np.exp(beta + np.array([-1, 0, 1]) * norm.ppf(0.975) * se)
    p = 2 * norm.sf(abs(beta) / se)
    printed_p = "<0.001" if p < 0.001 else f"{p:.3f}"
    return [f"{beta:.3f}", f"{odds:.3f} ({low:.3f}–{high:.3f})", printed_p]


def _other_digit(cell: str, rng: np.random.Generator) -> str:
    places = [found.start() for found in re.finditer(r"\d", cell)]
    # A leading 0 of a rate is not a place where a slip goes unseen: "3.812" is not printed.
    places = [
        place for place in places if not (cell[place] == "0" and cell[place + 1 :][:1] == ".")
    ]
    place = places[rng.integers(len(places))]
    digits = [digit for digit in "0123456789" if digit != cell[place]]
    return cell[:place] + digits[rng.integers(len(digits))] + cell[place + 1 :]
