"""From the clinical columns of any study to the nodule that its images show."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from lnm_kit.simulate.nodule import Nodule, describe_nodule

# Share of the transverse outline at the capsule: a nodule that only touches it, and one that
# interrupts it without leaving the thyroid.
TOUCHING = (0.06, 0.02)
INTERRUPTING = (0.15, 0.03)
# Width of the nodule's edge against the median.
SOFTNESS = {0: 0.7, 1: 1.7}

SIDES = {"left": 1, "right": -1, "isthmus": 0}

_CALCIFICATION = {"none": "none", "micro": "micro", "coarse": "macro", "mixed": "mixed"}


def describe_case(case: Mapping[str, Any], aggressiveness: float, seed: int) -> Nodule:
    """Turn a clinical row, in the words of its study, into a nodule.

    What `describe_nodule` needs is taken from the columns of its name, or worked out from the
    columns that say the same in other words: `ete`, `capsular_invasion` and `shape_irregular`
    for the margin, `calcification` for the echogenic foci, `aspect_ratio` for taller than wide,
    `multifocal` for the number of foci (1 where none is told), `side` with `pole` for the
    location. Beyond it, `aspect_ratio` is the
    aspect itself, `capsular_contact` and `discontinuous_capsule` bring the nodule to the capsule,
    `margin_unclear` softens its edge, and with `calcification` the number of calcifications goes
    along with the area of a nodule below 1 cm, whose inside they would fill otherwise.

    Parameters
    ----------
    case
        One row of a cohort's cases, with what it does not record from the truth.
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
    >>> case = {"tumor_size_cm": 0.6, "aspect_ratio": 1.3, "location": "middle", "ete": 0,
    ...         "shape_irregular": 1, "echogenicity": "hypo", "calcification": "mixed",
    ...         "capsular_contact": 1, "discontinuous_capsule": 0, "margin_unclear": 1}
    >>> nodule = describe_case(case, 0.0, 7)
    >>> nodule.aspect, nodule.calcification, nodule.contact > 0, nodule.foci
    (1.3, 'mixed', True, 1)
    """
    nodule = describe_nodule(_in_common_words(case), aggressiveness, seed)
    if "aspect_ratio" in case:
        nodule = replace(nodule, aspect=float(case["aspect_ratio"]))
    if "side" in case:
        nodule = replace(nodule, side=SIDES[str(case["side"])])
    if "margin_unclear" in case:
        nodule = replace(nodule, softness=SOFTNESS[int(case["margin_unclear"])])
    if "calcification" in case and nodule.calcification_count > 1:
        area = min(1.0, (nodule.diameter_mm / 10) ** 2)
        count = max(1, round(area * nodule.calcification_count))
        nodule = replace(nodule, calcification_count=count)
    if case.get("capsular_contact") == 1 and nodule.contact == 0:
        middle, spread = INTERRUPTING if case.get("discontinuous_capsule") == 1 else TOUCHING
        drawn = np.random.default_rng([0xC0A7, int(seed)]).standard_normal()
        nodule = replace(nodule, contact=float(middle + spread * np.clip(drawn, -2, 2)))
    return nodule


def _in_common_words(case: Mapping[str, Any]) -> dict[str, Any]:
    """Add the columns of `describe_nodule` that another column of the study implies."""
    words: dict[str, Any] = {"composition": "solid", "n_foci": 1}
    if "shape_irregular" in case:
        words["margin"] = "irregular" if case["shape_irregular"] == 1 else "smooth"
    if "calcification" in case:
        words["echogenic_foci"] = _CALCIFICATION.get(case["calcification"], case["calcification"])
    if "aspect_ratio" in case:
        words["taller_than_wide"] = int(case["aspect_ratio"] >= 1)
    if case.get("multifocal") == 1:
        words["n_foci"] = 2
    if "pole" in case:
        words["location"] = "isthmus" if case["side"] == "isthmus" else case["pole"]
    words |= case
    if 1 in (case.get("ete"), case.get("capsular_invasion")):
        words["margin"] = "ete"
    return words
