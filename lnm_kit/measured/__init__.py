"""What was measured elsewhere than in a chapter: speed by ``make bench``, sweeps over seeds."""

from lnm_kit.measured.speed import Measured, duration, measured_parts, measured_speed
from lnm_kit.measured.sweeps import MeasuredSweep, measured_sweep

__all__ = [
    "Measured",
    "MeasuredSweep",
    "duration",
    "measured_parts",
    "measured_speed",
    "measured_sweep",
]
