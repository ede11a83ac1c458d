"""What another hand would have drawn: masks moved, grown and redrawn, and how well they agree."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree

from lnm_kit.errors import InputError

JITTER_LENGTH = 0.5
"""Distance along which the jitter of a contour stays alike, in radii of a circle of equal area."""

_NEIGHBORS = np.ones((3, 3), bool)
_ALONG = (0.0, 0.25, 0.5, 0.75)  # where each step of a contour is sampled


@dataclass(frozen=True)
class Operator:
    """How much the contours of a person differ from the ones at hand, nodule by nodule.

    Parameters
    ----------
    translation_sd_mm
        SD of the shift, along rows and along columns.
    growth_mean_mm, growth_sd_mm
        Mean and SD of how much further out the contour is drawn.
    jitter_mm
        SD along one contour of its distance from the one at hand.
    """

    translation_sd_mm: float
    growth_mean_mm: float
    growth_sd_mm: float
    jitter_mm: float


SAME_OPERATOR = Operator(0.10, 0.0, 0.10, 0.15)
"""The same person days later. Our choice, as the studies print none: about one pixel of a usual
frame (0.15 mm) in each respect and no bias; a round nodule of 10 mm keeps a Dice near 0.97."""

SECOND_OPERATOR = Operator(0.20, 0.15, 0.20, 0.30)
"""Another person. Our choice: twice the same person's scatter, and a habit of drawing one pixel
further out; a round nodule of 10 mm keeps a Dice near 0.93."""


@dataclass(frozen=True)
class DelineationAgreement:
    """How well two masks of one image agree.

    Parameters
    ----------
    dice, jaccard
        2 |A and B| / (|A| + |B|) and |A and B| / |A or B|, from 0 to 1.
    contour_distance
        Mean distance of the contour pixels of each mask from the other's contour, in `unit`.
    unit
        `mm`, or `px` where the spacing is unknown.
    """

    dice: float
    jaccard: float
    contour_distance: float
    unit: str


def redelineate(
    mask: np.ndarray,
    *,
    spacing_mm: tuple[float, float],
    operator: Operator,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw the mask once more, by a simulated operator (bool, the shape of `mask`).

    Parameters
    ----------
    mask
        (H, W), bool or 0/1, not empty.
    spacing_mm
        Distance of pixel centers along (rows, columns). Where it is unknown, give the one that you
        assume, or call :func:`perturb_mask` with amounts in pixels.
    operator
        :data:`SAME_OPERATOR`, :data:`SECOND_OPERATOR` or another one.
    rng
        Source of the scatter.

    Raises
    ------
    InputError
        As :func:`perturb_mask`; or the spacing is None, or an SD is negative.

    Notes
    -----
    *Source*: Feng 2025, section 2.3: regions drawn again after three days, and by a second
    physician. No such drawings are public, so they are simulated.

    Examples
    --------
    >>> mask = np.pad(np.ones((40, 60), bool), 20)
    >>> rng = np.random.default_rng(0)
    >>> again = redelineate(mask, spacing_mm=(0.15, 0.15), operator=SAME_OPERATOR, rng=rng)
    >>> delineation_agreement(mask, again, (0.15, 0.15)).dice > 0.9
    True
    """
    if spacing_mm is None:
        raise InputError(
            "spacing_mm is None, but an operator's amounts are in mm; "
            "give the spacing that you assume, or call perturb_mask with amounts in pixels."
        )
    if not min(operator.translation_sd_mm, operator.growth_sd_mm) >= 0:
        raise InputError(f"{operator} has an SD below 0; allowed: 0 or more.")
    translation_mm = float(rng.rayleigh(operator.translation_sd_mm))  # length of a normal vector
    return perturb_mask(
        mask,
        spacing_mm=spacing_mm,
        translation_mm=translation_mm,
        growth_mm=float(rng.normal(operator.growth_mean_mm, operator.growth_sd_mm)),
        jitter_mm=operator.jitter_mm,
        rng=rng,
    )


