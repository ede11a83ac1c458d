"""The TresNet of the study on lateral metastasis: a residual network with SE and blur pooling."""

from timm.layers import BlurPool2d
from timm.models.resnet import BasicBlock, ResNet
from torch import nn

from lnm_kit.errors import InputError

BLOCKS = (3, 4, 6, 3)
"""Residual blocks of the four stages."""

CHANNELS = (64, 128, 256, 512)
"""Output channels of the four stages."""


def build_tresnet(*, in_channels: int, pool_stride: int = 1) -> nn.Module:
    """Build the backbone of the printed TresNet: (N, C, H, W) images into (N, 512) features.

    A 7 x 7 convolution, anti-aliased max pooling, and four stages of 3, 4, 6 and 3 residual blocks
    with squeeze-and-excitation. 224 px give stages of 112, 56, 28 and 14 px, as printed, and cost
    4.5 times what a ResNet-34 costs. Weights are drawn from torch's generator.

    Parameters
    ----------
    in_channels
        C.
    pool_stride
        1 gives the printed sizes; 2, the printed stride of the pooling, halves them all (56, 28,
        14 and 7 px).

    Raises
    ------
    InputError
        Fewer than one channel, or another stride.

    Notes
    -----
    *Source*: Feng 2025, table S2; Ridnik et al., "TResNet", WACV 2021, for the design that it
    names. Where the table leaves a choice open or contradicts itself:

    - Convolution and pooling of the root both print stride 2, and both an output of 112 px; the
      stage after them has stride 1 and 112 px. One of the strides cannot be, and here it is that
      of the pooling, because then the sizes of all rows hold. Its "p0" would also lose a rim of
      pixels, so it is padded by 1.
    - "Conv + Space-to-Depth" with a kernel of 7 and stride 2 is one operation: that convolution
      equals one of 4 x 4 and stride 1 on an image whose 2 x 2 blocks were moved into channels.
      TResNet itself has another root: blocks of 4 x 4, then a convolution of 3 x 3.
    - Blocks are basic ones (two 3 x 3 convolutions), as "k3" and 64 to 512 output channels say;
      TResNet has bottlenecks, of four times the channels, in its last two stages.
    - SE sits before the addition in every block, the last stage included (TResNet leaves it out
      there), with the usual reduction by 16; the table prints no reduction.
    - Strided convolutions are blurred before they are thinned out and shortcuts are averaged, as in
      TResNet; the table names anti-aliasing for the pooling only.
    - Activation and normalization are not printed: ReLU and batch normalization.
    - The head prints two outputs. The softmax of two logits is the logistic function of their
      difference, so the one logit of `ImageNetwork` describes the same family of classifiers.

    No ImageNet weights exist for this network.

    Examples
    --------
    >>> import torch
    >>> build_tresnet(in_channels=1)(torch.rand(2, 1, 64, 64)).shape
    torch.Size([2, 512])
    """
    problems = []
    if in_channels < 1:
        problems.append(f"in_channels is {in_channels}; allowed: 1 or more")
    if pool_stride not in (1, 2):
        problems.append(f"pool_stride is {pool_stride}; allowed: 1 or 2")
    if problems:
        raise InputError("; ".join(problems) + ".")
    backbone = ResNet(
        BasicBlock,
        BLOCKS,
        channels=CHANNELS,
        in_chans=in_channels,
        num_classes=0,
        aa_layer=BlurPool2d,
        avg_down=True,
        block_args={"attn_layer": "se"},
    )
    if pool_stride == 1:
        backbone.maxpool = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1),
            BlurPool2d(channels=CHANNELS[0], stride=1),
        )
        for stage in backbone.feature_info[1:]:
            stage["reduction"] //= 2
    return backbone
