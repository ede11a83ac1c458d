"""One nodule as the renderer needs it: from a clinical row and a latent to a phenotype."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lnm_kit.errors import InputError, one_of

#: How strongly the latent aggressiveness moves the image, within the clinical class.
STRENGTH = 1.4

COMPOSITIONS = ("cystic", "mixed", "solid")
CALCIFICATIONS = ("none", "macro", "peripheral", "micro", "mixed")
LOCATIONS = ("upper", "middle", "lower", "isthmus")
MARGINS = ("smooth", "irregular", "ete")

# Median echo level against the thyroid, in dB. The classes overlap: in DDTI the nodule-to-ring
# ratio of gray is 1.01 for hyperechoic, 0.88 for iso-, 0.80 for hypo- and 0.75 for markedly
# hypoechoic nodules, with a spread as wide as the distance of the outer two.
ECHO_DB = {"anechoic": -6.5, "hyper_iso": -0.9, "hypo": -3.1, "marked_hypo": -5.2}
IRREGULARITY = {"smooth": 0.75, "irregular": 1.75, "ete": 1.5}
CALCIFICATION_COUNT = {"none": 0.0, "macro": 1.4, "peripheral": 2.0, "micro": 18.0, "mixed": 14.0}


@dataclass(frozen=True)
class Nodule:
    """What the renderer knows of one nodule and of the neck around it.

    Attributes
    ----------
    diameter_mm
        Largest of the three diameters of the body.
    aspect
        Anteroposterior over transverse diameter; at least 1 means taller than wide.
    irregularity
        Roughness of the surface; 1 is the median of DDTI's hand-drawn outlines.
    contact
        Share of the transverse outline that abuts and interrupts the capsule of the thyroid, 0-1.
    echo_db
        Mean echo level of its solid part against the thyroid, in dB.
    heterogeneity
        Depth of its inner texture, in dB per unit field.
    composition
        cystic, mixed or solid.
    calcification
        none, macro, peripheral, micro, or mixed: microcalcifications around a large one.
    calcification_count
        Calcifications in the whole body; a plane shows those that its beam meets.
    location
        upper, middle, lower or isthmus.
    seed
        Random stream of the body and of the neck: the same in every plane of this nodule.
    foci
        Tumor foci in the gland, 1-3; the others may show as small unmarked nodules.
    softness
        Width of its edge against that of the median nodule; an unclear margin is above 1.
    side
        1 in the left lobe, whose vessels lie to the right in the image, -1 in the right lobe;
        0 = drawn with the seed.
    """

    diameter_mm: float
    aspect: float
    irregularity: float
    contact: float
    echo_db: float
    heterogeneity: float
    composition: str
    calcification: str
    calcification_count: int
    location: str
    seed: int
    foci: int = 1
    softness: float = 1.0
    side: int = 0

    def __post_init__(self) -> None:
        for name in ("diameter_mm", "aspect", "irregularity", "heterogeneity", "softness"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise InputError(f"{name} of a nodule is {value!r}; it must be a positive number.")
        if not 0 <= self.contact <= 1:
            raise InputError(f"contact of a nodule is {self.contact!r}; allowed: 0 to 1.")
        one_of("composition of a nodule", self.composition, COMPOSITIONS)
        one_of("calcification of a nodule", self.calcification, CALCIFICATIONS)
        one_of("location of a nodule", self.location, LOCATIONS)
        if self.side not in (-1, 0, 1):
            raise InputError(f"side of a nodule is {self.side!r}; allowed: -1, 0, 1.")


def describe_nodule(case: Mapping[str, Any], aggressiveness: float, seed: int) -> Nodule:
    r"""Turn a clinical row and the latent aggressiveness z into a nodule.

    The clinical class fixes the median; within the class, z ~ N(0, 1) moves the echo level by
    :math:`-1.68\,t z` dB, the logarithm of the irregularity by :math:`0.315\,t z`, of the
    heterogeneity by :math:`0.135\,t z`, of the aspect by :math:`0.156\,t z` (never across the
    taller-than-wide border) and of the number of microcalcifications by :math:`0.3\,t z`, with
    t = 1.4. Two calls with the same arguments give the same nodule.

    Parameters
    ----------
    case
        One row of a cohort's cases: tumor_size_cm, margin, composition, echogenicity,
        taller_than_wide, echogenic_foci, location, n_foci.
    aggressiveness
        The latent z.
    seed
        Random stream of this nodule.

    Raises
    ------
    InputError
        When a column is missing or holds a value that is not allowed; all problems are listed.

    Examples
    --------
    >>> case = {"tumor_size_cm": 0.9, "margin": "ete", "composition": "solid",
    ...         "echogenicity": "hypo", "taller_than_wide": 1, "echogenic_foci": "micro",
    ...         "location": "upper", "n_foci": 2}
    >>> calm, aggressive = describe_nodule(case, -1.0, 7), describe_nodule(case, 1.0, 7)
    >>> calm.diameter_mm, aggressive.echo_db < calm.echo_db, aggressive.aspect >= 1
    (9.0, True, True)
    """
    _check(case)
    rng = np.random.default_rng([0x0D1E, int(seed)])
    z = STRENGTH * float(np.clip(aggressiveness, -3, 3))

    def spread(width: float) -> float:
        return width * float(np.clip(rng.standard_normal(), -2.5, 2.5))

    margin = str(case["margin"])
    echo_db = ECHO_DB[str(case["echogenicity"])] - 1.68 * z + spread(1.8)
    irregularity = IRREGULARITY[margin] * np.exp(0.315 * z + spread(0.35))
    heterogeneity = 1.6 * np.exp(0.135 * z + spread(0.40))
    log_aspect = 0.156 * z + spread(0.16)
    aspect = _aspect(log_aspect, taller_than_wide=int(case["taller_than_wide"]) == 1)
    contact = _contact(margin, z, rng)
    foci = str(case["echogenic_foci"])
    count = _calcification_count(foci, z, rng)
    return Nodule(
        diameter_mm=10.0 * float(case["tumor_size_cm"]),
        aspect=float(aspect),
        irregularity=float(np.clip(irregularity, 0.2, 5.0)),
        contact=contact,
        echo_db=float(np.clip(echo_db, -14.0, 5.0)),
        heterogeneity=float(heterogeneity),
        composition=str(case["composition"]),
        calcification=foci,
        calcification_count=count,
        location=str(case["location"]),
        seed=int(seed),
        foci=int(case["n_foci"]),
    )


def _aspect(log_aspect: float, *, taller_than_wide: bool) -> float:
    """Squeeze a free log aspect into its class: (1, 1.6) when taller than wide, else (0.45, 1)."""
    share = 1 / (1 + np.exp(-4 * log_aspect))
    if taller_than_wide:
        return float(1.02 + 0.5 * share)
    return float(0.50 + 0.47 * share)


def _contact(margin: str, z: float, rng: np.random.Generator) -> float:
    if margin != "ete":
        return 0.0
    return float(np.clip(0.24 + 0.05 * z + 0.08 * rng.standard_normal(), 0.10, 0.48))


def _calcification_count(foci: str, z: float, rng: np.random.Generator) -> int:
    expected = CALCIFICATION_COUNT[foci]
    if foci in ("micro", "mixed"):
        expected *= np.exp(0.3 * z)
    return 0 if expected == 0 else max(1, int(rng.poisson(expected)))


def _check(case: Mapping[str, Any]) -> None:
    allowed: dict[str, tuple[Any, ...]] = {
        "margin": MARGINS,
        "composition": COMPOSITIONS,
        "echogenicity": tuple(ECHO_DB),
        "echogenic_foci": CALCIFICATIONS,
        "location": LOCATIONS,
        "taller_than_wide": (0, 1),
        "n_foci": (1, 2, 3),
    }
    problems = [f"{name} is missing" for name in (*allowed, "tumor_size_cm") if name not in case]
    for name, values in allowed.items():
        if name in case and case[name] not in values:
            words = ", ".join(str(value) for value in values)
            problems.append(f"{name} is {case[name]!r}; allowed: {words}")
    if "tumor_size_cm" in case:
        size = float(case["tumor_size_cm"])
        if not 0.1 <= size <= 10:
            problems.append(f"tumor_size_cm is {size!r}; allowed: 0.1 to 10")
    if problems:
        raise InputError("The clinical row does not describe a nodule: " + "; ".join(problems))
