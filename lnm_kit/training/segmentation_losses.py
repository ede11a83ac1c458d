"""Losses and overlap of segmentations."""

import torch
from torch import Tensor
from torch.nn import functional

from lnm_kit.errors import InputError


def segmentation_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Binary cross-entropy plus IoU loss, both averaged over all maps.

    Parameters
    ----------
    logits
        Float (N, M, H, W): M maps for each of N images.
    targets
        0 and 1, of the same shape.

    Raises
    ------
    InputError
        Two shapes.

    Notes
    -----
    *Source*: G. Li (DGFNet), section "Training Configuration": "a combination of binary
    cross-entropy loss and Intersection over Union (IOU) loss". No weights are printed: both count
    alike, and so do the two maps. Only the last map of a decoder is named, so there is no deep
    supervision.

    Examples
    --------
    >>> right = torch.tensor([[[[-20.0, 20.0]]]])
    >>> round(segmentation_loss(right, right > 0).item(), 4)
    0.0
    """
    if logits.shape != targets.shape:
        raise InputError(
            f"segmentation: logits have shape {tuple(logits.shape)}, targets "
            f"{tuple(targets.shape)}; needed: the same."
        )
    logits, targets = logits.float(), targets.float()
    cross_entropy = functional.binary_cross_entropy_with_logits(logits, targets)
    return cross_entropy + iou_loss(logits.sigmoid(), targets)


def iou_loss(probability: Tensor, targets: Tensor, *, smooth: float = 1.0) -> Tensor:
    """Mean over maps of ``1 - (I + s) / (U + s)``, with I = sum p t and U = sum (p + t - p t).

    Parameters
    ----------
    probability, targets
        Float (N, M, H, W) in [0, 1].
    smooth
        s, in pixels; an empty map that is left empty costs nothing.

    Notes
    -----
    *Source*: the paper prints no formula; this is the usual one (Rahman and Wang, ISVC 2016).

    Examples
    --------
    >>> ones = torch.ones(1, 1, 2, 2)
    >>> iou_loss(ones, ones).item(), round(iou_loss(ones, 0 * ones).item(), 2)
    (0.0, 0.8)
    """
    shared = (probability * targets).sum(dim=(2, 3))
    either = (probability + targets).sum(dim=(2, 3)) - shared
    return (1 - (shared + smooth) / (either + smooth)).mean()


def dice(logits: Tensor, targets: Tensor) -> Tensor:
    """Dice overlap ``2 |A and B| / (|A| + |B|)`` of each map, float (N, M), at probability 0.5.

    Two empty maps agree: 1.

    Examples
    --------
    >>> dice(torch.tensor([[[[1.0, 1.0, -1.0, -1.0]]]]), torch.tensor([[[[1, 0, 0, 0]]]])).tolist()
    [[0.666...]]
    """
    marked, target = logits > 0, targets > 0
    shared = (marked & target).sum(dim=(2, 3))
    both = marked.sum(dim=(2, 3)) + target.sum(dim=(2, 3))
    return torch.where(both > 0, 2 * shared / both.clamp(min=1), 1.0)
