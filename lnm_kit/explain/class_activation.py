"""Grad-CAM: the places of an image that raised the network's logit."""

import numpy as np
import torch
from captum.attr import LayerAttribution
from torch import Tensor, nn

from lnm_kit.errors import InputError
from lnm_kit.networks.stages import as_maps, output_shapes

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
        A stage of the network that answers with maps, or a part of a vision transformer that
        answers with tokens; by default that of `deepest_stage`.

    Returns
    -------
    float32 (N, H, W).

    Raises
    ------
    InputError
        No images of four axes, a network without a convolution, or a vision transformer on images
        that are not square.

    Notes
    -----
    *Source*: Selvaraju et al., "Grad-CAM", ICCV 2017, equations 1 and 2. The tokens of a
    vision transformer are laid out as their patches lie, without the class token.

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
    activation, gradient = (
        as_maps(values, network, stage)
        for values in _activation_and_gradient(network, images, stage)
    )
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    coarse = nn.functional.relu((weights * activation).sum(dim=1, keepdim=True))
    fine = LayerAttribution.interpolate(coarse, images.shape[-2:], "bilinear")
    maps = fine[:, 0].detach().float().cpu()
    highest = maps.amax(dim=(1, 2), keepdim=True)
    # a network without any positive evidence has a map of zeros, which stays one
    scaled = maps / torch.where(highest > 0, highest, 1.0)
    return scaled.numpy()


def deepest_stage(network: nn.Module, side_px: int) -> nn.Module:
    """Find the deepest stage of a timm backbone with a map of at least 7 x 7 places.

    At 224 px that is the last stage. On smaller images the last one has so few places that its map
    could not tell nodule from surroundings. Where no stage has 7 x 7 places, it is the deepest of
    those with the most; of a vision transformer, the normalization before the last attention,
    since after that only the class token counts; of any other network, the last convolution.

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
        prefix = "" if backbone is network else "backbone."
        names = [prefix + stage["module"] for stage in stages]
        shapes = output_shapes(network, names, side_px=side_px)
        sides = {name: min(shapes[name][1:]) for name in names if name in shapes}
        enough = min(LEAST_PLACES, max(sides.values()))
        stage = network.get_submodule([name for name in sides if sides[name] >= enough][-1])
        in_transformer = hasattr(stage, "attn") and hasattr(stage, "norm1")
        return stage.get_submodule("norm1") if in_transformer else stage
    convolutions = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    if not convolutions:
        raise InputError(
            f"{type(network).__name__} has no convolution, so Grad-CAM has nothing to look at."
        )
    return convolutions[-1]


def _activation_and_gradient(
    network: nn.Module, images: Tensor, stage: nn.Module
) -> tuple[Tensor, Tensor]:
    """What a stage answers, and the gradient of every image's logit with respect to it."""
    answers = []
    hook = stage.register_forward_hook(lambda _module, _given, answer: answers.append(answer))
    was_training = network.training
    network.eval()
    try:
        with torch.enable_grad():
            # images are in the graph so that frozen networks have gradients, too
            logits = network(images.detach().requires_grad_())
            # images do not mix in evaluation mode, so each logit's gradient is in its own row
            gradient = torch.autograd.grad(logits.sum(), answers[-1])[0]
    finally:
        network.train(was_training)
        hook.remove()
    return answers[-1].detach(), gradient
