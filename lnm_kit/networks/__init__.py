"""Networks that answer with one logit per image, and where their weights come from."""

from lnm_kit.networks.backbones import ImageNetwork, build_network
from lnm_kit.networks.weights import load_weights, save_weights

__all__ = ["ImageNetwork", "build_network", "load_weights", "save_weights"]
