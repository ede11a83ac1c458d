"""Names of the features, in the order of the columns."""

from lnm_kit.radiomics.engine import firstorder, glcm, gldm, glrlm, glszm, ngtdm, shape

CLASSES = ("firstorder", "shape", "shape2D", "glcm", "glrlm", "glszm", "gldm", "ngtdm")
"""Feature classes of pyradiomics, in the order of the columns of one image."""

NAMES_OF_CLASS = {
    "firstorder": firstorder.NAMES,
    "shape": shape.NAMES,
    "shape2D": shape.NAMES_2D,
    "glcm": glcm.NAMES,
    "glrlm": glrlm.NAMES,
    "glszm": glszm.NAMES,
    "gldm": gldm.NAMES,
    "ngtdm": ngtdm.NAMES,
}
"""Feature names of every class, alphabetical as pyradiomics gives them."""

SHAPE_CLASSES = ("shape", "shape2D")
"""Classes that do not look at gray levels: computed once, not for every filtered image."""
