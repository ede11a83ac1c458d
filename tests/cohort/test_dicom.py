"""Real ultrasound files that pydicom ships, and hand-made files whose right answer is known."""

import io
import logging
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image as PillowImage
from pydicom import dcmread, examples
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.pixels import apply_color_lut, convert_color_space
from pydicom.uid import (
    ExplicitVRLittleEndian,
    RLELossless,
    UltrasoundImageStorage,
    UltrasoundMultiFrameImageStorage,
    generate_uid,
)

from lnm_kit.cohort import read_image
from lnm_kit.cohort.dicom import spacing_of
from lnm_kit.errors import InputError

PACKAGED = Path(pydicom.__file__).parent / "data" / "test_files"
SECRET = "Doe^Jane"
GENERATOR = np.random.default_rng(0)


def region(delta_x, delta_y, *, right=30, bottom=20, units=3, spatial_format=1):
    item = Dataset()
    item.RegionSpatialFormat = spatial_format
    item.RegionDataType = 1
    item.RegionLocationMinX0, item.RegionLocationMinY0 = 0, 0
    item.RegionLocationMaxX1, item.RegionLocationMaxY1 = right, bottom
    item.PhysicalUnitsXDirection = item.PhysicalUnitsYDirection = units
    item.PhysicalDeltaX, item.PhysicalDeltaY = delta_x, delta_y
    return item


def make(pixels, photometric, *, frames=None, planar=0, regions=(), signed=False, **elements):
    """Make an ultrasound data set that stores these pixels as they are."""
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    storage = UltrasoundMultiFrameImageStorage if frames else UltrasoundImageStorage
    header.SOPClassUID, header.SOPInstanceUID = storage, generate_uid()
    header.file_meta.MediaStorageSOPClassUID = storage
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    header.PatientName, header.PatientID = SECRET, "ID-4711"
    header.Modality = "US"
    color = pixels.shape[-1] == 3
    header.Rows, header.Columns = pixels.shape[-3:-1] if color else pixels.shape[-2:]
    header.SamplesPerPixel = 3 if color else 1
    header.PhotometricInterpretation = photometric
    bits = pixels.dtype.itemsize * 8
    header.BitsAllocated = header.BitsStored = bits
    header.HighBit, header.PixelRepresentation = bits - 1, int(signed)
    if color:
        header.PlanarConfiguration = planar
        if planar:
            pixels = np.moveaxis(pixels, -1, -3)
    if frames:
        header.NumberOfFrames = frames
    if regions:
        header.SequenceOfUltrasoundRegions = list(regions)
    header.PixelData = np.ascontiguousarray(pixels).tobytes()
    for name, value in elements.items():
        setattr(header, name, value)
    return header


def read(header, tmp_path):
    header.save_as(tmp_path / "a.dcm", enforce_file_format=True)
    return read_image(tmp_path / "a.dcm")


# --- real files: rgb_color, ybr_color, palette_color and jpeg2k are in pydicom's wheel ---------


def test_rgb_color():
    image = read_image(examples.get_path("rgb_color"))
    assert image.pixels.shape == (240, 320, 3)
    assert (image.pixels == examples.rgb_color.pixel_array).all()
    assert image.gray().shape == (240, 320)


def test_ybr_color_is_thirty_jpeg_frames_in_rgb():
    image = read_image(examples.get_path("ybr_color"))
    assert image.pixels.shape == (30, 240, 320, 3)
    raw = examples.ybr_color
    raw.pixel_array_options(raw=True)
    for stored, frame in zip(raw.pixel_array, image.pixels, strict=True):
        assert (frame == convert_color_space(stored, "YBR_FULL", "RGB")).all()
    assert image.gray().shape == (30, 240, 320)


def test_ybr_color_agrees_with_another_jpeg_decoder():
    pixels = read_image(examples.get_path("ybr_color")).pixels
    encoded = generate_frames(examples.ybr_color.PixelData, number_of_frames=30)
    for data, frame in zip(encoded, pixels, strict=True):
        pillow = np.asarray(PillowImage.open(io.BytesIO(data)).convert("RGB")).astype(int)
        # the two decoders interpolate the halved chroma differently
        assert np.percentile(np.abs(pillow - frame), 99) <= 12
        assert np.abs(pillow.mean(axis=-1) - frame.mean(axis=-1)).mean() < 1


def test_palette_color_is_looked_up():
    image = read_image(examples.get_path("palette_color"))
    header = examples.palette_color
    assert image.pixels.shape == (350, 800, 3)
    assert (image.pixels == apply_color_lut(header.pixel_array, header)).all()


def test_jpeg2k():
    image = read_image(examples.get_path("jpeg2k"))
    assert image.pixels.shape == (480, 640, 3)
    assert (image.pixels == examples.jpeg2k.pixel_array).all()
    # the file is stored as YBR_RCT, whose decoded form is RGB: its background is black
    assert (image.pixels[0, 0] == 0).all()


