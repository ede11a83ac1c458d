import io
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from lnm_kit.errors import InputError
from lnm_kit.figures.heat_map import heat_map_figure


def two_blocks(n=60, per_block=5, seed=0):
    """Features of two independent factors, in mixed order, and labels in mixed order."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(n, 2))
    columns = {
        f"{'ab'[i % 2]}{i // 2}": 100 * factors[:, i % 2] + 10 * rng.normal(size=n)
        for i in range(2 * per_block)
    }
    return pd.DataFrame(columns), rng.permutation(np.repeat([0, 1], [n - 12, 12]))


def parts(figure):
    strip, body = figure.axes[1], figure.axes[3]
    names = [tick.get_text() for tick in body.get_yticklabels()]
    return strip, body, names, np.asarray(body.get_images()[0].get_array())


def test_every_row_is_a_standardized_feature_with_the_cases_of_a_label_together():
    features, label = two_blocks()
    strip, _, names, shown = parts(heat_map_figure(features, label))
    assert sorted(names) == sorted(features.columns)
    assert np.asarray(strip.get_images()[0].get_array()).ravel().tolist() == sorted(label)
    for name, row in zip(names, shown, strict=True):
        standard = (features[name] - features[name].mean()) / features[name].std()
        np.testing.assert_allclose(np.sort(row[:48]), np.sort(standard[label == 0]))
        np.testing.assert_allclose(np.sort(row[48:]), np.sort(standard[label == 1]))


def test_a_column_of_the_map_is_one_case():
    features, label = two_blocks()
    _, _, names, shown = parts(heat_map_figure(features, label))
    standard = ((features - features.mean()) / features.std())[names].to_numpy()
    for column in shown.T:
        assert (np.abs(standard - column).max(axis=1) < 1e-9).sum() == 1


def test_features_that_go_together_stand_together_and_so_do_cases():
    features, label = two_blocks()
    _, _, names, shown = parts(heat_map_figure(features, label))
    blocks = "".join(name[0] for name in names)
    assert blocks in ("aaaaabbbbb", "bbbbbaaaaa")
    steps = np.linalg.norm(np.diff(shown[:, :48]), axis=0).mean()
    standard = ((features - features.mean()) / features.std())[label == 0].to_numpy().T
    assert steps < 0.6 * np.linalg.norm(np.diff(standard), axis=0).mean()


@pytest.mark.parametrize("n_features", [2, 24, 90])
def test_names_of_many_features_do_not_overlap(n_features):
    features, label = two_blocks(per_block=n_features // 2)
    features.columns = [f"wavelet-HLH_gldm_SmallDependenceEmphasis_{i}" for i in range(n_features)]
    figure = heat_map_figure(features, label, names=("without", "with"), title="training")
    figure.savefig(io.BytesIO())
    body = figure.axes[3]
    boxes = [tick.get_window_extent() for tick in body.get_yticklabels()]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))
    assert all(box.x1 <= figure.bbox.width for box in boxes)
    assert body.get_window_extent().width > 0.4 * figure.bbox.width


def test_one_feature_and_one_positive_case_can_be_drawn():
    figure = heat_map_figure(pd.DataFrame({"a": [1.0, 3.0, 2.0]}), [0, 1, 0])
    figure.savefig(io.BytesIO())
    assert len(parts(figure)[3]) == 1


def test_bad_input_is_named():
    features, label = two_blocks()
    with pytest.raises(InputError, match=r"label \(59,\)"):
        heat_map_figure(features, label[1:])
    features["a0"], features.loc[3, "b0"] = 1.0, np.inf
    with pytest.raises(InputError) as caught:
        heat_map_figure(features, label * 2)
    assert "label holds [0, 2]; needed: 0 and 1" in str(caught.value)
    assert "not finite: b0; constant: a0; leave these features out" in str(caught.value)
    with pytest.raises(InputError, match="at least one feature"):
        heat_map_figure(features[[]], label)
