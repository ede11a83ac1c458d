"""A timm backbone with one logit on top, which carries its own gray-level normalization."""

from typing import Any

import timm
import torch
from torch import Tensor, nn

from lnm_kit.errors import InputError, one_of
from lnm_kit.networks.tresnet import build_tresnet
from lnm_kit.networks.weights import find_imagenet_weights, load_weights

TRESNET = "tresnet"


class ImageNetwork(nn.Module):
    """A backbone, global pooling and one linear unit; its inputs are gray values in [0, 1].

    The mean and SD of the training cases are buffers of the network, so that they are saved with
    its weights, and nothing that is predicted or explained later can be scaled in another way.

    Parameters
    ----------
    backbone
        A module that turns (N, C, H, W) into (N, F) features, such as a timm network without head.
    n_features
        F.
    in_channels
        C.
    """

    def __init__(self, backbone: nn.Module, *, n_features: int, in_channels: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(n_features, 1)
        self.in_channels = in_channels
        self.register_buffer("mean", torch.zeros(in_channels))
        self.register_buffer("sd", torch.ones(in_channels))

    def set_normalization(self, mean: Tensor, sd: Tensor) -> None:
        """Store the mean and SD per channel, float (C,), that inputs are standardized with."""
        self.get_buffer("mean").copy_(mean)
        self.get_buffer("sd").copy_(sd)

    def embed(self, images: Tensor) -> Tensor:
        """Deep features, float (N, F), of images (N, C, H, W) in [0, 1]."""
        mean = self.get_buffer("mean").view(1, -1, 1, 1)
        sd = self.get_buffer("sd").view(1, -1, 1, 1)
        return self.backbone((images - mean) / sd)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, float32 (N,), of images (N, C, H, W) in [0, 1]."""
        features = self.embed(images)
        # A bfloat16 logit has 8 bits of mantissa, which would tie the scores of many cases.
        with torch.autocast(images.device.type, enabled=False):
            logits: Tensor = self.head(features.float())[:, 0]
        return logits


def build_network(name: str, *, in_channels: int, weights: str, seed: int) -> ImageNetwork:
    """Build a timm backbone with one logit, for any number of input channels.

    Parameters
    ----------
    name
        A timm architecture such as ``resnet10t``, ``resnet18`` or ``resnet34``, or ``tresnet``, the
        one of the first study's Table S2.
    in_channels
        Number of image channels; the first convolution of ImageNet weights is summed over its three
        channels (1 channel) or repeated (more).
    weights
        ``none`` (random initialization), ``imagenet`` (timm's weights from the local Hugging Face
        cache, else downloaded), or the path of a safetensors file.
    seed
        Seeds the random initialization, without touching the global generator.

    Raises
    ------
    InputError
        An unknown name, fewer than one channel, weights that cannot be had or that do not fit.

    Notes
    -----
    *Source*: Feng 2025, section 2.5, uses a ResNet with ImageNet weights.

    Examples
    --------
    >>> network = build_network("resnet10t", in_channels=1, weights="none", seed=0)
    >>> network(torch.rand(2, 1, 64, 64)).shape
    torch.Size([2])
    """
    one_of("network", name, [TRESNET, *timm.list_models()])
    if in_channels < 1:
        raise InputError(f"in_channels is {in_channels}; allowed: 1 or more.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        # both are timm models, whose attributes torch does not type
        backbone: Any = (
            build_tresnet(in_channels=in_channels)
            if name == TRESNET
            else timm.create_model(name, in_chans=in_channels, num_classes=0)
        )
        network = ImageNetwork(backbone, n_features=backbone.num_features, in_channels=in_channels)
    if weights != "none":
        path = find_imagenet_weights(name) if weights == "imagenet" else weights
        load_weights(network, path)
    return network.to(memory_format=torch.channels_last)