def perturb_mask(
    mask: np.ndarray,
    *,
    spacing_mm: tuple[float, float] | None,
    translation_mm: float,
    growth_mm: float,
    jitter_mm: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Move a mask in a random direction, grow it, and let its contour wobble.

    With d the signed distance from the contour (positive inside), the new mask is where
    d(x - t) + growth + jitter(x) > 0. The jitter is a smooth Gaussian field whose mean along the
    old contour is 0. All amounts 0 give the mask itself.

    The result is never empty: what shrinks away keeps its innermost pixel. It has no more
    components (of touching pixels, corners included) than the mask had: of fragments the largest
    stay. A shift ends where the mask would leave the image, and shows in steps of about a pixel.

    Parameters
    ----------
    mask
        (H, W), bool or 0/1, not empty.
    spacing_mm
        Distance of pixel centers along (rows, columns). None where it is unknown: then **all
        amounts are in pixels**, whatever their names say.
    translation_mm
        Length of the shift, 0 or more.
    growth_mm
        How far the contour moves out; negative: in.
    jitter_mm
        SD of the contour's displacement at right angles to it, 0 or more.
    rng
        Gives direction and jitter.

    Returns
    -------
    numpy.ndarray
        bool (H, W), a new array.

    Raises
    ------
    InputError
        An empty mask or one of other axes, a spacing that is not positive, an amount that is not
        finite or, other than growth, negative.

    Notes
    -----
    *Source*: Zwanenburg et al., "Assessing robustness of radiomic features by image perturbation",
    Sci Rep 2019, which translates, grows and randomizes contours in place of repeated drawing; the
    smooth jitter replaces its randomization by superpixels.

    Examples
    --------
    >>> mask = np.pad(np.ones((4, 4), bool), 3)
    >>> rng = np.random.default_rng(0)
    >>> grown = perturb_mask(
    ...     mask, spacing_mm=None, translation_mm=0, growth_mm=1, jitter_mm=0, rng=rng
    ... )
    >>> grown.sum(axis=0)
    array([0, 0, 4, 6, 6, 6, 6, 4, 0, 0])
    """
    amounts = {"translation_mm": translation_mm, "growth_mm": growth_mm, "jitter_mm": jitter_mm}
    problems = [
        f"{name} is {amount}" for name, amount in amounts.items() if not np.isfinite(amount)
    ]
    problems += [
        f"{name} is {amounts[name]}"
        for name in amounts
        if name != "growth_mm" and amounts[name] < 0
    ]
    if problems:
        raise InputError("; ".join(problems) + "; allowed: 0 or more, and any finite growth_mm.")
    region = _checked(mask, "the mask")
    spacing = _spacing(spacing_mm)
    # Both are drawn whatever the amounts, so that one amount does not change the other's draw.
    angle = rng.uniform(0, 2 * np.pi)
    noise = rng.standard_normal(region.shape)
    shift_px = translation_mm * np.array([np.sin(angle), np.cos(angle)]) / spacing
    distance = _signed_distance(region, spacing, abs(growth_mm) + 4 * jitter_mm)
    if translation_mm > 0:
        shift_px = np.clip(shift_px, *_room_px(region))
        distance = ndimage.shift(distance, shift_px, order=1, mode="nearest")
    level = distance + growth_mm
    if jitter_mm > 0:
        level = level + jitter_mm * _smooth_noise(noise, region, spacing)
    return _largest_components(level, ndimage.label(region, _NEIGHBORS)[1])


def delineation_agreement(
    a: np.ndarray, b: np.ndarray, spacing_mm: tuple[float, float] | None
) -> DelineationAgreement:
    """Overlap and mean contour distance of two masks of one image.

    Parameters
    ----------
    a, b
        (H, W), bool or 0/1, not empty.
    spacing_mm
        Distance of pixel centers along (rows, columns); None where it is unknown: then the contour
        distance is in pixels.

    Raises
    ------
    InputError
        An empty mask, masks of different shapes, or a spacing that is not positive.

    Notes
    -----
    *Source*: Dice, Ecology 1945; Jaccard 1901; the distance is the average symmetric surface
    distance of Heimann et al., IEEE Trans Med Imaging 2009. A contour is made of the marked pixels
    that have an unmarked one, or the image's edge, above, below, left or right.

    Examples
    --------
    >>> a = np.pad(np.ones((4, 4), bool), 3)
    >>> delineation_agreement(a, np.roll(a, 2, axis=1), None)
    DelineationAgreement(dice=0.5, jaccard=0.333..., contour_distance=1.0, unit='px')
    """
    first, second = _checked(a, "mask a"), _checked(b, "mask b")
    if first.shape != second.shape:
        raise InputError(
            f"mask a has shape {first.shape} and mask b {second.shape}; "
            "both must belong to one image."
        )
    spacing = _spacing(spacing_mm)
    both, either = int((first & second).sum()), int((first | second).sum())
    lines = [region & ~ndimage.binary_erosion(region) for region in (first, second)]
    away = [ndimage.distance_transform_edt(~line, sampling=spacing) for line in lines]
    distances = np.concatenate([away[1][lines[0]], away[0][lines[1]]])
    return DelineationAgreement(
        dice=2 * both / (both + either),
        jaccard=both / either,
        contour_distance=float(distances.mean()),
        unit="px" if spacing_mm is None else "mm",
    )


def _checked(mask: np.ndarray, name: str) -> np.ndarray:
    if mask.ndim != 2:
        raise InputError(f"{name} has shape {mask.shape}; it must be (rows, columns).")
    region = mask.astype(bool)
    if not region.any():
        raise InputError(f"{name} is empty; it needs at least one marked pixel.")
    return region


def _spacing(spacing_mm: tuple[float, float] | None) -> np.ndarray:
    if spacing_mm is None:
        return np.ones(2)
    if not all(np.isfinite(value) and value > 0 for value in spacing_mm):
        raise InputError(f"spacing_mm is {spacing_mm}; both must be above 0, or None if unknown.")
    return np.asarray(spacing_mm, dtype=np.float64)


def _signed_distance(region: np.ndarray, spacing: np.ndarray, reach: float) -> np.ndarray:
    """Distance of pixel centers from the contour, positive inside; finer up to `reach`."""
    # A distance transform measures from pixel centers, which lets an oblique contour grow by a
    # third of a pixel too much; the line midway between the centers of both sides does not.
    extended = np.pad(region.astype(float), 1, mode="edge")  # the image's edge is no contour
    from skimage.measure import find_contours

    lines = find_contours(extended, 0.5)
    if not lines:  # the region reaches beyond the image on all sides
        return np.full(region.shape, float(np.hypot(*(region.shape * spacing))))
    points = np.concatenate(
        [line[:-1] + share * np.diff(line, axis=0) for line in lines for share in _ALONG]
    )
    sides = (region, ~region)
    away = sum(ndimage.distance_transform_edt(side, sampling=spacing) for side in sides)
    near = away <= reach + 2 * spacing.max()
    away[near], _ = KDTree((points - 1) * spacing).query(np.argwhere(near) * spacing)
    return np.where(region, away, -away)


def _room_px(region: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest shift along (rows, columns) that leaves the region in the image."""
    places = np.argwhere(region)
    return -places.min(axis=0), np.array(region.shape) - 1 - places.max(axis=0)


def _smooth_noise(noise: np.ndarray, region: np.ndarray, spacing: np.ndarray) -> np.ndarray:
    """Gaussian field of SD 1 and of mean 0 along the region's contour."""
    radius = np.sqrt(region.sum() * spacing.prod() / np.pi)
    sigma_px = np.maximum(JITTER_LENGTH * radius / spacing, 0.5)
    field = ndimage.gaussian_filter(noise, sigma_px)
    # SD that filtering leaves of white noise: the root of the kernel's sum of squares.
    field /= np.prod([_kernel_norm(sigma) for sigma in sigma_px])
    line = region & ~ndimage.binary_erosion(region)
    return field - field[line].mean()


def _kernel_norm(sigma_px: float) -> float:
    reach = int(np.ceil(4 * sigma_px)) + 1
    impulse = np.zeros(2 * reach + 1)
    impulse[reach] = 1
    return float(np.linalg.norm(ndimage.gaussian_filter1d(impulse, sigma_px, mode="constant")))


def _largest_components(level: np.ndarray, n_components: int) -> np.ndarray:
    """Where the level is above 0: the largest components; if there is none, the highest pixel."""
    region = level > 0
    if not region.any():
        region.flat[level.argmax()] = True
        return region
    components, found = ndimage.label(region, _NEIGHBORS)
    if found <= n_components:
        return region
    sizes = np.bincount(components.ravel())[1:]
    kept = np.argsort(-sizes, kind="stable")[:n_components] + 1
    return np.isin(components, kept)
