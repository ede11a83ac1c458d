import io

import numpy as np
import pytest

from lnm_kit.errors import InputError
from lnm_kit.evaluation.calibration import brier_score, calibration_curve
from lnm_kit.figures.calibration import calibration_figure


def models(count: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(0)
    probability = rng.beta(1, 4, 300)
    label = rng.random(300) < probability
    return {f"model {i}": (label.astype(int), probability ** (1 + 0.3 * i)) for i in range(count)}


def test_the_markers_are_the_groups_with_their_intervals_over_the_diagonal():
    given = models(2)
    figure = calibration_figure(given, groups=5, title="Test set A")
    curve = figure.axes[0]
    assert curve.get_title(loc="left") == "Test set A"
    assert curve.get_lines()[0].get_xydata().tolist() == [[0, 0], [1, 1]]
    for container, (label, probability) in zip(curve.containers, given.values(), strict=True):
        table = calibration_curve(label, probability, groups=5)
        line, _, (bars,) = container.lines
        assert line.get_xydata() == pytest.approx(table[["mean_predicted", "observed"]].to_numpy())
        ends = np.array([segment[:, 1] for segment in bars.get_segments()])
        assert ends == pytest.approx(table[["lo", "hi"]].to_numpy())
    figure.savefig(io.BytesIO())


def test_the_strip_counts_every_case_of_every_model():
    figure = calibration_figure(models(3))
    heights = [patch.get_xy()[:, 1].max() for patch in figure.axes[1].patches]
    for (_, probability), height in zip(models(3).values(), heights, strict=True):
        assert height == np.histogram(probability, bins=20, range=(0, 1))[0].max()
    assert figure.axes[1].get_xlim() == figure.axes[0].get_xlim()


def test_the_legend_gives_brier_scores_and_models_differ_without_color():
    given = models(7)
    figure = calibration_figure(given)
    texts = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert texts == [f"{name}: {brier_score(*pair)}" for name, pair in given.items()]
    lines = [container.lines[0] for container in figure.axes[0].containers]
    assert len({line.get_marker() for line in lines}) == 7
    assert len({str(patch.get_linestyle()) for patch in figure.axes[1].patches}) > 3


def test_no_model_is_refused():
    with pytest.raises(InputError, match="models is empty"):
        calibration_figure({})


def test_scores_that_are_no_probabilities_are_refused():
    with pytest.raises(InputError, match=r"outside of \[0, 1\]"):
        calibration_figure({"SVM": ([0, 1], [-2, 3])})
