"""Simulated cohorts with a known truth: patients, labels, and ultrasound frames."""

from lnm_kit.simulate.cohort import simulate_cohort
from lnm_kit.simulate.model import PopulationModel, population_model, simulated_studies
from lnm_kit.simulate.nodule import Nodule, describe_nodule
from lnm_kit.simulate.population import simulate_population, split_plan
from lnm_kit.simulate.scanner import SCANNERS, Scanner
from lnm_kit.simulate.truth import expected_auc, oracle_auc
from lnm_kit.simulate.ultrasound import Frame, render

__all__ = [
    "SCANNERS",
    "Frame",
    "Nodule",
    "PopulationModel",
    "Scanner",
    "describe_nodule",
    "expected_auc",
    "oracle_auc",
    "population_model",
    "render",
    "simulate_cohort",
    "simulate_population",
    "simulated_studies",
    "split_plan",
]
