"""A small right cohort of noise."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from lnm_kit.cohort import Cohort, CohortInfo, write_cohort


def write_noise_cohort(
    root: Path,
    *,
    n_cases: int = 8,
    column: str = "center_of_none",
    value: str = "",
    name: str = "x",
) -> Cohort:
    """Write cases of one image each, with a column of any name that holds one value."""
    info = CohortInfo(
        name=name,
        endpoint="none",
        positive="an odd number",
        source="a test",
        licence="MIT",
        simulated=False,
    )
    root.mkdir(parents=True)
    cases, images = [], []
    for number in range(n_cases):
        split = "training" if number < n_cases * 2 / 3 else "validation"
        cases.append((f"c{number}", f"p{number}", "here", split, number % 2, value))
        gray = np.random.default_rng(number).integers(0, 255, (24, 24), np.uint8)
        mask = np.zeros((24, 24), np.uint8)
        mask[6:18, 6:18] = 255
        paths = f"{number}.png", f"{number}_mask.png"
        for path, pixels in zip(paths, (gray, mask), strict=True):
            Image.fromarray(pixels).save(root / path)
        images.append((f"i{number}", f"c{number}", "us", "transverse", *paths, 0.2, 0.2))
    names = ["case_id", "patient_id", "center", "split", "label", column]
    more = ["image_id", "case_id", "modality", "view", "path", "mask_path"]
    more += ["spacing_x_mm", "spacing_y_mm"]
    return write_cohort(
        root, info, pd.DataFrame(cases, columns=names), pd.DataFrame(images, columns=more)
    )
