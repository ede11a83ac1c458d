"""Regions of a cohort with several ultrasound and CT images per nodule."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import SimpleITK
from PIL import Image

from lnm_kit.cohort import CohortInfo, load_cohort, write_cohort
from lnm_kit.errors import InputError
from lnm_kit.regions.nodule_regions import RegionRecipe, check_modalities, nodule_regions
from lnm_kit.regions.targets import boundary_target

INFO = CohortInfo(
    name="squares",
    endpoint="none",
    positive="nothing",
    source="drawn by a test",
    licence="CC0",
    simulated=False,
)
RECIPE = RegionRecipe(us_px=40, ct_px=36)


def neck(value):
    hu = np.full((90, 90), -1000, np.int16)
    hu[10:80, 10:80] = 50
    hu[40:50, 40:50] = value
    return hu


@pytest.fixture
def cohort(tmp_path):
    """Three nodules with two ultrasound and three CT images each."""
    cases, images = [], []
    for number in range(3):
        case = f"n{number}"
        cases.append(
            {
                "case_id": case,
                "patient_id": f"p{number}",
                "center": "center_1",
                "split": "test" if number == 2 else "training",
                "label": number % 2,
            }
        )
        for modality, count in (("us", 2), ("ct", 3)):
            for place in range(count):
                name = f"{case}-{modality}-{place}"
                side = 20 if modality == "us" else 8 + place
                mask = np.zeros((120, 150) if modality == "us" else (90, 90), np.uint8)
                mask[40 : 40 + side, 40 : 40 + side] = 255
                Image.fromarray(mask).save(tmp_path / f"{name}-mask.png")
                if modality == "us":
                    path = f"{name}.png"
                    Image.fromarray(np.where(mask, 60, 130).astype(np.uint8)).save(tmp_path / path)
                else:
                    path = f"{name}.nrrd"
                    SimpleITK.WriteImage(
                        SimpleITK.GetImageFromArray(neck(100)), str(tmp_path / path)
                    )
                images.append(
                    {
                        "image_id": name,
                        "case_id": case,
                        "modality": modality,
                        "view": "axial" if modality == "ct" else "transverse",
                        "path": path,
                        "mask_path": f"{name}-mask.png",
                        "spacing_x_mm": 0.5,
                        "spacing_y_mm": 0.5,
                    }
                )
    return write_cohort(tmp_path, INFO, pd.DataFrame(cases), pd.DataFrame(images))


def test_every_image_has_its_region_and_its_targets(cohort):
    regions = nodule_regions(cohort, RECIPE)
    us, ct = regions["us"], regions["ct"]
    assert us.images.shape == (6, 40, 40)
    assert ct.images.shape == (9, 36, 36)
    assert ct.case_ids == ("n0",) * 3 + ("n1",) * 3 + ("n2",) * 3
    assert us.image_ids[:2] == ("n0-us-0", "n0-us-1")
    # 20 px grown by 40 on each side are 100
    assert us.mm_per_pixel == pytest.approx(0.5 * 100 / 40)
    assert ct.area.tolist() == [0.25 * (8 + place) ** 2 for place in range(3)] * 3
    for mask, ring in us.targets:
        np.testing.assert_array_equal(ring, boundary_target(mask))
    # a window from -100 to 200 HU maps 100 HU to two thirds of 255, and 50 HU to one half
    assert ct.images[0][ct.targets[0, 0]].max() == 170
    assert ct.images.min() == 128


def test_areas_are_counted_in_pixels_where_a_spacing_is_unknown(cohort):
    images = cohort.images.copy()
    images.loc["n1-us-1", ["spacing_x_mm", "spacing_y_mm"]] = np.nan
    us = nodule_regions(replace(cohort, images=images), RECIPE)["us"]
    assert us.area.tolist() == [100, 100, 400, 400, 100, 100]


def test_nodules_without_a_modality_are_all_listed(cohort):
    without = cohort.images.drop(index=["n0-us-0", "n0-us-1", "n1-us-0", "n1-us-1"])
    without = without[(without.case_id != "n2") | (without.modality != "ct")]
    with pytest.raises(InputError) as error:
        check_modalities(replace(cohort, images=without))
    assert "2 cases have no ultrasound image: n0, n1" in str(error.value)
    assert "1 case has no CT image: n2" in str(error.value)
    no_ct = cohort.images[cohort.images.modality == "us"]
    with pytest.raises(InputError, match="no case has a CT image"):
        nodule_regions(replace(cohort, images=no_ct), RECIPE)


def test_unusable_images_are_listed_together(cohort):
    root = cohort.root
    color = np.zeros((120, 150, 3), np.uint8)
    color[..., 0] = 200
    Image.fromarray(color).save(root / "n0-us-0.png")
    raw = SimpleITK.GetImageFromArray((neck(100) + 1024).astype(np.uint16))
    SimpleITK.WriteImage(raw, str(root / "n1-ct-0.nrrd"))
    Image.fromarray(np.zeros((50, 50), np.uint8) + 255).save(root / "n2-us-1-mask.png")
    with pytest.raises(InputError) as error:
        nodule_regions(load_cohort(root), RECIPE)
    message = str(error.value)
    assert "3 images cannot be used" in message
    assert "n0, image n0-us-0 (n0-us-0.png): its region is in color" in message
    assert "n1, image n1-ct-0 (n1-ct-0.nrrd): its values run from 24 to 1124: no air" in message
    assert "n2, image n2-us-1" in message


def test_gray_stored_in_three_channels_is_gray_in_ultrasound_and_refused_in_ct(cohort):
    gray = np.asarray(Image.open(cohort.root / "n0-us-0.png"))
    before = nodule_regions(cohort, RECIPE)["us"].images[0]
    Image.fromarray(np.stack([gray] * 3, axis=-1)).save(cohort.root / "n0-us-0.png")
    np.testing.assert_array_equal(nodule_regions(cohort, RECIPE)["us"].images[0], before)
    Image.fromarray(np.zeros((90, 90, 3), np.uint8)).save(cohort.root / "slice.png")
    images = cohort.images.copy()
    images.loc["n0-ct-0", "path"] = "slice.png"
    with pytest.raises(InputError, match="three channels; CT has one"):
        nodule_regions(replace(cohort, images=images), RECIPE)
