import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from lnm_kit.cohort import Image, read_image, read_mask
from lnm_kit.cohort.images import find_mask_fault
from lnm_kit.errors import InputError

GENERATOR = np.random.default_rng(0)
GRAY = GENERATOR.integers(0, 256, (20, 30), dtype=np.uint8)
COLOR = GENERATOR.integers(0, 256, (20, 30, 3), dtype=np.uint8)
DEEP = GENERATOR.integers(0, 65536, (20, 30), dtype=np.uint16)


def jpg_bytes(pixels, **options):
    file = io.BytesIO()
    PillowImage.fromarray(pixels).save(file, "JPEG", quality=85, **options)
    return file.getvalue()


@pytest.mark.parametrize("pixels", [GRAY, COLOR, DEEP], ids=["gray", "color", "16 bit"])
def test_png_gives_back_the_stored_pixels(tmp_path, pixels):
    PillowImage.fromarray(pixels).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.pixels.dtype == pixels.dtype
    assert (image.pixels == pixels).all()
    assert image.spacing_mm is None


def test_png_of_16_bit_colors_keeps_its_16_bits(tmp_path):
    import SimpleITK

    deep = GENERATOR.integers(0, 65536, (20, 30, 3), dtype=np.uint16)
    path = str(tmp_path / "a.png")
    SimpleITK.WriteImage(SimpleITK.GetImageFromArray(deep, isVector=True), path)
    assert (read_image(path).pixels == deep).all()


def test_alpha_is_dropped_and_palettes_are_looked_up(tmp_path):
    alpha = np.dstack([COLOR, np.full((20, 30), 9, np.uint8)])
    PillowImage.fromarray(alpha).save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png").pixels == COLOR).all()
    palette = PillowImage.fromarray(GRAY // 64)
    palette.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    palette.save(tmp_path / "p.png")
    colors = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]], np.uint8)
    assert (read_image(tmp_path / "p.png").pixels == colors[GRAY // 64]).all()


def test_exif_orientation_is_not_applied(tmp_path):
    exif = PillowImage.Exif()
    exif[0x0112] = 6  # "rotate by 90 degrees"
    data = jpg_bytes(GRAY)
    (tmp_path / "plain.jpg").write_bytes(data)
    (tmp_path / "turned.jpg").write_bytes(jpg_bytes(GRAY, exif=exif))
    plain, turned = (read_image(tmp_path / f"{name}.jpg").pixels for name in ("plain", "turned"))
    assert (plain == turned).all()


def test_the_given_spacing_counts(tmp_path):
    PillowImage.fromarray(GRAY).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png", spacing_mm=(0.1, 0.2)).spacing_mm == (0.1, 0.2)


@pytest.mark.parametrize("ending", ["jpg", "png"])
@settings(max_examples=60, deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path_factory, ending, share):
    file = io.BytesIO()
    PillowImage.fromarray(COLOR).save(file, "JPEG" if ending == "jpg" else "PNG")
    data = file.getvalue()
    path = tmp_path_factory.mktemp("cut") / f"a.{ending}"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError, match="truncated"):
        read_image(path)


@pytest.mark.parametrize(
    ("name", "words"),
    [("a.png", "does not exist"), ("a.bmp", "not of a format"), ("folder.png", "is a folder")],
)
def test_what_is_not_there_or_not_readable(tmp_path, name, words):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(InputError, match=words):
        read_image(tmp_path / name)


def test_cmyk_is_refused(tmp_path):
    PillowImage.new("CMYK", (4, 4)).save(tmp_path / "a.jpg")
    with pytest.raises(InputError, match="color mode CMYK"):
        read_image(tmp_path / "a.jpg")


@given(st.integers(0, 255))
def test_gray_of_gray_colors_is_themselves(value):
    pixels = np.full((2, 2, 3), value, np.uint8)
    assert (Image(pixels, None).gray() == value).all()


def test_gray_keeps_frames_and_dtype():
    clip = GENERATOR.integers(0, 256, (4, 20, 30, 3), dtype=np.uint8)
    gray = Image(clip, None).gray()
    assert gray.shape == (4, 20, 30)
    assert gray.dtype == np.uint8
    for frame, one in zip(clip, gray, strict=True):
        # Pillow's "L" is the same weighting in integer arithmetic
        pillow = np.asarray(PillowImage.fromarray(frame).convert("L")).astype(int)
        assert np.abs(pillow - one).max() <= 1
    assert Image(DEEP, None).gray() is DEEP


@pytest.mark.parametrize("top", [1, 255])
def test_masks_of_either_coding_are_the_same(tmp_path, top):
    mask = np.zeros((20, 30), bool)
    mask[4:9, 5:20] = True
    PillowImage.fromarray(mask.astype(np.uint8) * top).save(tmp_path / "m.png")
    PillowImage.fromarray(np.dstack([mask.astype(np.uint8) * top] * 3)).save(tmp_path / "c.png")
    for name in ("m.png", "c.png"):
        read = read_mask(tmp_path / name)
        assert read.dtype == bool
        assert (read == mask).all()


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (np.zeros((4, 4), np.uint8), "empty"),
        (np.array([[0, 1], [255, 0]], np.uint8), "not binary, it has the values 0, 1, 255"),
        (np.array([[0, 128], [128, 0]], np.uint8), "not binary"),
        (np.array([[[255, 0, 0]], [[0, 0, 0]]], np.uint8), "colored"),
    ],
)
def test_what_is_no_mask(tmp_path, pixels, words):
    PillowImage.fromarray(pixels).save(tmp_path / "m.png")
    with pytest.raises(InputError, match=words):
        read_mask(tmp_path / "m.png")


def test_a_mask_saved_as_jpg_is_refused(tmp_path):
    mask = np.zeros((40, 40), np.uint8)
    mask[10:23, 11:29] = 255
    (tmp_path / "m.jpg").write_bytes(jpg_bytes(mask))
    with pytest.raises(InputError, match="not binary"):
        read_mask(tmp_path / "m.jpg")


def test_a_nan_in_a_mask_is_a_fault():
    assert find_mask_fault(np.array([[0.0, np.nan], [1.0, 0.0]])) is not None
