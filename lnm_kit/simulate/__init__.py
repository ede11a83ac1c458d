"""Simulated cohorts with a known truth: patients, labels, ultrasound frames, CT slices."""

from lnm_kit.simulate.ceus import linear_intensity, render_ceus
from lnm_kit.simulate.cohort import simulate_cohort
from lnm_kit.simulate.model import PopulationModel, population_model, simulated_studies
from lnm_kit.simulate.neck_ct import render_slice
from lnm_kit.simulate.nodule import Nodule, describe_nodule
from lnm_kit.simulate.perfusion import Bolus, Perfusion
from lnm_kit.simulate.population import simulate_population, split_plan
from lnm_kit.simulate.scanner import SCANNERS, Scanner
from lnm_kit.simulate.truth import expected_auc, oracle_auc
from lnm_kit.simulate.ultrasound import Frame, render

__all__ = [
    "SCANNERS",
    "Bolus",
    "Frame",
    "Nodule",
    "Perfusion",
    "PopulationModel",
    "Scanner",
    "describe_nodule",
    "expected_auc",
    "linear_intensity",
    "oracle_auc",
    "population_model",
    "render",
    "render_ceus",
    "render_slice",
    "simulate_cohort",
    "simulate_population",
    "simulated_studies",
    "split_plan",
]
