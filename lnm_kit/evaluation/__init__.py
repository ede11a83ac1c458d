"""What a model is worth: metrics with intervals, comparisons, scores out of fold."""

from lnm_kit.evaluation.auc import (
    DeLongTest,
    auc,
    delong_test,
    delong_test_unpaired,
    roc_points,
)
from lnm_kit.evaluation.confusion import METRICS, Confusion, confusion, confusion_metrics
from lnm_kit.evaluation.cross_validation import case_scores, out_of_fold_scores
from lnm_kit.evaluation.estimate import Estimate
from lnm_kit.evaluation.threshold import youden_threshold

__all__ = [
    "METRICS",
    "Confusion",
    "DeLongTest",
    "Estimate",
    "auc",
    "case_scores",
    "confusion",
    "confusion_metrics",
    "delong_test",
    "delong_test_unpaired",
    "out_of_fold_scores",
    "roc_points",
    "youden_threshold",
]
