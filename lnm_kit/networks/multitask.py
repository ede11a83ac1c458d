"""An encoder with a classifier and two decoders: metastasis, and two segmentations."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from lnm_kit.errors import InputError, one_of
from lnm_kit.networks.backbones import build_network

ENCODERS = ("resnet10t", "resnet18", "resnet34", "resnet50")
"""Encoders with five halvings, of which the decoders need the maps."""

DECODER_CHANNELS = 256
"""Channels after the first of five up-sample blocks; each further one has half as many."""

LEAST_CHANNELS = 8

MARKED_SHARE = 0.1
"""Share of the pixels that a new decoder takes for marked."""

LEAST_PX = 33
"""A side of 32 px would leave one place, which batch normalization cannot use in small batches."""


class MultitaskOutput(NamedTuple):
    """What a network of several tasks answers.

    Parameters
    ----------
    logit
        Float32 (N,), of metastasis.
    segmentations
        For each modality, logits float32 (N, 2, H, W): the nodule, and its boundary (ultrasound)
        or the edges of the tissue (CT). Empty, of a network without decoders.
    """

    logit: Tensor
    segmentations: tuple[Tensor, ...]


class UpsampleBlock(nn.Module):
    """Bilinear enlargement to the size of the skip, concatenation, and one convolutional block.

    Parameters
    ----------
    n_in, n_skip, n_out
        Channels of the map, of the encoder's map (0: none), and of the answer.
    dropout
        Probability.
    """

    def __init__(self, n_in: int, n_skip: int, n_out: int, dropout: float) -> None:
        super().__init__()
        self.convolution = nn.Sequential(
            nn.Conv2d(n_in + n_skip, n_out, kernel_size=3, padding=1, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
        )

    def forward(self, maps: Tensor, skip: Tensor | None, size: Sequence[int]) -> Tensor:
        """Maps (N, n_out, *size) of maps (N, n_in, h, w) and a skip (N, n_skip, *size)."""
        maps = functional.interpolate(maps, size=list(size), mode="bilinear", align_corners=False)
        return self.convolution(maps if skip is None else torch.cat([maps, skip], dim=1))


class Decoder(nn.Module):
    """Five up-sample blocks back to the size of the image, and one logit a pixel.

    Parameters
    ----------
    encoder_channels
        Channels of the encoder's five maps, the largest map first.
    dropout
        Probability, in every block.
    channels
        After the first block; half as many after each further one, at least 8.

    Notes
    -----
    The last layer starts at the log odds of `MARKED_SHARE` on average. *Source*: Lin et al., "Focal
    loss for dense object detection", ICCV 2017, section 4.1; the paper on DGFNet prints no initial
    weights.
    """

    def __init__(
        self, encoder_channels: Sequence[int], dropout: float, channels: int = DECODER_CHANNELS
    ) -> None:
        super().__init__()
        skips = [*encoder_channels[-2::-1], 0]
        widths = [max(LEAST_CHANNELS, channels >> place) for place in range(5)]
        inputs = [encoder_channels[-1], *widths[:-1]]
        self.blocks = nn.ModuleList(
            UpsampleBlock(n_in, n_skip, n_out, dropout)
            for n_in, n_skip, n_out in zip(inputs, skips, widths, strict=True)
        )
        self.last = nn.Conv2d(widths[-1], 1, kernel_size=1)
        # Channels are not negative here. With weights of both signs and a bias of 0 the background,
        # most of an image, pulls all weights below 0, and at times none is left that could mark.
        # So every channel starts as evidence for a mark, and the bias outweighs their mean, which
        # is that of the positive half of a normal distribution behind batch normalization.
        weight = 2 / math.sqrt(widths[-1])
        mean = widths[-1] * weight / math.sqrt(2 * math.pi)
        nn.init.constant_(self.last.weight, weight)
        odds = MARKED_SHARE / (1 - MARKED_SHARE)
        nn.init.constant_(self.last.get_parameter("bias"), math.log(odds) - mean)

    def forward(self, maps: Sequence[Tensor], size: Sequence[int]) -> Tensor:
        """Logits (N, 1, *size) of the encoder's five maps, the largest first."""
        answer = maps[-1]
        skips: list[Tensor | None] = [*maps[-2::-1], None]
        for block, skip in zip(self.blocks, skips, strict=True):
            answer = block(answer, skip, size if skip is None else skip.shape[-2:])
        return self.last(answer)


