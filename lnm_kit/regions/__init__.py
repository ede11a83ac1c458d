"""Regions of images: square crops for networks, isotropic pixels for radiomics."""

from lnm_kit.regions.crop import Box, crop_region, crop_regions, crop_scales_mm, region_box
from lnm_kit.regions.delineation import (
    SAME_OPERATOR,
    SECOND_OPERATOR,
    Operator,
    delineation_agreement,
    perturb_mask,
    redelineate,
)
from lnm_kit.regions.images import MaskedImage, read_masked_image
from lnm_kit.regions.resample import resample, resample_mask

__all__ = [
    "SAME_OPERATOR",
    "SECOND_OPERATOR",
    "Box",
    "MaskedImage",
    "Operator",
    "crop_region",
    "crop_regions",
    "crop_scales_mm",
    "delineation_agreement",
    "perturb_mask",
    "read_masked_image",
    "redelineate",
    "region_box",
    "resample",
    "resample_mask",
]
