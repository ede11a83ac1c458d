"""A backbone with one logit on top, which carries its own gray-level normalization."""

from typing import Any

import timm
import torch
import torchvision
from torch import Tensor, nn

from lnm_kit.errors import InputError, one_of
from lnm_kit.networks.tresnet import build_tresnet
from lnm_kit.networks.weights import find_imagenet_weights, load_weights

NETWORKS = {
    "resnet10t": "ResNet-10-T, 4.9 M parameters: small enough to train on a processor",
    "resnet18": "ResNet-18, 11.2 M parameters: Feng 2025, G. Li (DGFNet)",
    "resnet34": "ResNet-34, 21.3 M parameters: Feng 2025, G. Li (DGFNet)",
    "resnet50": "ResNet-50, 23.5 M parameters: Ni 2024, Guang 2023",
    "resnet101": "ResNet-101, 42.5 M parameters: Feng 2025, M. Li 2026",
    "inception_v3": "Inception v3, 21.8 M parameters: Feng 2025, Ni 2024, Guang 2023",
    "densenet121": "DenseNet-121, 6.9 M parameters: Ni 2024",
    "vgg11": "VGG-11, 128.8 M parameters: Guang 2023",
    "alexnet": "AlexNet, 57.0 M parameters: Ni 2024",
    "vit_small_patch16_224": "vision transformer, 21.5 M parameters: Ni 2024",
    "tresnet": "residual network with SE and blur pooling, 21.4 M parameters: Feng 2025",
}
"""The networks of the studies, with the parameters of the backbone on one gray channel."""

LEAST_PX = {
    "densenet121": 29,
    "vgg11": 32,
    "alexnet": 63,
    "vit_small_patch16_224": 16,
    "tresnet": 9,
}
"""Shorter side of the smallest image that a network can read; 1 px where none is named."""

INCEPTION_PX = 75
"""Inception v3 does not pad its first convolutions, so that smaller images run out of places."""

