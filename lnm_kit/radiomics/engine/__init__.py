"""Radiomic features with pyradiomics' names and values, compiled for many 2-D regions."""

from lnm_kit.radiomics.engine.batch import features_of_many
from lnm_kit.radiomics.engine.binning import BinCount, BinWidth
from lnm_kit.radiomics.engine.filters import IMAGE_TYPES, RESIDUE_BANDS
from lnm_kit.radiomics.engine.names import CLASSES
from lnm_kit.radiomics.engine.region import feature_names, features

__all__ = [
    "CLASSES",
    "IMAGE_TYPES",
    "RESIDUE_BANDS",
    "BinCount",
    "BinWidth",
    "feature_names",
    "features",
    "features_of_many",
]
