"""Where in an image a network looked."""

from lnm_kit.explain.embedding import embed_cases, tsne
from lnm_kit.explain.grad_cam import grad_cam

__all__ = [
    "embed_cases",
    "grad_cam",
    "tsne",
]
