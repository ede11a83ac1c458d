"""Radiomic features: extraction, selection, and the model built on them."""

from lnm_kit.radiomics.classifier import oversample, selected_features, svm_pipeline
from lnm_kit.radiomics.extraction import count_by_class, extract_features, perturbed_features
from lnm_kit.radiomics.region import CLASSES, IMAGE_TYPES, RESIDUE_BANDS, region_features
from lnm_kit.radiomics.selection import (
    LassoPath,
    LassoSelector,
    VolcanoFilter,
    lasso_path,
    volcano,
)

__all__ = [
    "CLASSES",
    "IMAGE_TYPES",
    "RESIDUE_BANDS",
    "LassoPath",
    "LassoSelector",
    "VolcanoFilter",
    "count_by_class",
    "extract_features",
    "lasso_path",
    "oversample",
    "perturbed_features",
    "region_features",
    "selected_features",
    "svm_pipeline",
    "volcano",
]
