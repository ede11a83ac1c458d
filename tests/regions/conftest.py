"""A cohort of six small frames on disk."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from lnm_kit.cohort import Cohort, CohortInfo, write_cohort

INFO = CohortInfo(
    name="blobs",
    endpoint="none",
    positive="nothing",
    source="drawn by a test",
    licence="CC0",
    simulated=False,
)


@pytest.fixture
def small_cohort(tmp_path: Path) -> Cohort:
    """Squares of 10, 12, ... 20 px and their own gray level; the last has no known spacing."""
    cases, images = [], []
    for number in range(6):
        mask = np.zeros((60, 80), np.uint8)
        side = 10 + 2 * number
        mask[20 : 20 + side, 30 : 30 + side] = 1
        pixels = np.where(mask == 1, 40 * number + 20, 10 + number).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"image{number}.png")
        Image.fromarray(mask * 255).save(tmp_path / f"mask{number}.png")
        cases.append(
            {
                "case_id": f"c{number}",
                "patient_id": f"p{number}",
                "center": "center_1",
                "split": ("training", "validation")[number % 2],
                "label": number // 2 % 2,
            }
        )
        spacing = 0.2 if number < 5 else None
        images.append(
            {
                "image_id": f"i{number}",
                "case_id": f"c{number}",
                "modality": "us",
                "view": "transverse",
                "path": f"image{number}.png",
                "mask_path": f"mask{number}.png",
                "spacing_x_mm": spacing,
                "spacing_y_mm": spacing,
            }
        )
    return write_cohort(tmp_path, INFO, pd.DataFrame(cases), pd.DataFrame(images))
