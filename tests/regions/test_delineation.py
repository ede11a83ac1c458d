from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from scipy.spatial.distance import cdist
from skimage.measure import find_contours

from lnm_kit.errors import InputError
from lnm_kit.regions.delineation import (
    SAME_OPERATOR,
    SECOND_OPERATOR,
    Operator,
    delineation_agreement,
    perturb_mask,
    redelineate,
)

masks = arrays(bool, st.tuples(st.integers(1, 20), st.integers(1, 20))).filter(np.any)
spacings = st.none() | st.tuples(st.floats(0.05, 1), st.floats(0.05, 1))
TOUCHING = np.ones((3, 3), bool)


def ellipse(shape=(160, 200), center=(80, 100), radii=(30, 45), spacing=(1.0, 1.0)):
    """An ellipse of radii in mm around a center in pixels."""
    rows, columns = np.indices(shape)
    down, right = (rows - center[0]) * spacing[0], (columns - center[1]) * spacing[1]
    return (down / radii[0]) ** 2 + (right / radii[1]) ** 2 <= 1


def perturbed(mask, *, spacing_mm=None, seed=0, translation=0.0, growth=0.0, jitter=0.0):
    return perturb_mask(
        mask,
        spacing_mm=spacing_mm,
        translation_mm=translation,
        growth_mm=growth,
        jitter_mm=jitter,
        rng=np.random.default_rng(seed),
    )


def center_of(mask):
    return np.argwhere(mask).mean(axis=0)


@settings(deadline=None)
@given(masks, spacings)
def test_amounts_of_zero_give_the_mask_itself(mask, spacing):
    again = perturbed(mask, spacing_mm=spacing)
    assert (again == mask).all()
    assert again is not mask


@settings(max_examples=150, deadline=None)
@given(masks, spacings, st.floats(0, 5), st.floats(-5, 5), st.floats(0, 3), st.integers(0, 99))
def test_never_empty_and_never_more_pieces(mask, spacing, translation, growth, jitter, seed):
    result = perturbed(
        mask,
        spacing_mm=spacing,
        seed=seed,
        translation=translation,
        growth=growth,
        jitter=jitter,
    )
    assert result.shape == mask.shape
    assert result.dtype == bool
    pieces = ndimage.label(result, TOUCHING)[1]
    assert 1 <= pieces <= ndimage.label(mask, TOUCHING)[1]


@settings(deadline=None)
@given(masks, st.floats(0, 3), st.floats(0, 3))
def test_growth_only_adds_and_shrinking_only_removes_or_leaves_one_pixel(mask, less, more):
    small, large = sorted((less, more))
    inner, outer = perturbed(mask, growth=small), perturbed(mask, growth=large)
    assert not (mask & ~inner).any()
    assert not (inner & ~outer).any()
    assert not (perturbed(mask, growth=-small) & ~mask).any()


