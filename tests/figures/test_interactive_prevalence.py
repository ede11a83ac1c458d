import numpy as np
import pytest

from lnm_kit.errors import InputError
from lnm_kit.evaluation.confusion import Confusion
from lnm_kit.evaluation.prevalence import (
    negative_predictive_value,
    positive_predictive_value,
    predictive_values,
)
from lnm_kit.figures.interactive_prevalence import interactive_prevalence

_COUNTS = Confusion(tp=45, fp=22, fn=9, tn=104)


@pytest.fixture(scope="module")
def shown():
    return interactive_prevalence(_COUNTS, marked={"screening": 0.05})


def test_curves_and_bands_are_those_of_the_evaluation(shown):
    traces = shown.data["figure"]["data"]
    assert traces[4]["x"] == shown.data["linked"]["grid"]
    table = predictive_values(_COUNTS, np.array(traces[4]["x"]))
    for at, column in enumerate(["ppv_lo", "ppv_hi", "npv_lo", "npv_hi", "ppv", "npv"]):
        np.testing.assert_allclose(traces[at]["y"], table[column], atol=1e-4)
    assert [trace.get("fill") for trace in traces[:4]] == [None, "tonexty", None, "tonexty"]


def test_points_and_sliders_start_at_the_sample(shown):
    sensitivity, specificity, prevalence = shown.data["linked"]["start"]
    assert (sensitivity, specificity, prevalence) == (45 / 54, 104 / 126, 54 / 180)
    ppv, npv = shown.data["figure"]["data"][6:]
    assert ppv["x"] == npv["x"] == [prevalence]
    # at the sample's own prevalence these are the sample's own shares
    assert ppv["y"] == pytest.approx([45 / 67])
    assert npv["y"] == pytest.approx([104 / 113])
    rates = sensitivity, specificity, prevalence
    assert ppv["y"][0] == pytest.approx(float(positive_predictive_value(*rates)))
    assert npv["y"][0] == pytest.approx(float(negative_predictive_value(*rates)))


def test_sliders_cannot_reach_an_undefined_value(shown):
    for lowest, highest, step in shown.data["linked"]["ranges"].values():
        assert 0 < lowest < lowest + step < highest < 1


def test_marks_stand_in_both_figures_and_in_the_words(shown):
    texts = [note["text"] for note in shown.data["figure"]["layout"]["annotations"]]
    assert texts == ["this cohort", "screening"]
    (axes,) = shown.static.axes
    assert [text.get_text().strip() for text in axes.texts] == texts
    ppv = positive_predictive_value(45 / 54, 104 / 126, 0.05)
    assert f"screening (5.0 %): PPV {ppv:.3f}" in shown.alt


@pytest.mark.parametrize(
    ("counts", "marked", "message"),
    [
        (_COUNTS, {"none": 0.0}, "above 0 and below 1"),
        (_COUNTS, {"five percent": 5}, "above 0 and below 1"),
        (_COUNTS, {"this cohort": 0.2}, "take another name"),
        (Confusion(tp=0, fp=0, fn=3, tn=5), None, "PPV is undefined"),
        (Confusion(tp=0, fp=2, fn=0, tn=5), None, "no positive case"),
        (Confusion(tp=0, fp=0, fn=0, tn=0), None, "no positive case"),
    ],
)
def test_wrong_input_is_refused(counts, marked, message):
    with pytest.raises(InputError, match=message):
        interactive_prevalence(counts, marked=marked)
