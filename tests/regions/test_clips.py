from dataclasses import replace

import numpy as np
import pytest

from lnm_kit.errors import InputError
from lnm_kit.regions.clips import cases_with_clip, read_clip, ring_around


@pytest.fixture
def clip_cohort(small_cohort):
    """Case c0 has a clip of five frames in the wrong order; c1 has one frame with a time."""
    images = small_cohort.images.assign(
        case_id=["c0"] * 5 + ["c1"], modality="ceus", mask_path="mask2.png",
        time_s=[8.0, 0.0, 4.0, 6.0, 12.0, 5.0],
    )  # fmt: skip
    return replace(small_cohort, images=images)


def test_frames_come_in_the_order_of_their_times(clip_cohort):
    clip = read_clip(clip_cohort, "c0")
    assert clip.time_s.tolist() == [0, 4, 6, 8, 12]
    assert clip.frames.shape == (5, 60, 80)
    assert clip.frames[:, 0, 0].tolist() == [11, 12, 13, 10, 14]
    assert clip.mask.sum() == 14**2


def test_a_clip_needs_frames_with_times(clip_cohort):
    assert cases_with_clip(clip_cohort) == ["c0"]
    without = replace(clip_cohort, images=clip_cohort.images.drop(columns="time_s"))
    assert cases_with_clip(without) == []
    with pytest.raises(InputError, match="c1 has 1 contrast-enhanced frames"):
        read_clip(clip_cohort, "c1")


def test_equal_times_are_refused(clip_cohort):
    images = clip_cohort.images.assign(time_s=[8.0, 8.0, 4.0, 6.0, 12.0, 5.0])
    with pytest.raises(InputError, match="c0: two frames"):
        read_clip(replace(clip_cohort, images=images), "c0")


def test_ring_is_beside_the_nodule_and_of_the_given_width():
    mask = np.zeros((41, 41), bool)
    mask[15:26, 15:26] = True
    ring = ring_around(mask, inner_px=2, outer_px=5)
    assert not (ring & mask).any()
    assert np.flatnonzero(ring[20]).tolist() == [10, 11, 12, 28, 29, 30]
    with pytest.raises(InputError, match="from 3 to 3"):
        ring_around(mask, inner_px=3, outer_px=3)
