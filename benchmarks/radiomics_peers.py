"""Other tools for radiomics that take part where they are installed: nyxus, fastrad, mirp.

None is a dependency. Each gets the nine images ready-made, so no filter is in its time, and
computes its own six gray-level classes. fastrad has no bins by count: it gets the width that makes
25. nyxus bins by itself; it wants unsigned integers, and gets 12 bits. mirp gets nothing to do but
the features: no resampling, no interpolation.
"""

import importlib.util
import logging
from collections.abc import Callable, Iterator

import numpy as np

from lnm_kit.radiomics.engine.filters import Slice, filtered_values

BINS = 25
TEXTURE = ("firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
IMAGE_TYPES = ("Original", "Wavelet")
Compute = Callable[[np.ndarray, np.ndarray], None]


def nine_images(pixels: np.ndarray) -> np.ndarray:
    """The original and the eight wavelet images, whole, for the peers without filters."""
    box = (slice(0, pixels.shape[0]), slice(0, pixels.shape[1]))
    inside = np.arange(pixels.size)
    image = Slice(pixels.astype(np.float64), box, inside, (1.0, 1.0, 1.0))
    values, _ = filtered_values(image, IMAGE_TYPES, (), keep_residue=True)
    return values.reshape(-1, *pixels.shape)


def fastrad() -> Compute:
    import torch
    from fastrad import FeatureExtractor, FeatureSettings, Mask, MedicalImage

    torch.set_num_threads(1)

    def compute(images: np.ndarray, mask: np.ndarray) -> None:
        region = Mask(torch.from_numpy(mask[None].astype(np.float32)))
        for image in images:
            width = float(np.ptp(image[mask])) / BINS
            scaled = torch.from_numpy((image[None] / width).astype(np.float32))
            settings = FeatureSettings(list(TEXTURE), bin_width=1.0, device="cpu")
            FeatureExtractor(settings).extract(MedicalImage(scaled), region)

    return compute


def nyxus() -> Compute:
    from nyxus import Nyxus

    groups = [f"*ALL_{name}*" for name in ("INTENSITY", "GLCM", "GLRLM", "GLSZM", "GLDM", "NGTDM")]
    extractor = Nyxus(groups, coarse_gray_depth=BINS, n_feature_calc_threads=1)

    def compute(images: np.ndarray, mask: np.ndarray) -> None:
        low = images[:, mask].min(axis=1)[:, None, None]
        scale = 4095 / np.ptp(images[:, mask], axis=1)[:, None, None]
        levels = np.clip((images - low) * scale, 0, 4095).astype(np.uint32)
        labels = np.repeat(mask[None].astype(np.uint32), len(levels), axis=0)
        extractor.featurize(levels, labels)

    return compute


def mirp() -> Compute:
    from mirp import extract_features

    logging.disable(logging.WARNING)  # it logs two lines an image, whatever the level
    families = ["statistics", "cm", "rlm", "szm", "ngldm", "ngtdm"]

    def compute(images: np.ndarray, mask: np.ndarray) -> None:
        for image in images:
            extract_features(
                image=image[None],
                mask=mask[None].astype(np.uint8),
                base_feature_families=families,
                base_discretisation_method="fixed_bin_number",
                base_discretisation_n_bins=BINS,
            )

    return compute


TOOLS = {"nyxus": nyxus, "fastrad": fastrad, "mirp": mirp}


def installed() -> Iterator[tuple[str, Compute | None]]:
    """Each tool with its function, None where it is not installed."""
    for name, build in TOOLS.items():
        yield name, build() if importlib.util.find_spec(name) else None
