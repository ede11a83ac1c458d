"""Runs of chapters: parameters, execution, what a run leaves behind, and the book."""

from lnm_kit.runs.parameters import take_parameters
from lnm_kit.runs.recorder import Recorder

__all__ = ["Recorder", "take_parameters"]
