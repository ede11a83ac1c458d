"""Why a model answers as it does: places in an image, deep features, shares of the inputs."""

from lnm_kit.explain.contributions import Contributions, mean_absolute_shap, shap_values
from lnm_kit.explain.embedding import embed_cases, tsne
from lnm_kit.explain.grad_cam import grad_cam

__all__ = [
    "Contributions",
    "embed_cases",
    "grad_cam",
    "mean_absolute_shap",
    "shap_values",
    "tsne",
]
