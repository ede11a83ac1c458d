"""Grad-CAM: the places of an image that raised the network's logit."""

import numpy as np
import torch
from captum.attr import LayerAttribution, LayerGradCam
from torch import Tensor, nn

from lnm_kit.errors import InputError

LEAST_PLACES = 7


def grad_cam(network: nn.Module, images: Tensor, *, layer: nn.Module | None = None) -> np.ndarray:
    """Map of each image, in [0, 1], of what raised the logit, seen at one convolutional stage.

    With A_k the activation of channel k and a_k the mean over places of the logit's gradient with
    respect to it, the map is ReLU(sum_k a_k A_k), enlarged to the image and divided by its maximum.
    An image in which nothing raised the logit gets a map of zeros.

    Parameters
    ----------
    network
        Gives one logit per image, (N,); computed in evaluation mode, then left in its mode.
    images
        Float (N, C, H, W) in [0, 1] on the network's device, as ``ImageBank.batch`` gives them.
    layer
        A convolutional stage of the network; by default the deepest one whose map has at least 7
        places to a side (the last stage at 224 px). On small images the last stage has so few
        places that its map could not tell nodule from surroundings.

    Returns
    -------
    float32 (N, H, W).

    Raises
    ------
    InputError
        No images of four axes, or a network without a convolution.

    Notes
    -----
    *Source*: Selvaraju et al., "Grad-CAM", ICCV 2017, equations 1 and 2; computed by captum.

    Examples
    --------
    >>> from lnm_kit.networks import build_network
    >>> network = build_network("resnet10t", in_channels=1, weights="none", seed=0)
    >>> grad_cam(network, torch.rand(2, 1, 64, 64)).shape
    (2, 64, 64)
    """
    if images.ndim != 4:
        raise InputError(f"images have shape {tuple(images.shape)}; allowed: (N, C, H, W).")
    stage = deepest_stage(network, min(images.shape[-2:])) if layer is None else layer
    was_training = network.training
    network.eval()
    try:
        coarse = LayerGradCam(network, stage).attribute(images, relu_attributions=True)
    finally:
        network.train(was_training)
    fine = LayerAttribution.interpolate(coarse, images.shape[-2:], "bilinear")
    maps = fine[:, 0].detach().float().cpu()
    highest = maps.amax(dim=(1, 2), keepdim=True)
    # a network without any positive evidence has a map of zeros, which stays one
    scaled = maps / torch.where(highest > 0, highest, 1.0)
    return scaled.numpy()


def deepest_stage(network: nn.Module, side_px: int) -> nn.Module:
    """Find the deepest stage of a timm backbone with a map of at least 7 x 7 places.

    Of any other network it is the last convolution; of images too small for any stage, the first.

    Parameters
    ----------
    network
        With timm's `feature_info` on itself or on its `backbone`, or any network.
    side_px
        Shorter side of the images.

    Raises
    ------
    InputError
        The network has no convolution.
    """
    backbone = getattr(network, "backbone", network)
    stages = getattr(backbone, "feature_info", None)
    if stages:
        fine = [stage for stage in stages if side_px / stage["reduction"] >= LEAST_PLACES]
        return backbone.get_submodule((fine or stages[:1])[-1]["module"])
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    if not convolutions:
        raise InputError(
            f"{type(network).__name__} has no convolution, so Grad-CAM has nothing to look at."
        )
    return convolutions[-1]
