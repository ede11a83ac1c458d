"""What a model is worth: metrics with intervals, comparisons, scores out of fold."""

from lnm_kit.evaluation.agreement import icc, icc_features
from lnm_kit.evaluation.auc import (
    DeLongTest,
    auc,
    delong_test,
    delong_test_unpaired,
    roc_points,
)
from lnm_kit.evaluation.bootstrap import bootstrap_metrics
from lnm_kit.evaluation.calibration import (
    brier_score,
    calibration_curve,
    calibration_intercept,
    calibration_slope,
    hosmer_lemeshow,
)
from lnm_kit.evaluation.confusion import METRICS, Confusion, confusion, confusion_metrics
from lnm_kit.evaluation.cross_validation import case_scores, out_of_fold_scores
from lnm_kit.evaluation.estimate import Estimate
from lnm_kit.evaluation.firth import odds_ratios_firth
from lnm_kit.evaluation.log_loss import log_loss
from lnm_kit.evaluation.paired import compare_decisions, mcnemar_test
from lnm_kit.evaluation.prevalence import predictive_values
from lnm_kit.evaluation.regression import odds_ratios, variance_inflation
from lnm_kit.evaluation.table_one import table_one
from lnm_kit.evaluation.threshold import youden_threshold

__all__ = [
    "METRICS",
    "Confusion",
    "DeLongTest",
    "Estimate",
    "auc",
    "bootstrap_metrics",
    "brier_score",
    "calibration_curve",
    "calibration_intercept",
    "calibration_slope",
    "case_scores",
    "compare_decisions",
    "confusion",
    "confusion_metrics",
    "delong_test",
    "delong_test_unpaired",
    "hosmer_lemeshow",
    "icc",
    "icc_features",
    "log_loss",
    "mcnemar_test",
    "odds_ratios",
    "odds_ratios_firth",
    "out_of_fold_scores",
    "predictive_values",
    "roc_points",
    "table_one",
    "variance_inflation",
    "youden_threshold",
]
