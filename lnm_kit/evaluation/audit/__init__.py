"""The audit: whether a paper's printed numbers can be obtained from its counts and each other."""

from lnm_kit.evaluation.audit.auc_interval import (
    check_auc_interval,
    delong_se_bounds,
    hanley_mcneil_se,
)
from lnm_kit.evaluation.audit.audit import audit
from lnm_kit.evaluation.audit.finding import CAN, CANNOT, UNCHECKED
from lnm_kit.evaluation.audit.form import make_paper, read_paper
from lnm_kit.evaluation.audit.matrices import matching_matrices
from lnm_kit.evaluation.audit.printed_range import Range, printed_range
from lnm_kit.evaluation.audit.report import CAREFUL, summary, to_json, to_markdown
from lnm_kit.evaluation.audit.studies import audited_studies, published_paper

__all__ = [
    "CAN",
    "CANNOT",
    "CAREFUL",
    "UNCHECKED",
    "Range",
    "audit",
    "audited_studies",
    "check_auc_interval",
    "delong_se_bounds",
    "hanley_mcneil_se",
    "make_paper",
    "matching_matrices",
    "printed_range",
    "published_paper",
    "read_paper",
    "summary",
    "to_json",
    "to_markdown",
]
