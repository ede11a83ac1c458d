"""Every way in which the files of a cohort can be wrong, each beside a cohort that is right."""

import numpy as np
import pytest
from PIL import Image as PillowImage
from pydicom import examples

from lnm_kit.cohort import check_cohort, load_cohort, write_cohort


def save(cohort, name, pixels):
    PillowImage.fromarray(pixels).save(cohort.root / name)


def found(cohort):
    return [str(problem) for problem in check_cohort(cohort.root, n_jobs=2)]


def test_nothing_is_wrong_with_a_right_cohort(small_cohort):
    assert check_cohort(small_cohort.root) == []


def break_missing(cohort):
    (cohort.root / "images/i1.png").unlink()


def break_truncated(cohort):
    path = cohort.root / "images/i1.png"
    path.write_bytes(path.read_bytes()[:300])


def break_no_image(cohort):
    (cohort.root / "images/i1.png").write_text("these are no pixels")


def break_mask_missing(cohort):
    (cohort.root / "masks/i1.png").unlink()


def break_mask_size(cohort):
    save(cohort, "masks/i1.png", np.eye(20, dtype=np.uint8))


def break_mask_empty(cohort):
    save(cohort, "masks/i1.png", np.zeros((20, 30), np.uint8))


def break_mask_values(cohort):
    save(cohort, "masks/i1.png", np.arange(600, dtype=np.uint16).reshape(20, 30).astype(np.uint8))


def break_constant(cohort):
    save(cohort, "images/i1.png", np.full((20, 30), 7, np.uint8))


def break_copy(cohort):
    (cohort.root / "images/i7.png").write_bytes((cohort.root / "images/i1.png").read_bytes())


@pytest.mark.parametrize(
    ("breaks", "message"),
    [
        (break_missing, "images.csv, row 3: images/i1.png does not exist; allowed: a whole"),
        (break_truncated, "images.csv, row 3: images/i1.png is a truncated PNG"),
        (break_no_image, "images.csv, row 3: images/i1.png is truncated or no image"),
        (break_mask_missing, "images.csv, row 3: masks/i1.png does not exist"),
        (
            break_mask_size,
            (
                "images.csv, row 3: the mask masks/i1.png has 20 x 20 pixels; allowed: the image's "
                "20 x 30 (rows x columns)"
            ),
        ),
        (break_mask_empty, "images.csv, row 3: the mask masks/i1.png is empty, no pixel is set"),
        (
            break_mask_values,
            (
                "images.csv, row 3: the mask masks/i1.png is not binary, it has the values 0, 1, "
                "2, 3, 4 and 251 more; allowed: only 0 and 1, or only 0 and 255"
            ),
        ),
        (break_constant, "images.csv, row 3: every pixel of images/i1.png is 7"),
        (
            break_copy,
            (
                "images.csv, row 9: images/i7.png is in test_a and has the pixels of images/i1.png "
                "(row 3) in training; allowed: no image in two splits"
            ),
        ),
    ],
)
def test_one_broken_file_is_one_problem(small_cohort, breaks, message):
    breaks(small_cohort)
    problems = found(small_cohort)
    assert len(problems) == 1
    assert problems[0].startswith(message)


def test_all_problems_come_at_once(small_cohort):
    break_mask_size(small_cohort)
    break_copy(small_cohort)
    assert len(found(small_cohort)) == 2
    break_truncated(small_cohort)
    (small_cohort.root / "cases.csv").write_text("case_id,label\nc0,2\n")
    text = "\n".join(found(small_cohort))
    for words in ("label is '2'", "no column split", "truncated PNG", "unknown case 'c1'"):
        assert words in text


def test_pixels_are_compared_not_files(small_cohort):
    pixels = np.asarray(PillowImage.open(small_cohort.root / "images/i1.png"))
    PillowImage.fromarray(pixels).save(small_cohort.root / "images/i7.png", compress_level=0)
    assert "has the pixels of images/i1.png" in found(small_cohort)[0]


def test_copies_within_a_split_are_no_leak(small_cohort):
    (small_cohort.root / "images/i3.png").write_bytes(
        (small_cohort.root / "images/i1.png").read_bytes()
    )
    assert found(small_cohort) == []


def test_masks_of_0_and_1_are_as_good_as_0_and_255(small_cohort):
    mask = np.zeros((20, 30), np.uint8)
    mask[3:9, 3:9] = 1
    save(small_cohort, "masks/i2.png", mask)
    assert found(small_cohort) == []


def test_paths_that_leave_the_folder_are_not_opened(small_cohort, tmp_path):
    (tmp_path / "secret.png").write_bytes(b"not an image")
    images = small_cohort.root / "images.csv"
    images.write_text(images.read_text().replace("images/i0.png", "../secret.png"))
    problems = found(small_cohort)
    assert len(problems) == 1
    assert "path is '../secret.png'" in problems[0]


def test_nan_pixels(small_cohort, tmp_path):
    import SimpleITK

    pixels = np.random.default_rng(0).normal(size=(20, 30)).astype(np.float32)
    pixels[3, 4] = np.nan
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(pixels), small_cohort.root / "images/n.nrrd")
    images = small_cohort.images.copy()
    images.loc["i0", "path"] = "images/n.nrrd"
    images.loc["i0", ["spacing_x_mm", "spacing_y_mm"]] = np.nan
    write_cohort(small_cohort.root, small_cohort.info, small_cohort.cases, images)
    assert "images/n.nrrd has NaN or infinite pixels" in found(small_cohort)[0]


def with_dicom(cohort, source, **changes):
    """Put a DICOM file in the place of the first image, with a fitting mask."""
    (cohort.root / "images/d.dcm").write_bytes(source.read_bytes())
    images = cohort.images.copy()
    images.loc["i0", "path"] = "images/d.dcm"
    for column, value in changes.items():
        images.loc["i0", column] = value
    return write_cohort(cohort.root, cohort.info, cohort.cases, images)


def test_a_dicom_without_image(small_cohort):
    cohort = with_dicom(small_cohort, examples.get_path("rt_plan"))
    assert found(cohort) == [
        (
            "images.csv, row 2: images/d.dcm is a DICOM file that holds no image (or breaks off), "
            "it is a RT Plan Storage; allowed: a whole, readable image file"
        )
    ]


def test_a_spacing_that_contradicts_the_file(small_cohort):
    save(small_cohort, "masks/i0.png", np.eye(128, dtype=np.uint8))
    cohort = with_dicom(small_cohort, examples.get_path("ct"))
    assert found(cohort) == [
        (
            "images.csv, row 2: spacing (y, x) is 0.15, 0.15 mm; allowed: what images/d.dcm says "
            "(0.6615, 0.6615 mm), or empty"
        )
    ]
    for value in (0.661468, np.nan):
        cohort = with_dicom(
            small_cohort, examples.get_path("ct"), spacing_x_mm=value, spacing_y_mm=value
        )
        assert found(cohort) == []
    assert load_cohort(cohort.root).images["spacing_x_mm"].isna()["i0"]