PATCH_PX = 16
"""The vision transformer cuts images into squares of this side."""


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
    least_px
        Least H and W that the backbone can read.
    multiple_px
        H and W have to be multiples of this.
    """

    def __init__(
        self,
        backbone: nn.Module,
        *,
        n_features: int,
        in_channels: int,
        least_px: int = 1,
        multiple_px: int = 1,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(n_features, 1)
        self.n_features = n_features
        self.in_channels = in_channels
        self.least_px = least_px
        self.multiple_px = multiple_px
        self.register_buffer("mean", torch.zeros(in_channels))
        self.register_buffer("sd", torch.ones(in_channels))

    def set_normalization(self, mean: Tensor, sd: Tensor) -> None:
        """Store the mean and SD per channel, float (C,), that inputs are standardized with."""
        self.get_buffer("mean").copy_(mean)
        self.get_buffer("sd").copy_(sd)

    def embed(self, images: Tensor) -> Tensor:
        """Deep features, float (N, F), of images (N, C, H, W) in [0, 1].

        Raises
        ------
        InputError
            Other axes or channels, or images of a size that the backbone cannot read.
        """
        self._check(tuple(images.shape))
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

    def _check(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 4 or shape[1] != self.in_channels:
            raise InputError(f"images have shape {shape}; allowed: (N, {self.in_channels}, H, W).")
        multiple = self.multiple_px
        if min(shape[2:]) < self.least_px or any(side % multiple for side in shape[2:]):
            multiples = f", in multiples of {multiple} px" if multiple > 1 else ""
            raise InputError(
                f"images have {shape[2]} x {shape[3]} px, which this network cannot read; allowed: "
                f"{self.least_px} px or more to a side{multiples}. Crop the regions to another "
                "size, or choose another network."
            )


def build_network(name: str, *, in_channels: int, weights: str, seed: int) -> ImageNetwork:
    """Build a backbone with one logit, for any number of input channels.

    Parameters
    ----------
    name
        One of `NETWORKS`, or any other timm architecture.
    in_channels
        Number of image channels; the first convolution of ImageNet weights is summed over its three
        channels (1 channel) or repeated (more).
    weights
        ``none`` (random initialization), ``imagenet`` (from the local cache of timm or torchvision,
        else downloaded), or the path of a safetensors file.
    seed
        Seeds the random initialization, without touching the global generator.

    Returns
    -------
    A network whose ``n_features`` is the width of its features.

    Raises
    ------
    InputError
        An unknown name, fewer than one channel, weights that cannot be had or that do not fit.

    Notes
    -----
    *Source*: Feng 2025, section 2.5, uses a ResNet with ImageNet weights. The size of an image is
    free, though the papers give most networks 224 px and Inception v3 299 px:

    - Inception v3 reads 75 px or more; smaller images are enlarged to 75 px first.
    - DenseNet-121 reads 29 px or more, VGG-11 32 px, AlexNet 63 px, TresNet 9 px, the ResNets any
      size. AlexNet pools its last map to 6 x 6 places and VGG-11 to 7 x 7, as their linear layers
      expect; a map that is smaller is repeated.
    - Of vision transformers, which come in several sizes, the small one with patches of 16 px is
      taken: it has as many parameters as a ResNet-50. It reads multiples of 16 px; the embedding of
      positions is interpolated to them.

    Examples
    --------
    >>> network = build_network("resnet10t", in_channels=1, weights="none", seed=0)
    >>> network(torch.rand(2, 1, 64, 64)).shape
    torch.Size([2])
    """
    one_of("network", name, dict.fromkeys([*NETWORKS, *timm.list_models()]))
    if in_channels < 1:
        raise InputError(f"in_channels is {in_channels}; allowed: 1 or more.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = _build_backbone(name, in_channels)
        network = ImageNetwork(
            backbone,
            n_features=getattr(backbone, "head_hidden_size", backbone.num_features),
            in_channels=in_channels,
            least_px=LEAST_PX.get(name, 1),
            multiple_px=PATCH_PX if name == "vit_small_patch16_224" else 1,
        )
    if weights != "none":
        path = find_imagenet_weights(name) if weights == "imagenet" else weights
        load_weights(network, path)
    return network.to(memory_format=torch.channels_last)


def _build_backbone(name: str, in_channels: int) -> Any:
    """Build a model with the attributes of timm's, which torch does not type."""
    if name == "tresnet":
        return build_tresnet(in_channels=in_channels)
    if name == "alexnet":
        return _build_alexnet(in_channels)
    if name == "vit_small_patch16_224":
        return timm.create_model(name, in_chans=in_channels, num_classes=0, dynamic_img_size=True)
    backbone = timm.create_model(name, in_chans=in_channels, num_classes=0)
    if name == "inception_v3":
        backbone.register_forward_pre_hook(_enlarge)
    return backbone


def _build_alexnet(in_channels: int) -> Any:
    """AlexNet of torchvision without its last layer, described as timm describes its models."""
    backbone = torchvision.models.alexnet(weights=None)
    backbone.features[0] = nn.Conv2d(in_channels, 64, kernel_size=11, stride=4, padding=2)
    del backbone.classifier[-1]
    backbone.num_features = 4096
    backbone.pretrained_cfg = {"first_conv": "features.0", "classifier": "classifier.6"}
    backbone.feature_info = [
        {"module": "features.1", "reduction": 4, "num_chs": 64},
        {"module": "features.4", "reduction": 8, "num_chs": 192},
        {"module": "features.11", "reduction": 16, "num_chs": 256},
        {"module": "features.12", "reduction": 32, "num_chs": 256},
    ]
    return backbone


def _enlarge(_backbone: nn.Module, given: tuple[Tensor, ...]) -> Tensor:
    """Enlarge images whose shorter side is too small for Inception v3."""
    images = given[0]
    height, width = images.shape[-2:]
    shorter = min(height, width)
    if shorter >= INCEPTION_PX:
        return images
    size = [max(INCEPTION_PX, round(side * INCEPTION_PX / shorter)) for side in (height, width)]
    return nn.functional.interpolate(images, size=size, mode="bilinear", align_corners=False)
