"""The folder contract: what a cohort is, its checks, its image readers, and public data sets."""

from lnm_kit.cohort.check import check_cohort
from lnm_kit.cohort.ddti import import_ddti
from lnm_kit.cohort.folder import Cohort, load_cohort, staged_folder, write_cohort
from lnm_kit.cohort.images import Image, read_image, read_mask
from lnm_kit.cohort.import_report import ImportReport
from lnm_kit.cohort.problem import Problem
from lnm_kit.cohort.schema import CohortInfo

__all__ = [
    "Cohort",
    "CohortInfo",
    "Image",
    "ImportReport",
    "Problem",
    "check_cohort",
    "import_ddti",
    "load_cohort",
    "read_image",
    "read_mask",
    "staged_folder",
    "write_cohort",
]
