"""A scanner in the few knobs that shift radiomic features from one hospital to the next."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np


@dataclass(frozen=True)
class Scanner:
    """Speckle, display and file settings of one center's ultrasound machine.

    Attributes
    ----------
    name
        The center that uses it.
    dynamic_range_db
        Range of echo levels that the display shows, in dB.
    gamma
        Exponent of the gray map; above 1 the map is convex, as post-processing curves often are.
    lateral_px, axial_px
        Standard deviations of the pulse, in display pixels and in half display pixels.
    blur_lateral_px, blur_axial_px
        Standard deviations of the smoothing after detection, in the same two units.
    noise_db
        Electronic noise at the surface, relative to the echo of the thyroid.
    gain_db
        Overall gain, relative to that of center_1.
    edge_boost
        Share of the edge image that is added before display.
    jpeg_quality
        Quality of the lossy file, 1-95.
    """

    name: str
    dynamic_range_db: float
    gamma: float
    lateral_px: float
    axial_px: float
    blur_lateral_px: float
    blur_axial_px: float
    noise_db: float
    gain_db: float
    edge_boost: float
    jpeg_quality: int

    def jittered(self, rng: np.random.Generator) -> "Scanner":
        """Draw the settings of one image: sonographers turn knobs between patients.

        Widths vary by factors (log-normal), gain and noise by dB (normal), as in the
        between-image variation of a single-machine data set.

        Examples
        --------
        >>> scanner = SCANNERS["center_1"]
        >>> image = scanner.jittered(np.random.default_rng(0))
        >>> image.name, image.gain_db != scanner.gain_db
        ('center_1', True)
        """

        def factor(spread: float) -> float:
            return float(np.exp(spread * np.clip(rng.standard_normal(), -2.5, 2.5)))

        return replace(
            self,
            gamma=self.gamma + 0.15 * float(rng.standard_normal()),
            lateral_px=self.lateral_px * factor(0.20),
            axial_px=self.axial_px * factor(0.17),
            blur_lateral_px=self.blur_lateral_px * factor(0.25),
            blur_axial_px=self.blur_axial_px * factor(0.30),
            noise_db=self.noise_db + 3.0 * float(rng.standard_normal()),
            gain_db=self.gain_db + 2.2 * float(np.clip(rng.standard_normal(), -2.5, 2.5)),
            edge_boost=self.edge_boost * 2 * float(rng.random()),
        )


#: The scanners of the simulated hospitals. center_1 is fitted to the public DDTI frames; the two
#: others are moved away from it by as much as two real data sets differ.
SCANNERS: Mapping[str, Scanner] = MappingProxyType(
    {
        "center_1": Scanner(
            name="center_1",
            dynamic_range_db=65.0,
            gamma=2.35,
            lateral_px=1.85,
            axial_px=1.02,
            blur_lateral_px=0.8,
            blur_axial_px=0.65,
            noise_db=-32.0,
            gain_db=0.8,
            edge_boost=0.05,
            jpeg_quality=85,
        ),
        "center_2": Scanner(
            name="center_2",
            dynamic_range_db=65.0,
            gamma=1.8,
            lateral_px=2.2,
            axial_px=1.6,
            blur_lateral_px=1.5,
            blur_axial_px=1.5,
            noise_db=-38.0,
            gain_db=-2.8,
            edge_boost=0.15,
            jpeg_quality=92,
        ),
        "center_3": Scanner(
            name="center_3",
            dynamic_range_db=60.0,
            gamma=2.6,
            lateral_px=1.6,
            axial_px=1.05,
            blur_lateral_px=0.8,
            blur_axial_px=0.6,
            noise_db=-30.0,
            gain_db=0.2,
            edge_boost=0.10,
            jpeg_quality=80,
        ),
    }
)
