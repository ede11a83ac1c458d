from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_erosion

from lnm_kit.errors import InputError
from lnm_kit.regions.contrast import crop_contrast, pair_contrast, saturation

GOLD = np.array([0.9, 0.6, 0.3])


@pytest.fixture
def contrast_cohort(small_cohort):
    """Cases c0, c1 and c2 with a gray and a golden image each, and a clip of one frame of c0."""
    images = small_cohort.images.copy()
    images["case_id"] = ["c0", "c0", "c1", "c1", "c2", "c2"]
    images["modality"] = ["us", "ceus"] * 3
    images["time_s"] = np.nan
    for path in images.path[images.modality == "ceus"]:
        gray = np.asarray(Image.open(small_cohort.root / path))
        color = np.rint(gray[..., None] * GOLD).astype(np.uint8)
        Image.fromarray(color).save(small_cohort.root / path)
    images.loc["frame"] = images.loc["i1"]
    images.loc["frame", "time_s"] = 12.0
    return replace(small_cohort, cases=small_cohort.cases.loc[["c0", "c1", "c2"]], images=images)


def test_stills_are_paired_and_frames_of_a_clip_left_aside(contrast_cohort):
    pairs = pair_contrast(contrast_cohort)
    assert pairs.lacking == {}
    assert pairs.images.loc["c1"].to_dict() == {"b_mode": "i2", "ceus": "i3"}


def test_crops_are_of_the_nodule_in_gray_and_in_color(contrast_cohort):
    pairs = pair_contrast(contrast_cohort).images
    b_mode, ceus, masks = crop_contrast(contrast_cohort, pairs, size_px=16, margin=0.2)
    assert b_mode.shape == (3, 16, 16)
    assert ceus.shape == (3, 16, 16, 3)
    for case, gray in ((0, 20), (1, 100), (2, 180)):
        # a pixel at the edge is a mean of both sides
        inside = [binary_erosion(mask) for mask in masks[case]]
        assert (b_mode[case][inside[0]] == gray).all()
        expected = np.rint((gray + 40) * GOLD).astype(np.uint8)
        assert (ceus[case][inside[1]] == expected).all()


def test_a_pixel_of_a_crop_is_the_mean_of_what_it_covers(contrast_cohort):
    pairs = pair_contrast(contrast_cohort).images
    path = contrast_cohort.root / contrast_cohort.images.path["i4"]
    pixels = np.asarray(Image.open(path)).copy()
    pixels[20:38, 30:48] = 100 + 100 * (np.indices((18, 18)).sum(axis=0) % 2)
    Image.fromarray(pixels).save(path)
    b_mode, _, masks = crop_contrast(contrast_cohort, pairs, size_px=9, margin=0.0)
    assert masks[2, 0].all()
    assert np.abs(b_mode[2].astype(int) - 150).max() <= 1


def test_cases_that_lack_an_image_are_listed_and_left_out(contrast_cohort):
    spoiled = replace(contrast_cohort, images=contrast_cohort.images.drop(["i3", "i4"]))
    pairs = pair_contrast(spoiled)
    assert pairs.images.index.tolist() == ["c0"]
    assert pairs.lacking == {"no B-mode image": ["c2"], "no contrast-enhanced frame": ["c1"]}


def test_several_images_and_other_planes_are_refused_with_the_cases(contrast_cohort):
    images = contrast_cohort.images.copy()
    images.loc["i3", "view"] = "longitudinal"
    images.loc["again"] = images.loc["i0"]
    with pytest.raises(InputError) as error:
        pair_contrast(replace(contrast_cohort, images=images))
    assert "several B-mode images: c0" in str(error.value)
    assert "of different planes: c1" in str(error.value)


def test_no_pair_at_all_is_refused(contrast_cohort):
    only = contrast_cohort.images[contrast_cohort.images.modality == "us"]
    with pytest.raises(InputError, match="no case has both"):
        pair_contrast(replace(contrast_cohort, images=only))


def test_gray_where_color_is_expected_and_the_reverse_are_listed_together(contrast_cohort):
    images = contrast_cohort.images.copy()
    images.loc[["i2", "i3"], "modality"] = ["ceus", "us"]
    cohort = replace(contrast_cohort, images=images)
    with pytest.raises(InputError) as error:
        crop_contrast(cohort, pair_contrast(cohort).images, size_px=16, margin=0.2)
    assert "c1: image3.png is in color, a B-mode image is gray" in str(error.value)
    assert "c1: image2.png is gray, a contrast-enhanced frame is in" in str(error.value)
    assert "c0" not in str(error.value)


def test_the_tint_of_a_screen_is_no_color():
    # channel means of the paper's B-mode and contrast-enhanced images
    assert saturation(np.full((4, 4, 3), (48, 51, 57), np.uint8)) < 0.2
    assert saturation(np.full((4, 4, 3), (58, 39, 23), np.uint8)) > 0.5
    assert saturation(np.zeros((4, 4, 3), np.uint8)) == 0
