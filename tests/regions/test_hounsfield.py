import numpy as np
import pytest
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from lnm_kit.errors import InputError
from lnm_kit.regions.hounsfield import find_hounsfield_fault, window_hu


def test_a_window_is_linear_inside_and_flat_outside():
    hu = np.arange(-1000, 1000)[None]
    gray = window_hu(hu, center_hu=50, width_hu=300)
    assert gray.dtype == np.uint8
    assert (gray[hu <= -100] == 0).all()
    assert (gray[hu >= 200] == 255).all()
    inside = (hu > -100) & (hu < 200)
    assert np.abs(gray[inside] - (hu[inside] + 100) * 255 / 300).max() <= 0.5


def test_a_window_without_width_is_refused():
    with pytest.raises(InputError, match="width_hu is 0"):
        window_hu(np.zeros((2, 2)), center_hu=0, width_hu=0)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ((-1024, 800), None),
        ((0, 4095), "no air"),
        ((-5000, 800), "beyond any HU"),
        ((-1024, 60000), "beyond any HU"),
        ((-1024, np.nan), "not finite"),
    ],
)
def test_a_range_that_no_neck_has_is_named(tmp_path, values, fault):
    pixels = np.array([values], np.float32)
    found = find_hounsfield_fault(pixels, tmp_path / "slice.nrrd")
    assert found is None if fault is None else fault in found


def dicom(path, **elements):
    from pydicom import Dataset

    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID, header.SOPInstanceUID = CTImageStorage, generate_uid()
    for name, value in elements.items():
        setattr(header, name, value)
    header.save_as(path, enforce_file_format=True)
    return path


def test_dicom_without_slope_and_intercept_holds_no_hounsfield_units(tmp_path):
    pixels = np.array([[-1000, 40]], np.int16)
    bare = dicom(tmp_path / "bare.dcm")
    half = dicom(tmp_path / "half.dcm", RescaleSlope=1)
    whole = dicom(tmp_path / "whole.dcm", RescaleSlope=1, RescaleIntercept=-1024)
    assert "no rescale slope and intercept" in find_hounsfield_fault(pixels, bare)
    assert "no rescale slope and intercept" in find_hounsfield_fault(pixels, half)
    assert find_hounsfield_fault(pixels, whole) is None