@pytest.mark.parametrize("name", ["ybr_color", "palette_color"])
def test_regions_of_another_image_size_give_no_spacing(name):
    # both files were shrunk after their regions were written: a region ends outside of the image
    header = getattr(examples, name)
    first = header.SequenceOfUltrasoundRegions[0]
    assert first.RegionLocationMaxY1 > header.Rows
    assert read_image(examples.get_path(name)).spacing_mm is None


def test_ct_is_in_hounsfield_units():
    image = read_image(examples.get_path("ct"))
    header = examples.ct
    expected = header.pixel_array * int(header.RescaleSlope) + int(header.RescaleIntercept)
    assert image.pixels.dtype == np.int16
    assert (image.pixels == expected).all()
    assert image.spacing_mm == (0.661468, 0.661468)


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("MR_small_RLE.dcm", "MR_small.dcm"),
        ("MR_small_jp2klossless.dcm", "MR_small.dcm"),
        ("MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm"),
        ("MR_small_bigendian.dcm", "MR_small.dcm"),
        ("MR_small_padded.dcm", "MR_small.dcm"),
    ],
)
def test_every_lossless_coding_gives_the_same_pixels(name, like):
    assert (read_image(PACKAGED / name).pixels == read_image(PACKAGED / like).pixels).all()


def test_uncompressed_ybr_full_422_is_converted():
    image = read_image(PACKAGED / "SC_ybr_full_422_uncompressed.dcm")
    assert image.pixels.shape == (100, 100, 3)
    # the test card has saturated bars: red at the top, in Y, Cb, Cr it would read (76, 85, 255)
    assert image.pixels[5, 50].tolist() == [254, 0, 0]


# --- hand-made files ---------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535)])
def test_monochrome1_is_inverted(tmp_path, dtype, top):
    pixels = GENERATOR.integers(0, top + 1, (20, 30), dtype=dtype)
    assert (read(make(pixels, "MONOCHROME2"), tmp_path).pixels == pixels).all()
    inverted = read(make(pixels, "MONOCHROME1"), tmp_path).pixels
    assert inverted.dtype == dtype
    assert (inverted == top - pixels).all()


def test_monochrome1_is_inverted_within_the_stored_bits(tmp_path):
    pixels = np.array([[0, 1], [4094, 4095]], np.uint16)
    header = make(pixels, "MONOCHROME1", BitsStored=12, HighBit=11)
    assert read(header, tmp_path).pixels.tolist() == [[4095, 4094], [1, 0]]


def test_signed_monochrome1(tmp_path):
    pixels = np.array([[-32768, -1], [0, 32767]], np.int16)
    header = make(pixels, "MONOCHROME1", signed=True)
    assert read(header, tmp_path).pixels.tolist() == [[32767, 0], [-1, -32768]]


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("frames", [None, 4])
def test_planar_configuration_and_frames_do_not_matter(tmp_path, planar, frames):
    shape = (20, 30, 3) if frames is None else (frames, 20, 30, 3)
    pixels = GENERATOR.integers(0, 256, shape, dtype=np.uint8)
    image = read(make(pixels, "RGB", frames=frames, planar=planar), tmp_path)
    assert (image.pixels == pixels).all()


def test_gray_frames(tmp_path):
    pixels = GENERATOR.integers(0, 256, (5, 20, 30), dtype=np.uint8)
    image = read(make(pixels, "MONOCHROME2", frames=5), tmp_path)
    assert (image.pixels == pixels).all()


def test_ybr_full_of_known_colors(tmp_path):
    # JFIF / DICOM PS3.3 C.7.6.3.1.2: white, black, mid-gray, pure red
    stored = np.array([[[255, 128, 128], [0, 128, 128]], [[90, 128, 128], [76, 85, 255]]], np.uint8)
    image = read(make(stored, "YBR_FULL"), tmp_path)
    expected = np.array([[[255] * 3, [0] * 3], [[90] * 3, [254, 0, 0]]])
    assert np.abs(image.pixels.astype(int) - expected).max() <= 1


def test_rle_compressed_ultrasound(tmp_path):
    pixels = GENERATOR.integers(0, 4, (3, 20, 30, 3), dtype=np.uint8)
    header = make(pixels, "RGB", frames=3)
    header.compress(RLELossless)
    assert (read(header, tmp_path).pixels == pixels).all()


def test_a_palette_of_known_colors(tmp_path):
    pixels = np.array([[0, 1], [2, 0]], np.uint8)
    header = make(pixels, "PALETTE COLOR")
    table = {"Red": [255, 0, 10], "Green": [0, 255, 20], "Blue": [0, 0, 30]}
    for color, values in table.items():
        setattr(header, f"{color}PaletteColorLookupTableDescriptor", [4, 0, 8])
        setattr(header, f"{color}PaletteColorLookupTableData", bytes([*values, 7]))
    expected = [[[255, 0, 0], [0, 255, 0]], [[10, 20, 30], [255, 0, 0]]]
    assert read(header, tmp_path).pixels.tolist() == expected


