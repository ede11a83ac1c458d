import numpy as np
import pytest
from PIL import Image

from lnm_kit.errors import InputError
from lnm_kit.regions.images import read_masked_image


def test_spacing_is_row_then_column(small_cohort):
    row = small_cohort.images.loc["i0"].copy()
    row["spacing_x_mm"], row["spacing_y_mm"] = 0.1, 0.3
    assert read_masked_image(small_cohort.root, row).spacing_mm == (0.3, 0.1)


def test_an_empty_spacing_of_a_png_is_unknown(small_cohort):
    assert read_masked_image(small_cohort.root, small_cohort.images.loc["i5"]).spacing_mm is None


def test_color_is_read_as_luminance(small_cohort):
    path = small_cohort.root / "image0.png"
    Image.fromarray(np.full((60, 80, 3), (100, 100, 100), np.uint8)).save(path)
    image = read_masked_image(small_cohort.root, small_cohort.images.loc["i0"])
    assert image.gray.shape == image.mask.shape == (60, 80)
    assert (image.gray == 100).all()


def test_a_mask_of_another_size_is_named(small_cohort):
    Image.fromarray(np.full((5, 5), 255, np.uint8)).save(small_cohort.root / "mask0.png")
    with pytest.raises(InputError, match=r"image0.png has \(60, 80\).*mask0.png has \(5, 5\)"):
        read_masked_image(small_cohort.root, small_cohort.images.loc["i0"])
