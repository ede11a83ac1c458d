import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    cohen_kappa_score,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
)

from lnm_kit.errors import InputError
from lnm_kit.evaluation.audit.matrices import RATES, implied, matching_matrices, rate
from lnm_kit.evaluation.audit.printed_range import Range, printed_range

COUNTS = st.tuples(st.integers(1, 60), st.integers(1, 90)).flatmap(
    lambda pair: st.tuples(
        st.just(pair[0]), st.just(pair[1]), st.integers(0, pair[0]), st.integers(0, pair[1])
    )
)


@given(COUNTS)
@settings(max_examples=30, deadline=None)
def test_rates_are_those_of_scikit_learn(counts):
    positive, negative, tp, tn = counts
    label = np.repeat([1, 0], [positive, negative])
    called = np.repeat([1, 0, 1, 0], [tp, positive - tp, negative - tn, tn])
    expected = {
        "sensitivity": recall_score(label, called),
        "specificity": recall_score(label, called, pos_label=0),
        "accuracy": accuracy_score(label, called),
        "ppv": precision_score(label, called, zero_division=0),
        "npv": precision_score(label, called, pos_label=0, zero_division=0),
        "f1": f1_score(label, called, zero_division=0),
        "kappa": cohen_kappa_score(label, called),
        "balanced_accuracy": balanced_accuracy_score(label, called),
        "youden": 2 * balanced_accuracy_score(label, called) - 1,
        "mcc": matthews_corrcoef(label, called),
    }
    assert set(expected) == set(RATES)
    for name, value in expected.items():
        assert float(rate(name, *counts)) == pytest.approx(value, abs=1e-12), name


@given(COUNTS, st.integers(1, 4), st.sets(st.sampled_from(RATES), min_size=1))
@settings(max_examples=150, deadline=None)
def test_a_true_matrix_is_never_flagged(counts, decimals, names):
    positive, negative, _, _ = counts
    printed = {name: printed_range(f"{float(rate(name, *counts)):.{decimals}f}") for name in names}
    found = matching_matrices(positive, negative, printed)
    assert found.count >= 1
    assert found.clashes == ()
    for name in names:
        assert printed[name].holds(float(rate(name, positive, negative, *found.example)))


@given(
    st.integers(1, 12),
    st.integers(1, 12),
    st.dictionaries(st.sampled_from(RATES), st.floats(0, 1), min_size=1, max_size=4),
)
@settings(max_examples=100, deadline=None)
def test_counts_and_clashes_are_those_of_a_plain_loop(positive, negative, values):
    printed = {name: Range(value - 0.02, value + 0.02) for name, value in values.items()}
    held = [
        {
            name
            for name, allowed in printed.items()
            if allowed.holds(float(rate(name, positive, negative, tp, tn)))
        }
        for tp in range(positive + 1)
        for tn in range(negative + 1)
    ]
    found = matching_matrices(positive, negative, printed)
    assert found.count == sum(names == set(printed) for names in held)
    for clash in map(set, found.clashes):
        assert not any(clash <= names for names in held)
        for name in clash:
            assert any(clash - {name} <= names for names in held)
    assert bool(found.clashes) == (found.count == 0)


def test_the_ppv_of_a_known_slip_clashes():
    cells = {"specificity": "0.785", "ppv": "0.466"}
    printed = {name: printed_range(cell) for name, cell in cells.items()}
    assert matching_matrices(81, 797, printed).clashes == (("specificity", "ppv"),)
    led = implied("ppv", 81, 797, printed_range("0.423"), printed_range("0.786"))
    assert 0.16 < led.lo < led.hi < 0.17


def test_large_tables_are_tried_in_parts():
    printed = {
        name: printed_range(f"{float(rate(name, 1500, 3000, 1200, 2500)):.4f}")
        for name in ("sensitivity", "ppv", "npv")
    }
    assert matching_matrices(1500, 3000, printed).count >= 1


@pytest.mark.parametrize(
    ("positive", "negative", "names", "message"),
    [
        (0, 5, ("ppv",), "at least 1"),
        (20_000, 20_000, ("ppv",), "too many"),
        (5, 5, ("sensitivty",), "Did you mean 'sensitivity'"),
    ],
)
def test_what_cannot_be_tried_is_refused(positive, negative, names, message):
    with pytest.raises(InputError, match=message):
        matching_matrices(positive, negative, dict.fromkeys(names, Range(0, 1)))