def test_regions_give_centimeters_in_row_column_order(tmp_path):
    pixels = GENERATOR.integers(0, 256, (20, 30), dtype=np.uint8)
    header = make(pixels, "MONOCHROME2", regions=[region(0.012, -0.009)])
    assert read(header, tmp_path).spacing_mm == pytest.approx((0.09, 0.12))


@pytest.mark.parametrize(
    ("regions", "spacing_mm"),
    [
        # a Doppler trace below the image (format 3, seconds) says nothing about the image
        ([region(0.01, 0.01), region(0.004, 0.3, units=4, spatial_format=3)], (0.1, 0.1)),
        ([region(0.01, 0.01), region(0.01, 0.01)], (0.1, 0.1)),
        ([region(0.01, 0.01), region(0.02, 0.02)], None),
        ([region(0.01, 0.01, right=31)], None),
        ([region(0.0, 0.01)], None),
        ([region(0.01, 0.01, units=4)], (0.3, 0.4)),
    ],
    ids=["beside Doppler", "two alike", "two different", "outside", "zero", "not in cm"],
)
def test_which_regions_count(tmp_path, regions, spacing_mm):
    pixels = GENERATOR.integers(0, 256, (20, 30), dtype=np.uint8)
    header = make(pixels, "MONOCHROME2", regions=regions, PixelSpacing=[0.3, 0.4])
    found = read(header, tmp_path).spacing_mm
    assert found is None if spacing_mm is None else found == pytest.approx(spacing_mm)


def test_without_any_statement_the_spacing_is_unknown():
    assert spacing_of(Dataset()) is None


# --- what is no image, and what must not be told -----------------------------------------------


@pytest.mark.parametrize("name", ["rt_plan", "waveform"])
def test_a_dicom_that_is_no_image(name):
    with pytest.raises(InputError, match="holds no image"):
        read_image(examples.get_path(name))


def test_a_file_that_is_no_dicom(tmp_path):
    (tmp_path / "a.dcm").write_bytes(b"x" * 1000)
    with pytest.raises(InputError, match="no DICOM file"):
        read_image(tmp_path / "a.dcm")


@pytest.mark.parametrize("name", ["rgb_color", "ybr_color", "jpeg2k", "palette_color"])
@pytest.mark.parametrize("share", [0.001, 0.02, 0.3, 0.9])
def test_a_truncated_dicom_is_refused(tmp_path, name, share):
    data = examples.get_path(name).read_bytes()
    (tmp_path / "a.dcm").write_bytes(data[: int(share * len(data))])
    with pytest.raises(InputError):
        read_image(tmp_path / "a.dcm")


def test_an_unknown_photometric_interpretation(tmp_path):
    pixels = np.zeros((20, 30, 3), np.uint8)
    with pytest.raises(InputError, match="photometric interpretation HSV"):
        read(make(pixels, "HSV"), tmp_path)


def test_the_patient_is_never_told(tmp_path, caplog):
    """Neither in results nor in messages, warnings and logs, even where the header is invalid."""
    pixels = GENERATOR.integers(0, 256, (20, 30), dtype=np.uint8)
    header = make(pixels, "MONOCHROME2")
    told = []
    with warnings.catch_warnings(record=True) as warned, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        told.append(repr(read(header, tmp_path)))
        whole = (tmp_path / "a.dcm").read_bytes()
        # an invalid date that holds the name, and a length that lies
        spoiled = whole.replace(b"ID-4711 ", b"Doe^Jane").replace(b"US\x00\x00", b"Jane")
        for data in (whole[:-100], whole[:400], spoiled, whole.replace(b"MONOCHROME2", b"DOE")):
            (tmp_path / "a.dcm").write_bytes(data)
            try:
                told.append(repr(read_image(tmp_path / "a.dcm")))
            except InputError as error:
                told += [str(error), repr(error.__cause__)]
    told += [str(warning.message) for warning in warned] + [caplog.text]
    assert "Doe" not in " ".join(told)
    assert "4711" not in " ".join(told)


def test_the_header_that_is_read_holds_no_patient(monkeypatch, tmp_path):
    from lnm_kit.cohort import dicom

    seen = []

    def remember(*arguments, **options):
        seen.append(dcmread(*arguments, **options))
        return seen[-1]

    monkeypatch.setattr(dicom, "dcmread", remember)
    read(make(np.eye(20, 30).astype(np.uint8), "MONOCHROME2"), tmp_path)
    assert len(seen) == 1
    assert "PatientName" not in seen[0]
    assert "PatientID" not in seen[0]
