"""Faults that a run has to survive, each done to a real run of a tiny chapter."""

from tests.faults.cases import FAULTS

__all__ = ["FAULTS"]
