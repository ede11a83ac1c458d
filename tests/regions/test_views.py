from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from lnm_kit.errors import InputError
from lnm_kit.regions.crop import crop_regions
from lnm_kit.regions.views import crop_views, pair_views

VIEWS = ["longitudinal", "transverse"]


@pytest.fixture
def two_planes(small_cohort):
    """Three cases of two images each: of case c0 images i0 and i1, of c1 i2 and i3, and so on."""
    images = small_cohort.images.assign(
        case_id=["c0", "c0", "c1", "c1", "c2", "c2"],
        view=["longitudinal", "transverse", "transverse", "longitudinal", *VIEWS],
    )
    cases = small_cohort.cases.loc[["c0", "c1", "c2"]]
    return replace(small_cohort, cases=cases, images=images)


def with_images(cohort, images):
    return replace(cohort, images=images)


def test_each_view_of_each_case_is_found_whatever_the_order_of_the_table(two_planes):
    expected = pd.DataFrame(
        {"longitudinal": ["i0", "i3", "i4"], "transverse": ["i1", "i2", "i5"]},
        index=["c0", "c1", "c2"],
    )
    shuffled = with_images(two_planes, two_planes.images.sample(frac=1, random_state=1))
    for cohort in (two_planes, shuffled):
        found = pair_views(cohort, VIEWS)
        assert found.index.tolist() == expected.index.tolist()
        assert found.columns.tolist() == VIEWS
        assert found.to_numpy().tolist() == expected.to_numpy().tolist()


def test_rows_follow_the_cases_and_columns_the_views_named(two_planes):
    turned = replace(two_planes, cases=two_planes.cases.iloc[::-1])
    found = pair_views(turned, VIEWS[::-1])
    assert found.index.tolist() == ["c2", "c1", "c0"]
    assert found.loc["c0"].tolist() == ["i1", "i0"]


def test_channels_are_the_crops_of_the_images_paired(two_planes):
    crops, masks, scales_mm = crop_views(two_planes, VIEWS, size_px=12)
    single, single_masks = crop_regions(two_planes, size_px=12)
    rows = [[0, 1], [3, 2], [4, 5]]
    assert crops.shape == masks.shape == (3, 2, 12, 12)
    assert (crops == single[rows]).all()
    assert (masks == single_masks[rows]).all()
    assert len({int(crop.max()) for crop in crops.reshape(6, -1)}) == 6
    assert np.isnan(scales_mm).tolist() == [[False, False], [False, False], [False, True]]
    assert scales_mm[0, 0] == pytest.approx(0.2 * 13 / 12)


def test_other_views_are_left_aside(two_planes):
    images = two_planes.images
    more = pd.concat([images, images.iloc[:1].assign(view="oblique").set_axis(["i9"])])
    assert pair_views(with_images(two_planes, more), VIEWS).equals(pair_views(two_planes, VIEWS))


def test_all_cases_without_a_plane_or_with_two_of_one_are_listed_together(two_planes):
    images = two_planes.images.copy()
    images.loc["i2", "view"] = "longitudinal"
    images = images.drop(index="i1")
    with pytest.raises(InputError) as caught:
        pair_views(with_images(two_planes, images), VIEWS)
    message = str(caught.value)
    assert "2 cases have no transverse image: c0, c1" in message
    assert "1 case has several longitudinal images: c1" in message
    assert "c2" not in message.split("The images of this cohort")[0]


def test_a_cohort_without_the_view_says_which_views_it_has(small_cohort):
    with pytest.raises(InputError, match="no image shows the view 'longitudinal'") as caught:
        pair_views(small_cohort, VIEWS)
    assert "transverse (6)" in str(caught.value)


@pytest.mark.parametrize("views", [[], ["transverse", "transverse"]])
def test_views_are_named_once(two_planes, views):
    with pytest.raises(InputError, match="each named once"):
        pair_views(two_planes, views)


def test_nothing_is_cropped_before_the_planes_are_known_to_be_there(two_planes):
    images = two_planes.images.drop(index="i0").assign(path="nowhere.png")
    with pytest.raises(InputError, match="c0"):
        crop_views(with_images(two_planes, images), VIEWS, size_px=8)
