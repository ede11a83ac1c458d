"""Regions of images: square crops for networks, isotropic pixels for radiomics."""

from lnm_kit.regions.crop import Box, crop_region, crop_regions, crop_scales_mm, region_box
from lnm_kit.regions.images import MaskedImage, read_masked_image
from lnm_kit.regions.resample import resample, resample_mask

__all__ = [
    "Box",
    "MaskedImage",
    "crop_region",
    "crop_regions",
    "crop_scales_mm",
    "read_masked_image",
    "region_box",
    "resample",
    "resample_mask",
]