class Branch(nn.Module):
    """One modality: an encoder whose maps are pooled to features and decoded to two segmentations.

    The mean and SD of the training images are buffers, as in `ImageNetwork`.

    Parameters
    ----------
    encoder
        One of `ENCODERS`.
    in_channels
        C.
    weights, seed
        As in :func:`lnm_kit.networks.build_network`.
    dropout
        Probability in the decoders.
    n_decoders
        2; or 0, for an encoder alone.
    decoder_channels
        Channels of the decoders' first block, see `Decoder`.
    """

    backbone: Any
    n_features: int

    def __init__(
        self,
        encoder: str,
        *,
        in_channels: int,
        weights: str,
        seed: int,
        dropout: float = 0.1,
        n_decoders: int = 2,
        decoder_channels: int = DECODER_CHANNELS,
    ) -> None:
        super().__init__()
        one_of("encoder", encoder, ENCODERS)
        network = build_network(encoder, in_channels=in_channels, weights=weights, seed=seed)
        self.backbone = network.backbone
        self.n_features = network.n_features
        self.in_channels = in_channels
        channels = [stage["num_chs"] for stage in self.backbone.feature_info]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed + 1)
            self.decoders = nn.ModuleList(
                Decoder(channels, dropout, decoder_channels) for _ in range(n_decoders)
            )
        self.register_buffer("mean", torch.zeros(in_channels))
        self.register_buffer("sd", torch.ones(in_channels))

    def set_normalization(self, mean: Tensor, sd: Tensor) -> None:
        """Store the mean and SD per channel, float (C,), of the training images."""
        self.get_buffer("mean").copy_(mean)
        self.get_buffer("sd").copy_(sd)

    def encode(self, images: Tensor) -> list[Tensor]:
        """Five maps of images (N, C, H, W) in [0, 1], the largest (half the side) first.

        Raises
        ------
        InputError
            Other axes or channels, or a side below 33 px.
        """
        shape = tuple(images.shape)
        if len(shape) != 4 or shape[1] != self.in_channels or min(shape[2:]) < LEAST_PX:
            raise InputError(
                f"images have shape {shape}; allowed: (N, {self.in_channels}, H, W) with H and W "
                f"of {LEAST_PX} px or more."
            )
        mean = self.get_buffer("mean").view(1, -1, 1, 1)
        sd = self.get_buffer("sd").view(1, -1, 1, 1)
        return self.backbone.forward_intermediates((images - mean) / sd, intermediates_only=True)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features (N, F) and segmentation logits float32 (N, 2, H, W) of images (N, C, H, W)."""
        maps = self.encode(images)
        size = images.shape[-2:]
        segmentation = torch.cat([decoder(maps, size) for decoder in self.decoders], dim=1)
        return maps[-1].mean(dim=(2, 3)), segmentation.float()

    def embed(self, images: Tensor) -> Tensor:
        """Features (N, F) of images (N, C, H, W), without the decoders."""
        return self.encode(images)[-1].mean(dim=(2, 3))


class MultitaskNetwork(nn.Module):
    """One modality: nodule, boundary (or tissue edges), and metastasis.

    Parameters
    ----------
    encoder
        ``resnet34`` for the central site and ``resnet18`` for the lateral one, as printed; or
        another of `ENCODERS`.
    in_channels
        C; 1 for gray images and for CT.
    weights
        ``none``, ``imagenet`` or a file, as in :func:`lnm_kit.networks.build_network`.
    seed
        Of all initial weights; the global generator is left as it was.
    hidden
        Width of the classifier's hidden layer.
    segments
        Whether there are decoders; without them it is the plain network to compare with.
    decoder_channels
        Channels of the decoders' first block.

    Raises
    ------
    InputError
        An unknown encoder, or weights that cannot be had.

    Notes
    -----
    *Source*: G. Li (DGFNet), section "Convolutional neural network architecture". Each decoder has
    five blocks of bilinear up-sampling and a 3 x 3 convolution, batch normalization, ReLU and
    dropout, with connections from the encoder's maps at 1/16, 1/8, 1/4 and 1/2 of the side.
    Not printed, and chosen here: channels of 256 to 16, a dropout of 0.1, and the 128 hidden units
    of the "two-layer fully connected neural network with 512 input nodes and a single output node".

    Examples
    --------
    >>> network = MultitaskNetwork("resnet10t", in_channels=1, weights="none", seed=0)
    >>> answer = network(torch.rand(2, 1, 64, 64))
    >>> answer.logit.shape, answer.segmentations[0].shape
    (torch.Size([2]), torch.Size([2, 2, 64, 64]))
    """

    def __init__(
        self,
        encoder: str,
        *,
        in_channels: int,
        weights: str,
        seed: int,
        hidden: int = 128,
        segments: bool = True,
        decoder_channels: int = DECODER_CHANNELS,
    ) -> None:
        super().__init__()
        self.branch = Branch(
            encoder,
            in_channels=in_channels,
            weights=weights,
            seed=seed,
            n_decoders=2 if segments else 0,
            decoder_channels=decoder_channels,
        )
        self.classifier = build_classifier(self.branch.n_features, hidden=hidden, seed=seed + 2)

    @property
    def branches(self) -> tuple[Branch, ...]:
        """The one branch."""
        return (self.branch,)

    def forward(self, images: Tensor) -> MultitaskOutput:
        """Answer images, float (N, C, H, W) in [0, 1]."""
        if not len(self.branch.decoders):
            return MultitaskOutput(self.predict_logits(images), ())
        features, segmentation = self.branch(images)
        return MultitaskOutput(classify(self.classifier, features), (segmentation,))

    def predict_logits(self, images: Tensor) -> Tensor:
        """Logits of metastasis, float32 (N,), without the decoders."""
        return classify(self.classifier, self.branch.embed(images))

    def classification_parameters(self) -> Iterator[nn.Parameter]:
        """Parameters that only the prediction of metastasis uses."""
        return self.classifier.parameters()


def build_classifier(n_in: int, *, hidden: int, seed: int) -> nn.Sequential:
    """Build the two fully connected layers from features to one logit.

    Examples
    --------
    >>> build_classifier(512, hidden=128, seed=0)(torch.rand(2, 512)).shape
    torch.Size([2, 1])
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, 1))


def classify(classifier: nn.Module, features: Tensor) -> Tensor:
    """Logits, float32 (N,), computed without bfloat16, which would tie the scores of cases."""
    with torch.autocast(features.device.type, enabled=False):
        logits: Tensor = classifier(features.float())[:, 0]
    return logits
