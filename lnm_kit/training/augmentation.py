"""Random rotation, flip, crop, shear, brightness, contrast and noise of a batch, on its device."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from lnm_kit.errors import InputError


@dataclass(frozen=True)
class Augmentation:
    """How far images are varied in training; the zero of each setting switches it off.

    Parameters
    ----------
    rotation_degrees
        Largest rotation to either side, 0 to 180.
    flip_probability
        Probability of a left-right flip. Up and down are depth in ultrasound, and never flipped.
    crop_scale
        Smallest side of the randomly placed square crop, as a fraction of the image's, in (0, 1].
    brightness
        Largest shift of the gray value to either side, in gray values of [0, 1].
    contrast
        Largest relative change of the contrast about the image's own mean to either side, 0 to 1.
    shear_degrees
        Largest tilt of the upright edges to either side, 0 to 60.
    noise_sd
        SD of Gaussian noise that is added to every pixel, in gray values of [0, 1].

    Raises
    ------
    InputError
        Settings out of their range; all are listed.

    Notes
    -----
    *Source*: random cropping, flipping, rotation within 20 degrees: Feng 2025, section 2.5.

    Examples
    --------
    >>> Augmentation(rotation_degrees=400)
    Traceback (most recent call last):
    lnm_kit.errors.InputError: augmentation: rotation_degrees is 400; allowed: 0 to 180.
    """

    rotation_degrees: float = 20.0
    flip_probability: float = 0.5
    crop_scale: float = 0.85
    brightness: float = 0.05
    contrast: float = 0.15
    shear_degrees: float = 0.0
    noise_sd: float = 0.0

    def __post_init__(self) -> None:
        ranges = {
            "rotation_degrees": (0 <= self.rotation_degrees <= 180, "0 to 180"),
            "flip_probability": (0 <= self.flip_probability <= 1, "0 to 1"),
            "crop_scale": (0 < self.crop_scale <= 1, "above 0, at most 1"),
            "brightness": (0 <= self.brightness <= 1, "0 to 1"),
            "contrast": (0 <= self.contrast <= 1, "0 to 1"),
            "shear_degrees": (0 <= self.shear_degrees <= 60, "0 to 60"),
            "noise_sd": (0 <= self.noise_sd <= 1, "0 to 1"),
        }
        problems = [
            f"{name} is {getattr(self, name)!r}; allowed: {allowed}"
            for name, (valid, allowed) in ranges.items()
            if not valid
        ]
        if problems:
            raise InputError(f"augmentation: {'. '.join(problems)}.")


NO_AUGMENTATION = Augmentation(0.0, 0.0, 1.0, 0.0, 0.0)


def augment(batch: Tensor, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """Vary every image of a batch in its own way, in one sampling step on the batch's device.

    Parameters
    ----------
    batch
        Float (N, C, H, W) in [0, 1]. The channels of one image are varied together.
    augmentation
        How far.
    generator
        Of the processor, so that a seed draws the same variation on every device; only the values
        of the noise are drawn on the device.

    Examples
    --------
    >>> images = torch.rand(2, 1, 8, 8)
    >>> varied = augment(images, NO_AUGMENTATION, torch.Generator())
    >>> torch.allclose(varied, images, atol=1e-6)
    True
    """
    return apply_variation(batch, draw_variation(len(batch), augmentation, generator))


def draw_variation(n: int, augmentation: Augmentation, generator: torch.Generator) -> Tensor:
    """Draw the variation of n images, float (n, 10) on the processor.

    The columns are the 2 x 3 affine matrix from output to input places in [-1, 1], row by row
    (x to the right, y down), the contrast factor, the shift in gray value, the SD of the noise, and
    its seed.
    """
    uniform = torch.rand(n, 7, generator=generator)
    either_side = 2 * uniform - 1
    angle = math.radians(augmentation.rotation_degrees) * either_side[:, 0]
    flip = torch.where(uniform[:, 1] < augmentation.flip_probability, -1.0, 1.0)
    side = 1 - (1 - augmentation.crop_scale) * uniform[:, 2]
    # the crop lies within the image: its center moves by what the crop leaves free
    center = (1 - side)[:, None] * either_side[:, 3:5]
    cosine, sine = side * angle.cos(), side * angle.sin()
    factor = 1 + augmentation.contrast * either_side[:, 5]
    shift = augmentation.brightness * either_side[:, 6]
    across, down = -sine, cosine
    noise_sd = torch.full((n,), augmentation.noise_sd)
    noise_seed = torch.zeros(n)
    if augmentation.shear_degrees:
        tilt = (math.radians(augmentation.shear_degrees) * _either_side(n, generator)).tan()
        across, down = across + tilt * cosine, down + tilt * sine
    if augmentation.noise_sd:
        # whole numbers that float32 holds exactly
        noise_seed = torch.randint(2**24, (n,), generator=generator).float()
    columns = [
        cosine * flip,
        across,
        center[:, 0],
        sine * flip,
        down,
        center[:, 1],
        factor,
        shift,
        noise_sd,
        noise_seed,
    ]
    return torch.stack(columns, dim=1)


def apply_variation(batch: Tensor, variation: Tensor) -> Tensor:
    """Vary a batch, float (N, C, H, W), by what `draw_variation` drew for it, (N, 10).

    Places outside of the image are filled by reflection: black corners would tell the network
    which images were rotated.
    """
    noise_sd, seeds = variation[:, 8], variation[:, 9]
    variation = variation.to(batch.device, batch.dtype, non_blocking=True)
    height, width = batch.shape[-2:]
    # a rotation acts on pixels, not on the unit square, when an image is not square
    aspect = torch.tensor([[1.0, height / width, 1.0], [width / height, 1.0, 1.0]])
    matrix = variation[:, :6].view(-1, 2, 3) * aspect.to(batch.device, batch.dtype)
    places = functional.affine_grid(matrix, list(batch.shape), align_corners=False)
    varied = functional.grid_sample(
        batch, places, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    mean = varied.mean(dim=(2, 3), keepdim=True)
    factor, shift = variation[:, 6].view(-1, 1, 1, 1), variation[:, 7].view(-1, 1, 1, 1)
    toned = (varied - mean) * factor + mean + shift
    if not noise_sd.any():
        return toned
    generator = torch.Generator(batch.device).manual_seed(int(seeds[0]))
    noise = torch.randn(batch.shape, dtype=batch.dtype, device=batch.device, generator=generator)
    return toned + noise * noise_sd.to(batch.device, batch.dtype).view(-1, 1, 1, 1)


def _either_side(n: int, generator: torch.Generator) -> Tensor:
    return 2 * torch.rand(n, generator=generator) - 1
