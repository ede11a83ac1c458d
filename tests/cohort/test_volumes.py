import gzip
import struct

import numpy as np
import pytest
import SimpleITK

from lnm_kit.cohort import read_image
from lnm_kit.errors import InputError

PIXELS = np.random.default_rng(0).integers(-1000, 1000, (20, 30)).astype(np.int16)


def write(path, pixels, spacing, *, color=False):
    image = SimpleITK.GetImageFromArray(pixels, isVector=color)
    image.SetSpacing(spacing)
    SimpleITK.WriteImage(image, str(path))


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd"])
def test_pixels_and_spacing_come_back(tmp_path, name):
    write(tmp_path / name, PIXELS, (0.2, 0.1))  # x, y
    image = read_image(tmp_path / name)
    assert image.pixels.dtype == np.int16
    assert (image.pixels == PIXELS).all()
    assert image.spacing_mm == pytest.approx((0.1, 0.2))


@pytest.mark.parametrize("name", ["a.nii.gz", "a.nrrd"])
def test_slices_come_first_and_a_single_slice_is_an_image(tmp_path, name):
    volume = np.stack([PIXELS, PIXELS + 1, PIXELS + 2])
    write(tmp_path / name, volume, (0.7, 0.6, 5.0))
    image = read_image(tmp_path / name)
    assert (image.pixels == volume).all()
    assert image.spacing_mm == pytest.approx((0.6, 0.7))
    write(tmp_path / name, volume[:1], (0.7, 0.6, 5.0))
    assert (read_image(tmp_path / name).pixels == PIXELS).all()


def test_colors_come_last(tmp_path):
    colors = np.random.default_rng(1).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    write(tmp_path / "a.nrrd", colors, (0.2, 0.1), color=True)
    assert (read_image(tmp_path / "a.nrrd").pixels == colors).all()


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd"])
@pytest.mark.parametrize("left", [0, 20, 400, -300, -1])
def test_a_truncated_file_is_refused(tmp_path, name, left):
    # SimpleITK alone reads a truncated NIfTI file and fills it with zeros
    write(tmp_path / name, PIXELS, (0.2, 0.1))
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[:left])
    with pytest.raises(InputError, match=r"truncated|damaged|no NIfTI"):
        read_image(tmp_path / name)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.nrrd"])
def test_what_is_no_volume(tmp_path, name):
    (tmp_path / name).write_bytes(b"these are no pixels" * 100)
    with pytest.raises(InputError):
        read_image(tmp_path / name)


def test_a_file_that_states_no_unit_has_no_spacing(tmp_path):
    write(tmp_path / "a.nii.gz", PIXELS, (0.2, 0.1))
    data = bytearray(gzip.decompress((tmp_path / "a.nii.gz").read_bytes()))
    data[123] = 0  # xyzt_units: unknown
    (tmp_path / "b.nii").write_bytes(data)
    assert read_image(tmp_path / "b.nii").spacing_mm is None
    head = b"NRRD0004\ntype: short\ndimension: 2\nsizes: 30 20\nendian: little\nencoding: raw\n"
    (tmp_path / "b.nrrd").write_bytes(head + b"\n" + PIXELS.tobytes())
    image = read_image(tmp_path / "b.nrrd")
    assert (image.pixels == PIXELS).all()
    assert image.spacing_mm is None
    (tmp_path / "c.nrrd").write_bytes(head + b"spacings: 0.2 0.1\n\n" + PIXELS.tobytes())
    assert read_image(tmp_path / "c.nrrd").spacing_mm == pytest.approx((0.1, 0.2))


@pytest.mark.parametrize("order", ["<", ">"])
def test_nifti_of_both_byte_orders_is_measured(tmp_path, order):
    pixels = PIXELS.astype(f"{order}i2")
    one = bytearray(352)
    struct.pack_into(f"{order}i", one, 0, 348)
    struct.pack_into(f"{order}8h", one, 40, 2, 30, 20, 1, 1, 1, 1, 1)
    struct.pack_into(f"{order}2h", one, 70, 4, 16)  # int16
    struct.pack_into(f"{order}8f", one, 76, 1, 0.2, 0.1, 1, 1, 1, 1, 1)
    struct.pack_into(f"{order}2f", one, 108, 352, 1)
    one[123] = 2  # millimeters
    one[344:348] = b"n+1\0"
    (tmp_path / "a.nii").write_bytes(bytes(one) + pixels.tobytes())
    image = read_image(tmp_path / "a.nii")
    assert (image.pixels == PIXELS).all()
    assert image.spacing_mm == pytest.approx((0.1, 0.2))
    (tmp_path / "a.nii").write_bytes(bytes(one) + pixels.tobytes()[:-2])
    with pytest.raises(InputError, match="truncated"):
        read_image(tmp_path / "a.nii")


@pytest.mark.parametrize("order", ["<", ">"])
def test_nifti_2_is_named(tmp_path, order):
    (tmp_path / "a.nii").write_bytes(struct.pack(f"{order}i", 540) + bytes(2000))
    with pytest.raises(InputError, match="NIfTI-2"):
        read_image(tmp_path / "a.nii")
