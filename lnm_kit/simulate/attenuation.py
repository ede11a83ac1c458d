"""What contrast CT shows of a nodule: attenuation and how it meets what is around it."""

from dataclasses import dataclass

import numpy as np

from lnm_kit.simulate.nodule import Nodule

UNENHANCED_HU = 30.0
SOFTNESS_HU = 15.0


@dataclass(frozen=True)
class Attenuation:
    """A nodule and its gland in a contrast-enhanced CT of the neck.

    Attributes
    ----------
    gland_hu, nodule_hu
        Mean attenuation after contrast, in Hounsfield units.
    vessel_hu
        Attenuation of the carotid arteries.
    heterogeneity_hu
        Standard deviation inside the nodule, before noise.
    edge_mm
        Width over which the nodule's border fades.
    stranding
        How much of the fat around the nodule is lost to soft tissue, 0-1.
    """

    gland_hu: float
    nodule_hu: float
    vessel_hu: float
    heterogeneity_hu: float
    edge_mm: float
    stranding: float


def describe_attenuation(nodule: Nodule, spread: float, seed: int) -> Attenuation:
    r"""Draw the CT appearance of a nodule with the latent `spread` s.

    Cancers take up less iodine than the gland: the nodule lies 65 HU below it, 22 s lower with s,
    and 1 HU lower for each dB that it is darker in ultrasound, but it approaches 30 HU, that of
    soft tissue without iodine, only smoothly. With s the border fades (ln width + 0.22 s), fat
    beside the nodule is lost (+ 0.16 s) and the inside is more uneven. Ultrasound does not show s.
    The magnitudes are choices.

    Parameters
    ----------
    nodule
        That of the ultrasound frames.
    spread
        The latent s, standard normal.
    seed
        Random stream; two calls with the same arguments give the same values.

    Examples
    --------
    >>> nodule = Nodule(12.0, 0.8, 1.0, 0.0, -3.0, 1.6, "solid", "none", 0, "middle", 3)
    >>> calm, spreading = (describe_attenuation(nodule, s, 3) for s in (-2.0, 2.0))
    >>> spreading.nodule_hu < calm.nodule_hu < calm.gland_hu
    True
    """
    rng = np.random.default_rng([0xC7, int(seed)])
    s = float(np.clip(spread, -3, 3))

    def vary(width: float) -> float:
        return width * float(np.clip(rng.standard_normal(), -2.5, 2.5))

    gland = 165.0 + vary(16)
    below = 65.0 + 22.0 * s - 1.0 * (nodule.echo_db + 3.0) + vary(15)
    return Attenuation(
        gland_hu=gland,
        nodule_hu=UNENHANCED_HU
        + SOFTNESS_HU
        * float(np.logaddexp(0, (gland - max(below, -20) - UNENHANCED_HU) / SOFTNESS_HU)),
        vessel_hu=255.0 + vary(32),
        heterogeneity_hu=float(11.0 * np.exp(0.14 * s + vary(0.3))),
        edge_mm=float(0.55 * np.exp(0.22 * s + vary(0.28))),
        stranding=float(np.clip(0.35 + 0.16 * s + vary(0.16), 0, 1)),
    )
