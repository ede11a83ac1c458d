"""Figures of the book: functions that give matplotlib figures of one look."""

from lnm_kit.figures.calibration import calibration_figure
from lnm_kit.figures.cam import grad_cam_figure
from lnm_kit.figures.embedding import embedding_figure
from lnm_kit.figures.heat_map import heat_map_figure
from lnm_kit.figures.regions import show_regions
from lnm_kit.figures.roc import roc_figure
from lnm_kit.figures.sankey import outcome_category, sankey_figure
from lnm_kit.figures.selection import lasso_figure, volcano_figure
from lnm_kit.figures.style import LINES, MARKERS, PALETTE, use_style
from lnm_kit.figures.training import training_curve

__all__ = [
    "LINES",
    "MARKERS",
    "PALETTE",
    "calibration_figure",
    "embedding_figure",
    "grad_cam_figure",
    "heat_map_figure",
    "lasso_figure",
    "outcome_category",
    "roc_figure",
    "sankey_figure",
    "show_regions",
    "training_curve",
    "use_style",
    "volcano_figure",
]
