"""How fast the package was where it was measured: the results of ``make bench``."""

from lnm_kit.measured.speed import Measured, duration, measured_parts, measured_speed

__all__ = ["Measured", "duration", "measured_parts", "measured_speed"]