@pytest.mark.parametrize("growth_mm", [-2.0, -0.5, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("spacing", [(0.1, 0.1), (0.1, 0.15)])
def test_growth_adds_perimeter_times_distance(growth_mm, spacing):
    # Steiner: a convex shape of perimeter L grows by L d + pi d^2; L by Ramanujan for the ellipse
    a, b = 6.0, 9.0
    perimeter = np.pi * (3 * (a + b) - np.sqrt((3 * a + b) * (a + 3 * b)))
    mask = ellipse((320, 360), (160, 180), (a, b), spacing)
    grown = perturbed(mask, spacing_mm=spacing, growth=growth_mm)
    added_mm2 = (int(grown.sum()) - int(mask.sum())) * spacing[0] * spacing[1]
    expected = perimeter * growth_mm + np.pi * growth_mm**2
    # for inside curves the formula with a negative d holds while d is below the smallest radius
    assert added_mm2 == pytest.approx(expected, rel=0.06)


@pytest.mark.parametrize("spacing", [None, (0.2, 0.2), (0.1, 0.25)])
def test_a_shift_moves_the_center_by_its_length_and_keeps_the_area(spacing):
    step = np.array(spacing or (1.0, 1.0))
    length = 9 * step.max()
    mask = ellipse()
    angles, lengths = [], []
    for seed in range(12):
        moved = perturbed(mask, spacing_mm=spacing, translation=length, seed=seed)
        vector = (center_of(moved) - center_of(mask)) * step
        # a mask of whole pixels can only follow to the nearest pixel
        assert np.hypot(*vector) == pytest.approx(length, abs=np.hypot(*step) / 2)
        assert moved.sum() == pytest.approx(mask.sum(), rel=0.02)
        angles.append(np.arctan2(*vector))
        lengths.append(np.hypot(*vector))
    assert np.mean(lengths) == pytest.approx(length, rel=0.02)
    assert np.ptp(angles) > np.pi  # all directions, not one


def test_a_shift_ends_at_the_edge_of_the_image():
    mask = np.zeros((30, 40), bool)
    mask[10:20, 12:30] = True
    for seed in range(20):
        moved = perturbed(mask, translation=500.0, seed=seed)
        assert moved.sum() == mask.sum()


def test_jitter_moves_the_contour_by_its_amount_smoothly_and_without_growth():
    mask = ellipse((300, 300), (150, 150), (80, 80))
    lengths, spreads, means = [], [], []
    for seed in range(20):
        line = max(find_contours(perturbed(mask, jitter=3.0, seed=seed), 0.5), key=len)
        out = np.hypot(*(line - 150).T) - 80
        spreads.append(out.std())
        means.append(out.mean())
        lengths.append(ndimage.gaussian_filter1d(out, 5, mode="wrap").std() / out.std())
    assert np.mean(spreads) == pytest.approx(3.0, rel=0.25)
    assert np.abs(means).max() < 1.0
    assert np.mean(lengths) > 0.95  # a saw-tooth would vanish when averaged over some pixels


@pytest.mark.parametrize("amount", ["translation", "growth", "jitter"])
def test_dice_falls_with_every_amount(amount):
    mask = ellipse()
    means = [
        np.mean(
            [
                delineation_agreement(mask, perturbed(mask, seed=s, **{amount: size}), None).dice
                for s in range(12)
            ]
        )
        for size in (0.0, 1.0, 2.0, 4.0, 8.0)
    ]
    assert means[0] == 1
    assert all(later < earlier - 0.005 for earlier, later in pairwise(means))


def test_the_generator_decides_the_mask():
    mask = ellipse()
    first, again, other = (
        perturbed(mask, seed=seed, translation=3, growth=1, jitter=2) for seed in (1, 1, 2)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_millimeters_are_pixels_times_the_spacing():
    mask = ellipse()
    in_pixels = perturbed(mask, translation=4, growth=2, jitter=3)
    in_mm = perturbed(mask, spacing_mm=(0.5, 0.5), translation=2, growth=1, jitter=1.5)
    assert (in_pixels == in_mm).all()


def test_operators_agree_as_their_descriptions_say():
    mask = ellipse((120, 120), (60, 60), (5, 5), (0.15, 0.15))
    found = {}
    for name, operator in (("same", SAME_OPERATOR), ("second", SECOND_OPERATOR)):
        rng = np.random.default_rng(0)
        again = [
            redelineate(mask, spacing_mm=(0.15, 0.15), operator=operator, rng=rng)
            for _ in range(60)
        ]
        dice = [delineation_agreement(mask, one, (0.15, 0.15)).dice for one in again]
        found[name] = np.mean(dice)
    assert found["same"] == pytest.approx(0.97, abs=0.01)
    assert found["second"] == pytest.approx(0.93, abs=0.01)


def test_an_operator_scatters_with_the_mean_and_sd_that_it_has():
    mask = ellipse((120, 120), (60, 60), (5, 5), (0.15, 0.15))
    operator = Operator(0.3, 0.5, 0.2, 0.0)
    rng = np.random.default_rng(0)
    again = [
        redelineate(mask, spacing_mm=(0.15, 0.15), operator=operator, rng=rng) for _ in range(300)
    ]
    shifts = np.array([center_of(one) - center_of(mask) for one in again]) * 0.15
    radii = np.array([np.sqrt(one.sum() * 0.15**2 / np.pi) for one in again])
    assert shifts.std(axis=0) == pytest.approx([0.3, 0.3], rel=0.15)
    assert np.abs(shifts.mean(axis=0)).max() < 0.06
    assert radii.mean() - np.sqrt(mask.sum() * 0.15**2 / np.pi) == pytest.approx(0.5, abs=0.04)
    assert radii.std() == pytest.approx(0.2, rel=0.15)


@settings(max_examples=50, deadline=None)
@given(masks, st.data(), spacings)
def test_agreement_equals_brute_force(a, data, spacing):
    b = data.draw(arrays(bool, a.shape).filter(np.any))

    def line(mask):
        padded = np.pad(mask, 1)
        points = [
            (i, j)
            for i, j in np.argwhere(mask)
            if not padded[[i, i + 2, i + 1, i + 1], [j + 1, j + 1, j, j + 2]].all()
        ]
        return np.array(points) * np.array(spacing or (1.0, 1.0))

    away = cdist(line(a), line(b))
    expected = np.concatenate([away.min(axis=0), away.min(axis=1)]).mean()
    found = delineation_agreement(a, b, spacing)
    places = [set(map(tuple, np.argwhere(mask))) for mask in (a, b)]
    assert found.contour_distance == pytest.approx(expected)
    assert found.jaccard == len(places[0] & places[1]) / len(places[0] | places[1])
    assert found.dice == pytest.approx(2 * found.jaccard / (1 + found.jaccard))
    assert found.unit == ("px" if spacing is None else "mm")


def test_contours_of_concentric_circles_are_apart_by_the_difference_of_their_radii():
    small, large = (
        ellipse((200, 200), (100, 100), (radius, radius), (0.1, 0.1)) for radius in (5, 7)
    )
    found = delineation_agreement(small, large, (0.1, 0.1))
    assert found.contour_distance == pytest.approx(2, abs=0.05)
    assert found.jaccard == pytest.approx(25 / 49, abs=0.005)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mask": np.zeros((4, 4), bool)}, "the mask is empty"),
        ({"mask": np.ones((4, 4, 4), bool)}, r"shape \(4, 4, 4\)"),
        ({"spacing_mm": (0.1, 0.0)}, r"spacing_mm is \(0.1, 0.0\)"),
        ({"translation": -1.0, "jitter": -2.0}, "translation_mm is -1.0; jitter_mm is -2.0"),
        ({"growth": np.nan}, "growth_mm is nan"),
    ],
)
def test_bad_input_is_named(change, message):
    given_ = {"mask": np.eye(4, dtype=bool)} | change
    with pytest.raises(InputError, match=message):
        perturbed(given_.pop("mask"), **given_)


def test_an_operator_needs_millimeters_and_scatter_that_is_not_negative():
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="spacing_mm is None"):
        redelineate(ellipse(), spacing_mm=None, operator=SAME_OPERATOR, rng=rng)
    with pytest.raises(InputError, match="SD below 0"):
        redelineate(
            ellipse(), spacing_mm=(1.0, 1.0), operator=Operator(-1.0, 0.0, 0.0, 0.0), rng=rng
        )


def test_masks_of_two_images_have_no_agreement():
    with pytest.raises(InputError, match=r"\(3, 3\) and mask b \(3, 4\)"):
        delineation_agreement(np.ones((3, 3), bool), np.ones((3, 4), bool), None)
    with pytest.raises(InputError, match="mask b is empty"):
        delineation_agreement(np.ones((3, 3), bool), np.zeros((3, 3), bool), None)
