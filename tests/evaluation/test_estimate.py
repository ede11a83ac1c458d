import numpy as np
import pandas as pd
import pytest

from lnm_kit.errors import InputError
from lnm_kit.evaluation import (
    Confusion,
    auc,
    brier_score,
    calibration_curve,
    calibration_intercept,
    calibration_slope,
    compare_decisions,
    confusion_metrics,
    delong_test,
    delong_test_unpaired,
    hosmer_lemeshow,
    log_loss,
    predictive_values,
    roc_points,
    youden_threshold,
)
from lnm_kit.evaluation.estimate import Estimate, labels_and_scores


def test_an_undefined_estimate_prints_its_reason_and_no_number():
    estimate = Estimate.undefined("no case was called negative")
    assert not estimate.defined
    assert str(estimate) == "undefined: no case was called negative"


def test_series_of_any_index_are_taken_by_position():
    label = pd.Series([0, 1, 1], index=["c", "a", "b"])
    score = pd.Series([0.1, 0.2, 0.3], index=["a", "b", "c"])
    labels, scores = labels_and_scores(label, score)
    assert labels.tolist() == [False, True, True]
    assert scores.tolist() == [0.1, 0.2, 0.3]


@pytest.mark.parametrize("label", [[0, 0.5, 1], ["0", "1", "1"], [0, np.nan, 1]])
def test_labels_other_than_0_and_1_are_refused(label):
    with pytest.raises(InputError, match="allowed: 0 and 1"):
        labels_and_scores(label, [1, 2, 3])


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(InputError, match=r"score holds something that is no number.*'high'"):
        labels_and_scores([0, 1], ["high", 0.2])


def test_a_split_of_one_class_is_counted_and_says_what_to_do():
    message = r"label holds only \[0\] in 4 cases; both classes are needed, so leave out this split"
    with pytest.raises(InputError, match=message):
        labels_and_scores([0, 0, 0, 0], [1, 2, 3, 4])


ONE_CLASS = {
    "auc": auc,
    "delong_test": lambda label, score: delong_test(label, score, score),
    "delong_test_unpaired": lambda label, score: delong_test_unpaired(
        [0, 1, 0, 1], [1, 2, 3, 4], label, score
    ),
    "roc_points": roc_points,
    "youden_threshold": youden_threshold,
    "confusion_metrics": lambda label, score: confusion_metrics(label, score, 0.5),
    "compare_decisions": lambda label, score: compare_decisions(label, score > 0.5, score > 0.7),
    "calibration_curve": lambda label, score: calibration_curve(label, score, groups=2),
    "hosmer_lemeshow": lambda label, score: hosmer_lemeshow(label, score, external=True),
    "calibration_intercept": calibration_intercept,
    "calibration_slope": calibration_slope,
    "brier_score": brier_score,
    "log_loss": log_loss,
    "predictive_values": lambda label, score: predictive_values(Confusion(0, 3, 0, 5), 0.1),
}


@pytest.mark.parametrize("name", ONE_CLASS)
def test_a_split_without_positives_is_refused_by_every_metric_that_needs_them(name):
    with pytest.raises(InputError, match=r"class|no positive case"):
        ONE_CLASS[name](np.zeros(12, dtype=int), np.linspace(0.1, 0.9, 12))
