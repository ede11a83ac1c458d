"""Wrong input gets one message that says what, where and what is allowed; exit code 2; no trace."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
import torch
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

LNM = Path(sys.executable).with_name("lnm")


def lnm(folder: Path, *words: str | Path, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [LNM, *map(str, words)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
    )


def files_in(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*")}


@pytest.fixture(scope="module")
def right_cohort(tmp_path_factory) -> Path:
    """Sixteen cases with a bright disc each; nothing is wrong with them."""
    root = tmp_path_factory.mktemp("right") / "cohort"
    (root / "images").mkdir(parents=True)
    rows, columns = np.mgrid[:48, :48]
    cases, images = [], []
    for number in range(16):
        gray = np.random.default_rng(number).integers(0, 255, (48, 48), dtype=np.uint8)
        Image.fromarray(gray).save(root / f"images/{number}.png")
        mask = np.hypot(rows - 24, columns - 24) < 12
        Image.fromarray(mask).save(root / f"images/{number}_mask.png")
        split = "training" if number < 12 else "validation"
        cases.append((f"c{number}", f"p{number}", "here", split, number % 2))
        paths = (f"images/{number}.png", f"images/{number}_mask.png")
        images.append((f"i{number}", f"c{number}", "us", "transverse", *paths, 0.2, 0.2))
    names = ["case_id", "patient_id", "center", "split", "label"]
    pd.DataFrame(cases, columns=names).to_csv(root / "cases.csv", index=False)
    names = ["image_id", "case_id", "modality", "view", "path", "mask_path"]
    names += ["spacing_x_mm", "spacing_y_mm"]
    pd.DataFrame(images, columns=names).to_csv(root / "images.csv", index=False)
    (root / "cohort.toml").write_text(
        'name = "right"\nendpoint = "none"\npositive = "odd number"\n'
        'source = "noise"\nlicence = "MIT"\nsimulated = false\n'
    )
    return root


def edit(root: Path, table: str, row: int, column: str, value: object) -> None:
    frame = pd.read_csv(root / table, dtype=str)
    frame.loc[row, column] = value
    frame.to_csv(root / table, index=False)


def write_dicom_without_image(root: Path) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.PatientName = "Secret^Name"
    data.Modality = "US"
    data.save_as(root / "images/0.dcm", enforce_file_format=True)
    edit(root, "images.csv", 0, "path", "images/0.dcm")


ACCIDENTS = {
    "a mask of another size": (
        lambda root: Image.new("L", (20, 30), 255).save(root / "images/3_mask.png"),
        ["images.csv, row 5", "30 x 20", "48 x 48"],
    ),
    "an empty mask": (
        lambda root: Image.new("L", (48, 48), 0).save(root / "images/3_mask.png"),
        ["images.csv, row 5", "empty"],
    ),
    "a patient in two splits": (
        lambda root: edit(root, "cases.csv", 12, "patient_id", "p0"),
        ["cases.csv, row 14", "p0", "one split only"],
    ),
    "a label of 2": (
        lambda root: edit(root, "cases.csv", 4, "label", "2"),
        ["cases.csv, row 6", "'2'", "0 or 1"],
    ),
    "a label that is NaN": (
        lambda root: edit(root, "cases.csv", 4, "label", "NaN"),
        ["cases.csv, row 6", "NaN", "0 or 1"],
    ),
    "a truncated JPG": (
        lambda root: (
            Image.open(root / "images/0.png").save(root / "images/0.jpg"),
            (root / "images/0.jpg").write_bytes((root / "images/0.jpg").read_bytes()[:700]),
            edit(root, "images.csv", 0, "path", "images/0.jpg"),
        ),
        ["images.csv, row 2", "images/0.jpg", "truncated"],
    ),
    "a DICOM that is no image": (
        write_dicom_without_image,
        ["images.csv, row 2", "images/0.dcm", "no image"],
    ),
}


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_an_accident_in_a_cohort_is_named_by_check_and_stops_a_run(
    accident, right_cohort, tmp_path
):
    root = tmp_path / "cohort"
    shutil.copytree(right_cohort, root)
    spoil, named = ACCIDENTS[accident]
    spoil(root)
    before = files_in(tmp_path)
    checked = lnm(tmp_path, "cohort", "check", root)
    run = lnm(tmp_path, "run", "llnm", "-p", f"cohort={root}", "-p", "profile=smoke")
    assert (checked.returncode, run.returncode) == (2, 2)
    for word in named:
        assert word in checked.stdout
        assert word in run.stderr
    for text in (checked.stdout, checked.stderr, run.stdout, run.stderr):
        assert "Traceback" not in text
        assert "Secret" not in text
    assert files_in(tmp_path) == before


def test_a_right_cohort_has_no_problems(right_cohort, tmp_path):
    done = lnm(tmp_path, "cohort", "check", right_cohort)
    assert (done.returncode, "no problems" in done.stdout) == (0, True)


PARAMETERS = {
    "cohort=nowhere": ["'nowhere' is not a folder"],
    "sede=3": ["sede is unknown", "did you mean seed?"],
    "epochs=0": ["epochs is 0", ">= 1"],
    "profile=dmeo": ["profile is 'dmeo'", "smoke, demo, paper", "did you mean demo?"],
    "signal=nan": ["signal is"],
    "weights=nowhere.safetensors": ["nowhere.safetensors", "no file"],
}


@pytest.mark.parametrize("assignment", PARAMETERS)
def test_a_wrong_parameter_is_refused_before_anything_starts(assignment, tmp_path):
    done = lnm(tmp_path, "run", "llnm", "-p", assignment)
    assert done.returncode == 2
    assert all(word in done.stderr for word in PARAMETERS[assignment]), done.stderr
    assert "Traceback" not in done.stderr
    assert not files_in(tmp_path)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_is_named(tmp_path):
    done = lnm(tmp_path, "run", "llnm", "-p", "device=cuda")
    assert done.returncode == 2
    assert "device is 'cuda', but no usable GPU was found" in done.stderr
    assert not files_in(tmp_path)


def test_a_full_disk_is_named_before_frames_are_rendered(tmp_path, monkeypatch):
    code = (
        "import shutil, sys, collections\n"
        "usage = collections.namedtuple('usage', 'total used free')\n"
        "shutil.disk_usage = lambda path: usage(10**9, 10**9, 10**6)\n"
        f"sys.argv = ['lnm', 'cohort', 'simulate', 'llnm', {str(tmp_path / 'full')!r}]\n"
        "from lnm_kit.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"LNM_CACHE": str(tmp_path / "cache")},
    )
    assert done.returncode == 2, done.stderr
    assert "MB free" in done.stderr
    assert not files_in(tmp_path)


def test_an_existing_folder_is_not_overwritten(right_cohort, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    for words in (("import", "ddti", source), ("simulate", "llnm")):
        done = lnm(tmp_path, "cohort", *words, right_cohort)
        assert done.returncode == 2
    assert lnm(tmp_path, "cohort", "check", right_cohort).returncode == 0


def test_a_published_file_is_refused_with_every_wrong_line_named(tmp_path):
    (tmp_path / "paper.toml").write_text(
        'paper = "Doe 2026"\n'
        "[splits.test]\n"
        "n = 20\n"
        "positive = 40\n"
        "[table_2]\n"
        'split = "test"\n'
        'columns = ["model", "auc", "sensitvity", "specificity"]\n'
        "rows = [\n"
        '["Ours", "0.85", "0.800", "0.700"],\n'
        '["Theirs", "0.85", "0.800", 0.7],\n'
        "]\n"
    )
    done = lnm(tmp_path, "audit", "paper.toml")
    assert done.returncode == 2
    shown = " ".join(done.stderr.split())
    assert "line 3: splits.test: 40 cases of one class are more than 20" in shown
    assert "line 7: table_2 has a column of numbers 'sensitvity'" in shown
    assert "did you mean sensitivity?" in shown
    assert "line 10: table_2, row 2: 0.7 is not in quotes" in shown
    assert "Traceback" not in done.stderr
