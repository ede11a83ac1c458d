"""Small cohorts of several modalities, noise with a square outline."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import SimpleITK
from PIL import Image

from lnm_kit.cohort import Cohort, CohortInfo, write_cohort

INFO = CohortInfo(
    name="several",
    endpoint="none",
    positive="an odd number",
    source="a test",
    licence="MIT",
    simulated=False,
)
GOLD = np.array([0.9, 0.6, 0.3])


def write_contrast_cohort(
    root: Path,
    *,
    n_cases: int = 6,
    without: Sequence[tuple[str, str]] = (),
    reading: bool = True,
) -> Cohort:
    """Write cases with a gray image, a golden one and a reading, but for what is named.

    `without` names cases and what they lack: ``us``, ``ceus`` or ``us_lnm``.
    """
    root.mkdir(parents=True)
    images = []
    for number in range(n_cases):
        case = f"c{number}"
        for place, modality in enumerate(("us", "ceus")):
            if (case, modality) in without:
                continue
            name = f"{case}-{modality}"
            gray = np.random.default_rng([number, place]).integers(30, 255, (40, 50), np.uint8)
            golden = np.rint(gray[..., None] * GOLD).astype(np.uint8)
            Image.fromarray(golden if modality == "ceus" else gray).save(root / f"{name}.png")
            images.append(_row(root, name, case, modality, (40, 50)))
    cases = _cases(n_cases)
    if reading:
        lacks = [(case, "us_lnm") in without for case in cases.case_id]
        values = [str(number // 2 % 2) for number in range(n_cases)]
        cases["us_lnm"] = np.where(lacks, "", values)
    return write_cohort(root, INFO, cases, pd.DataFrame(images))


def write_pair_cohort(root: Path, *, n_cases: int = 6, n_images: int = 2) -> Cohort:
    """Write cases with images of ultrasound and CT, brighter from case to case.

    The later images of a case have a larger nodule.
    """
    root.mkdir(parents=True)
    images = []
    for number in range(n_cases):
        for modality in ("us", "ct"):
            for place in range(n_images):
                name = f"c{number}-{modality}-{place}"
                rng = np.random.default_rng([number, place, len(modality)])
                if modality == "us":
                    gray = rng.integers(1, 60 + 30 * number, (60, 70), dtype=np.uint8)
                    Image.fromarray(gray).save(root / f"{name}.png")
                else:
                    hu = rng.normal(30 * number - 60, 40, (60, 70)).astype(np.int16)
                    hu[:4] = -1000
                    SimpleITK.WriteImage(
                        SimpleITK.GetImageFromArray(hu), str(root / f"{name}.nrrd")
                    )
                row = _row(root, name, f"c{number}", modality, (60, 70), side=14 + 4 * place)
                images.append(row | ({"path": f"{name}.nrrd"} if modality == "ct" else {}))
    return write_cohort(root, INFO, _cases(n_cases), pd.DataFrame(images))


def _cases(n_cases: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "case_id": f"c{number}",
            "patient_id": f"p{number}",
            "center": "here",
            "split": "training" if number < n_cases * 2 / 3 else "test",
            "label": number % 2,
        }
        for number in range(n_cases)
    )


def _row(
    root: Path, name: str, case: str, modality: str, shape: tuple[int, int], *, side: int = 20
) -> dict[str, object]:
    mask = np.zeros(shape, np.uint8)
    mask[10 : 10 + side, 12 : 12 + side] = 255
    Image.fromarray(mask).save(root / f"{name}-mask.png")
    return {
        "image_id": name,
        "case_id": case,
        "modality": modality,
        "view": "axial" if modality == "ct" else "transverse",
        "path": f"{name}.png",
        "mask_path": f"{name}-mask.png",
        "spacing_x_mm": 0.2,
        "spacing_y_mm": 0.2,
    }
