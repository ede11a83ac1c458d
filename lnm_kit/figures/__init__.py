"""Figures of the book: functions that give matplotlib figures of one look."""

from lnm_kit.figures.calibration import calibration_figure
from lnm_kit.figures.cam import grad_cam_figure
from lnm_kit.figures.contributions import (
    shap_bar_figure,
    shap_beeswarm_figure,
    shap_case_figure,
)
from lnm_kit.figures.decision_curve import decision_curve_figure, decision_curve_panels
from lnm_kit.figures.embedding import embedding_figure
from lnm_kit.figures.forest import forest_figure
from lnm_kit.figures.heat_map import heat_map_figure
from lnm_kit.figures.interactive import InteractiveFigure, interactive
from lnm_kit.figures.interactive_prevalence import interactive_prevalence
from lnm_kit.figures.interactive_roc import interactive_roc
from lnm_kit.figures.interactive_sankey import interactive_sankey
from lnm_kit.figures.regions import show_regions
from lnm_kit.figures.roc import roc_figure
from lnm_kit.figures.sankey import OUTCOMES, outcome_category, sankey_figure
from lnm_kit.figures.selection import lasso_figure, volcano_figure
from lnm_kit.figures.stability import stability_figure
from lnm_kit.figures.style import LINES, MARKERS, PALETTE, use_style
from lnm_kit.figures.training import learning_curves_figure, training_curve

__all__ = [
    "LINES",
    "MARKERS",
    "OUTCOMES",
    "PALETTE",
    "InteractiveFigure",
    "calibration_figure",
    "decision_curve_figure",
    "decision_curve_panels",
    "embedding_figure",
    "forest_figure",
    "grad_cam_figure",
    "heat_map_figure",
    "interactive",
    "interactive_prevalence",
    "interactive_roc",
    "interactive_sankey",
    "lasso_figure",
    "learning_curves_figure",
    "outcome_category",
    "roc_figure",
    "sankey_figure",
    "shap_bar_figure",
    "shap_beeswarm_figure",
    "shap_case_figure",
    "show_regions",
    "stability_figure",
    "training_curve",
    "use_style",
    "volcano_figure",
]
