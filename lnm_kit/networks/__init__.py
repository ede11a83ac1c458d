"""Networks that answer with one logit per image, and where their weights come from."""

from lnm_kit.networks.backbones import NETWORKS, ImageNetwork, build_network
from lnm_kit.networks.stages import stage_table
from lnm_kit.networks.weights import load_weights, save_weights

__all__ = [
    "NETWORKS",
    "ImageNetwork",
    "build_network",
    "load_weights",
    "save_weights",
    "stage_table",
]
