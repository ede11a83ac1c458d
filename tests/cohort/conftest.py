"""A small right cohort folder that each test breaks in its own way."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image as PillowImage

from lnm_kit.cohort import Cohort, CohortInfo, write_cohort

SPLITS = ["training"] * 4 + ["validation"] * 2 + ["test_a"] * 2


def small_info() -> CohortInfo:
    return CohortInfo(
        name="small",
        endpoint="a label drawn for tests",
        positive="label 1",
        source="random pixels",
        licence="MIT",
        simulated=False,
    )


def small_tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    cases = pd.DataFrame(
        {
            "case_id": [f"c{i}" for i in range(8)],
            "patient_id": [f"p{i}" for i in range(8)],
            "center": "here",
            "split": SPLITS,
            "label": [0, 1] * 4,
            "sex": ["female", "male"] * 4,
            "age_years": [30.0, 41, 52, 63, 74, 25, 36, np.nan],
        }
    )
    images = pd.DataFrame(
        {
            "image_id": [f"i{i}" for i in range(8)],
            "case_id": cases["case_id"],
            "modality": "us",
            "view": "transverse",
            "path": [f"images/i{i}.png" for i in range(8)],
            "mask_path": [f"masks/i{i}.png" for i in range(8)],
            "spacing_x_mm": 0.15,
            "spacing_y_mm": 0.15,
        }
    )
    return cases, images


@pytest.fixture
def small_cohort(tmp_path: Path) -> Cohort:
    """Eight cases with one 8-bit frame and one mask each, nothing wrong with them."""
    root = tmp_path / "small"
    generator = np.random.default_rng(0)
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    for i in range(8):
        pixels = generator.integers(0, 256, (20, 30), dtype=np.uint8)
        mask = np.zeros((20, 30), np.uint8)
        mask[5:12, 8:20] = 255
        PillowImage.fromarray(pixels).save(root / f"images/i{i}.png")
        PillowImage.fromarray(mask).save(root / f"masks/i{i}.png")
    return write_cohort(root, small_info(), *small_tables())


@pytest.fixture
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The two tables of the small cohort."""
    return small_tables()


@pytest.fixture
def info() -> CohortInfo:
    """The description of the small cohort."""
    return small_info()


TIRADS = ["2", "3", "4a", "4a", "4a", "4b", "4c", "5", "4b", "4b"]
SQUARE = [{"x": 200, "y": 50}, {"x": 200, "y": 90}, {"x": 260, "y": 90}, {"x": 260, "y": 50}]
OUTLINE = json.dumps([{"points": SQUARE, "annotation": {}, "regionType": "freehand"}])


def write_ddti_case(
    source: Path,
    number: str,
    *,
    tirads: str = "4a",
    age: str = "45",
    sex: str = "F",
    svg: str = OUTLINE,
    frames: tuple[str, ...] = ("1",),
) -> None:
    fields = {"number": number, "age": age, "sex": sex, "composition": "solid", "tirads": tirads}
    texts = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    marks = "".join(f"<mark><image>{i}</image><svg>{svg}</svg></mark>" for i in frames)
    (source / f"{number}.xml").write_text(f"<case>{texts}{marks}</case>")
    for frame in frames:
        generator = np.random.default_rng([int(number), int(frame)])
        pixels = np.zeros((360, 560), np.uint8)
        pixels[8:309, 87:472] = generator.integers(20, 120, (301, 385))
        pixels[335:345, 100:200:3] = 255  # the burned-in reading
        image = PillowImage.fromarray(np.dstack([pixels] * 3))
        image.save(source / f"{number}_{frame}.jpg", quality=85)


@pytest.fixture
def ddti_case() -> Callable[..., None]:
    """Write one made-up case in DDTI's form."""
    return write_ddti_case


@pytest.fixture
def made_up_ddti(tmp_path: Path) -> Path:
    """Ten made-up cases in DDTI's form, the third with two frames."""
    source = tmp_path / "source"
    source.mkdir()
    for number, tirads in enumerate(TIRADS, start=1):
        frames = ("1", "2") if number == 3 else ("1",)
        write_ddti_case(source, str(number), tirads=tirads, frames=frames)
    return source
