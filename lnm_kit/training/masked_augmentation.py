"""Random variation of images together with the maps that belong to them."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from lnm_kit.errors import InputError


@dataclass(frozen=True)
class MaskedAugmentation:
    """How far images and their maps are varied; every kind is applied with one probability.

    Parameters
    ----------
    probability
        Of each kind, image by image and kind by kind.
    rotation_degrees
        Largest rotation to either side.
    crop_area
        Smallest area of the randomly placed crop, as a share of the image's.
    brightness
        Largest shift to either side, in gray values of [0, 1].
    contrast
        Largest relative change about the image's mean to either side.
    elastic
        SD of the displacement of each place, as a share of the side.
    elastic_knots
        Knots a side of the displacement, between which it is smooth.

    Raises
    ------
    InputError
        Settings out of their range; all are listed.

    Notes
    -----
    *Source*: G. Li (DGFNet), section "Image Augmentation": rotation within 15 degrees, horizontal
    flip, crops of 90 % to 100 % of the area, brightness and contrast, elastic transformation, each
    with probability 0.5. How far brightness, contrast and elastic transformation go is not
    printed; the values here are ours.

    Examples
    --------
    >>> MaskedAugmentation(probability=2)
    Traceback (most recent call last):
    lnm_kit.errors.InputError: augmentation: probability is 2; allowed: 0 to 1.
    """

    probability: float = 0.5
    rotation_degrees: float = 15.0
    crop_area: float = 0.9
    brightness: float = 0.1
    contrast: float = 0.1
    elastic: float = 0.01
    elastic_knots: int = 6

    def __post_init__(self) -> None:
        ranges = {
            "probability": (0 <= self.probability <= 1, "0 to 1"),
            "rotation_degrees": (0 <= self.rotation_degrees <= 180, "0 to 180"),
            "crop_area": (0 < self.crop_area <= 1, "above 0, at most 1"),
            "brightness": (0 <= self.brightness <= 1, "0 to 1"),
            "contrast": (0 <= self.contrast <= 1, "0 to 1"),
            "elastic": (0 <= self.elastic <= 0.2, "0 to 0.2"),
            "elastic_knots": (self.elastic_knots >= 2, "2 or more"),
        }
        problems = [
            f"{name} is {getattr(self, name)!r}; allowed: {allowed}"
            for name, (valid, allowed) in ranges.items()
            if not valid
        ]
        if problems:
            raise InputError(f"augmentation: {'. '.join(problems)}.")


@dataclass(frozen=True)
class Variation:
    """What was drawn for n images; the same variation can be applied to images of any size.

    Parameters
    ----------
    matrix
        Float (n, 2, 3), affine, from places of the result to places of the image in [-1, 1].
    displacement
        Float (n, 2, K, K), added to these places, between the knots smooth.
    gray
        Float (n, 2): factor of the contrast, and shift.
    """

    matrix: Tensor
    displacement: Tensor
    gray: Tensor

    def __getitem__(self, rows: slice | Tensor) -> "Variation":
        return Variation(self.matrix[rows], self.displacement[rows], self.gray[rows])


def draw_masked_variation(
    n: int, augmentation: MaskedAugmentation, generator: torch.Generator
) -> Variation:
    """Draw the variation of n images on the processor, so that a seed means one on every device."""
    happens = torch.rand(n, 6, generator=generator) < augmentation.probability
    uniform = 2 * torch.rand(n, 6, generator=generator) - 1
    applied = happens.float()
    angle = math.radians(augmentation.rotation_degrees) * uniform[:, 0] * applied[:, 0]
    flip = 1 - 2 * applied[:, 1]
    area = 1 - (1 - augmentation.crop_area) * (uniform[:, 1] + 1) / 2 * applied[:, 2]
    side = area.sqrt()
    center = (1 - side)[:, None] * uniform[:, 2:4]
    cosine, sine = side * angle.cos(), side * angle.sin()
    matrix = torch.stack(
        [cosine * flip, -sine, center[:, 0], sine * flip, cosine, center[:, 1]], dim=1
    )
    knots = augmentation.elastic_knots
    # places run from -1 to 1: a share of the side is twice as much there
    displacement = 2 * augmentation.elastic * torch.randn(n, 2, knots, knots, generator=generator)
    displacement *= applied[:, 3].view(-1, 1, 1, 1)
    factor = 1 + augmentation.contrast * uniform[:, 4] * applied[:, 4]
    shift = augmentation.brightness * uniform[:, 5] * applied[:, 5]
    return Variation(matrix.view(-1, 2, 3), displacement, torch.stack([factor, shift], dim=1))


def vary_with_maps(images: Tensor, maps: Tensor, variation: Variation) -> tuple[Tensor, Tensor]:
    """Vary images, float (N, C, H, W), and their maps of 0 and 1, float (N, M, H, W), as one.

    Maps move with the image but keep their values: they are sampled at the nearest place and know
    no brightness. Places outside are filled by reflection in both.
    """
    matrix = variation.matrix.to(images.device, images.dtype)
    height, width = images.shape[-2:]
    # a rotation acts on pixels, not on the unit square, when an image is not square
    aspect = torch.tensor([[1.0, height / width, 1.0], [width / height, 1.0, 1.0]])
    matrix = matrix * aspect.to(images.device, images.dtype)
    places = functional.affine_grid(matrix, list(images.shape), align_corners=False)
    field = variation.displacement.to(images.device, images.dtype)
    field = functional.interpolate(field, size=(height, width), mode="bicubic", align_corners=True)
    places = places + field.permute(0, 2, 3, 1)
    varied = functional.grid_sample(
        images, places, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    moved = functional.grid_sample(
        maps, places, mode="nearest", padding_mode="reflection", align_corners=False
    )
    mean = varied.mean(dim=(2, 3), keepdim=True)
    gray = variation.gray.to(images.device, images.dtype)
    factor, shift = gray[:, 0].view(-1, 1, 1, 1), gray[:, 1].view(-1, 1, 1, 1)
    return (varied - mean) * factor + mean + shift, moved
