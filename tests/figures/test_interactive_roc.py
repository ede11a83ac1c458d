import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve

from lnm_kit.errors import InputError
from lnm_kit.figures.interactive_roc import interactive_roc

_THRESHOLD = {"weak": 0.31, "strong": -0.2}


@pytest.fixture(scope="module")
def sample():
    rng = np.random.default_rng(5)
    label = (rng.random(300) < 0.3).astype(int)
    scores = {name: k * label + rng.normal(size=300) for name, k in (("weak", 0.5), ("strong", 2))}
    # ties, as a score of few values has them
    return label, {name: score.round(2) for name, score in scores.items()}


@pytest.fixture(scope="module")
def shown(sample):
    return interactive_roc(*sample, threshold=_THRESHOLD)


def test_every_stop_of_the_slider_has_the_counts_of_sklearn(sample, shown):
    label, scores = sample
    linked = shown.data["linked"]
    assert linked["n_positive"] == label.sum()
    assert linked["n_negative"] == (1 - label).sum()
    for model in linked["models"]:
        assert len(model["threshold"]) == len(model["tp"]) == len(model["fp"])
        for cut, tp, fp in zip(model["threshold"], model["tp"], model["fp"], strict=True):
            counts = confusion_matrix(label, scores[model["name"]] >= cut)
            assert (counts[1, 1], counts[0, 1]) == (tp, fp)


def test_stops_go_from_everything_to_nothing_and_hold_the_chosen_one(sample, shown):
    for model in shown.data["linked"]["models"]:
        stops = model["threshold"]
        assert stops == sorted(set(stops))
        assert (model["tp"][0], model["fp"][0]) == (sample[0].sum(), (1 - sample[0]).sum())
        assert (model["tp"][-1], model["fp"][-1]) == (0, 0)
        assert stops[model["chosen"]] == _THRESHOLD[model["name"]]
        assert model["start"] == model["chosen"]
        assert len(stops) <= 202
        assert model["range"][0] < stops[0] < stops[-1] < model["range"][1]


def test_bars_hold_every_case_of_their_class(sample, shown):
    label, scores = sample
    for model in shown.data["linked"]["models"]:
        score = scores[model["name"]]
        assert sum(model["positive"]) == label.sum()
        assert sum(model["negative"]) == (1 - label).sum()
        middle, half = np.array(model["middle"]), model["width"] / 2
        inside = (score >= middle[3] - half) & (score < middle[3] + half) & (label == 0)
        assert abs(model["negative"][3] - inside.sum()) <= 1  # a score on an edge, by rounding
        assert model["count_range"][0] < -max(model["negative"])
        assert model["count_range"][1] > max(model["positive"])


def test_curves_are_those_of_sklearn_and_the_point_lies_on_its_curve(sample, shown):
    label, scores = sample
    weak, strong, point, chosen, positive, negative = shown.data["figure"]["data"]
    for trace, (name, score) in zip((weak, strong), scores.items(), strict=True):
        false_positive, true_positive, _ = roc_curve(label, score)
        np.testing.assert_allclose(trace["x"], false_positive, atol=1e-5)
        np.testing.assert_allclose(trace["y"], true_positive, atol=1e-5)
        assert trace["name"] == f"{name}: {roc_auc_score(label, score):.3f}"
    called = scores["weak"] >= 0.31
    assert point["x"] == chosen["x"] == [called[label == 0].mean()]
    assert point["y"] == chosen["y"] == [called[label == 1].mean()]
    assert min(positive["y"]) >= 0 >= max(negative["y"])
    assert shown.data["figure"]["layout"]["shapes"][0]["x0"] == 0.31


def test_static_twin_and_words_have_the_counts_at_the_threshold(sample, shown):
    label, scores = sample
    (tn, fp), (fn, tp) = confusion_matrix(label, scores["strong"] >= -0.2)
    counts = f"TP {tp}, FP {fp}, FN {fn}, TN {tn}"
    assert f"at -0.2: {counts}" in shown.alt
    panels = [axes for panel in shown.static.subfigs for axes in panel.axes]
    assert [axes.get_title(loc="left") for axes in panels][2] == f"strong at -0.2: {counts}"


def test_without_a_threshold_nothing_is_marked(sample):
    shown = interactive_roc(*sample)
    assert [model["chosen"] for model in shown.data["linked"]["models"]] == [None, None]
    assert shown.data["figure"]["data"][3]["x"] == []
    assert "TP" not in shown.alt


def test_scores_that_are_all_equal_still_give_a_figure():
    shown = interactive_roc([0, 1, 1], {"flat": [0.5, 0.5, 0.5]}, threshold={"flat": 0.5})
    (model,) = shown.data["linked"]["models"]
    assert (model["tp"], model["fp"]) == ([2, 0], [1, 0])
    assert "<img" in shown.to_html()


def test_threshold_outside_of_the_scores_is_a_stop_too():
    shown = interactive_roc([0, 1, 1], {"a": [1, 2, 3]}, threshold={"a": 9})
    (model,) = shown.data["linked"]["models"]
    assert model["threshold"][model["chosen"]] == 9
    assert model["range"][1] > 9


@pytest.mark.parametrize(
    ("label", "scores", "threshold", "message"),
    [
        ([0, 1], {}, None, "scores is empty"),
        ([0, 1], {"a": [1, 2]}, {"b": 1}, "one threshold for each model"),
        ([0, 1], {"a": [1, 2]}, {"a": float("nan")}, "finite"),
        ([0, 0], {"a": [1, 2]}, None, "both classes"),
        ([0, 1], {"a": [1, float("nan")]}, None, "not finite"),
        ([0, 1], {"a": [1, 2, 3]}, None, "same length"),
    ],
)
def test_wrong_input_is_refused(label, scores, threshold, message):
    with pytest.raises(InputError, match=message):
        interactive_roc(label, scores, threshold=threshold)
