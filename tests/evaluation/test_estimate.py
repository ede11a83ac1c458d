import numpy as np
import pandas as pd
import pytest

from lnm_kit.errors import InputError
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
