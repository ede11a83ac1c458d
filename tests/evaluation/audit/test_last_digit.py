"""One printed digit off by one is flagged exactly when no confusion matrix gives the row."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lnm_kit.evaluation.audit import CAN, CANNOT, audit, make_paper

COLUMNS = ("sensitivity", "specificity", "accuracy", "ppv", "npv", "f1", "kappa")


@st.composite
def tables(draw):
    """Counts of a test set and of a model's right calls, with every rate defined."""
    positive, negative = draw(st.integers(3, 45)), draw(st.integers(3, 60))
    return positive, negative, draw(st.integers(1, positive)), draw(st.integers(1, negative))


def rates_of(positive, negative, tp, tn):
    """Definitions, for arrays of counts as well."""
    tp, tn = np.asarray(tp, dtype=float), np.asarray(tn, dtype=float)
    n, fn, fp = positive + negative, positive - tp, negative - tn
    accuracy = (tp + tn) / n
    chance = ((tp + fp) * positive + (tn + fn) * negative) / n**2
    with np.errstate(invalid="ignore", divide="ignore"):
        ppv, npv = tp / (tp + fp), tn / (tn + fn)
        kappa = (accuracy - chance) / (1 - chance)
    f1 = 2 * tp / (2 * tp + fp + fn)
    return dict(
        zip(
            COLUMNS,
            (tp / positive, tn / negative, accuracy, ppv, npv, f1, kappa),
            strict=True,
        )
    )


def verdict_of(positive, negative, cells):
    paper = make_paper(
        {
            "paper": "Doe 2026",
            "splits": {"test": {"positive": positive, "negative": negative}},
            "table_2": {
                "split": "test",
                "columns": ["model", *COLUMNS],
                "rows": [["A", *cells]],
            },
        }
    )
    return audit(paper).query("check == 'rates and counts'").verdict.item()


def is_possible(positive, negative, cells, decimals):
    """Whether a loop over every matrix finds one that prints these cells."""
    tp, tn = np.meshgrid(np.arange(positive + 1), np.arange(negative + 1))
    fits = np.ones(tp.shape, dtype=bool)
    for name, cell in zip(COLUMNS, cells, strict=True):
        # a half may be rounded either way
        gap = np.abs(rates_of(positive, negative, tp, tn)[name] - float(cell))
        fits &= gap <= 0.5 * 10.0**-decimals + 1e-9
    return bool(fits.any())


@given(tables(), st.integers(2, 4))
@settings(max_examples=40, deadline=None)
def test_a_row_of_a_true_matrix_is_never_flagged(counts, decimals):
    cells = [f"{value:.{decimals}f}" for value in rates_of(*counts).values()]
    assert is_possible(*counts[:2], cells, decimals)
    assert verdict_of(*counts[:2], cells) == CAN


@given(tables(), st.integers(2, 4), st.sampled_from(COLUMNS), st.sampled_from([-1, 1]))
@settings(max_examples=60, deadline=None)
def test_a_last_digit_off_by_one_is_flagged_when_arithmetic_allows_it(
    counts, decimals, column, step
):
    cells = [f"{value:.{decimals}f}" for value in rates_of(*counts).values()]
    place = COLUMNS.index(column)
    slipped = float(cells[place]) + step * 10.0**-decimals
    assume(0 <= slipped <= 1)
    cells[place] = f"{slipped:.{decimals}f}"
    possible = is_possible(*counts[:2], cells, decimals)
    assert verdict_of(*counts[:2], cells) == (CAN if possible else CANNOT)


def test_with_three_decimals_nearly_every_such_slip_is_flagged():
    rng = np.random.default_rng(0)
    flagged = []
    for _ in range(60):
        positive, negative = int(rng.integers(15, 60)), int(rng.integers(15, 90))
        counts = positive, negative, int(rng.integers(5, positive)), int(rng.integers(5, negative))
        cells = [f"{value:.3f}" for value in rates_of(*counts).values()]
        place = int(rng.integers(len(cells)))
        cells[place] = f"{float(cells[place]) - 0.001:.3f}"
        flagged.append(verdict_of(positive, negative, cells) == CANNOT)
    assert np.mean(flagged) > 0.95
