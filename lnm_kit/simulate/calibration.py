"""How the constants of a population's outcome model were found, and whether they still hold."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm
from scipy import optimize
from scipy.special import expit

from lnm_kit.simulate.model import (
    AGGRESSIVENESS,
    PopulationModel,
    design_matrix,
    target_coefficients,
)
from lnm_kit.simulate.population import draw_patients, split_plan
from lnm_kit.simulate.sampling import intercept_for
from lnm_kit.simulate.truth import expected_auc

SPLIT = "training"


@dataclass(frozen=True)
class Calibration:
    """An outcome model and what it implies in a very large training split.

    Attributes
    ----------
    aggressiveness
        Coefficient of the latent aggressiveness.
    direct
        Effects of the clinical columns given the aggressiveness, as log odds.
    regression
        Coefficients of the logistic regression on the clinical columns alone.
    auc_oracle, auc_aggressiveness, auc_clinical
        Expected AUC of the true probability, of the aggressiveness alone, and of the clinical
        columns alone with the coefficients of `regression`.
    """

    aggressiveness: float
    direct: dict[str, float]
    regression: dict[str, float]
    auc_oracle: float
    auc_aggressiveness: float
    auc_clinical: float


def verify(model: PopulationModel, *, n: int, seed: int) -> Calibration:
    """Work out what the model's own constants imply in n patients of the training split.

    Expected labels (probabilities) are regressed, so that only the n patients are random.
    """
    sample = _Sample(model, n, seed)
    direct = pd.Series(model.outcome.direct).reindex(sample.design.columns).to_numpy()
    return sample.describe(model.outcome.aggressiveness, direct)


def calibrate(
    model: PopulationModel, *, auc_aggressiveness: float, n: int, seed: int
) -> Calibration:
    """Find the outcome model whose clinical regression has the target coefficients.

    Leaving the aggressiveness out of a logistic regression shrinks the coefficients of the
    clinical columns (it is part of the residual) and shifts those that correlate with it. So the
    direct effects are moved by what the regression misses, again and again, until it finds the
    targets; around this the coefficient of the aggressiveness is solved for so that its own
    expected AUC is `auc_aggressiveness`. Slow: minutes at n = 200,000.
    """
    sample = _Sample(model, n, seed)
    target = pd.Series(target_coefficients(model)).reindex(sample.design.columns).to_numpy()
    direct = target.copy()

    def excess(coefficient: float) -> float:
        nonlocal direct
        direct = sample.match(coefficient, direct, target)
        return sample.describe(coefficient, direct).auc_aggressiveness - auc_aggressiveness

    coefficient = float(optimize.brentq(excess, 1.0, 6.0, xtol=5e-3))
    excess(coefficient)
    return sample.describe(coefficient, direct)


class _Sample:
    """Patients of the training split, drawn once, whose outcome model is varied."""

    def __init__(self, model: PopulationModel, n: int, seed: int) -> None:
        cases, factors = draw_patients(model, SPLIT, n, np.random.default_rng(seed))
        self.aggressiveness = factors[AGGRESSIVENESS]
        self.design = design_matrix(model, cases)
        plan = split_plan(model.study).loc[SPLIT]
        self.n_positive = round(n * float(plan["positive"] / plan["n"]))

    def log_odds(self, coefficient: float, direct: np.ndarray) -> np.ndarray:
        eta = coefficient * self.aggressiveness.to_numpy() + self.design.to_numpy() @ direct
        return eta + intercept_for(eta, self.n_positive)

    def regress(self, probability: np.ndarray) -> np.ndarray:
        """Coefficients of the logistic regression of expected labels, the intercept left out."""
        scale = self.design.to_numpy().std(axis=0)
        exog = sm.add_constant(self.design.to_numpy() / scale)
        return sm.GLM(probability, exog, family=sm.families.Binomial()).fit().params[1:] / scale

    def match(self, coefficient: float, start: np.ndarray, target: np.ndarray) -> np.ndarray:
        direct = start
        for _ in range(30):
            missed = target - self.regress(expit(self.log_odds(coefficient, direct)))
            if np.abs(missed * self.design.to_numpy().std(axis=0)).max() < 1e-4:
                break
            # at first order the regression moves by 1 / shrinkage of what the effect moves by
            direct = direct + missed * np.sqrt(1 + 0.346 * coefficient**2)
        return direct

    def describe(self, coefficient: float, direct: np.ndarray) -> Calibration:
        log_odds = self.log_odds(coefficient, direct)
        probability = pd.Series(expit(log_odds))
        regression = self.regress(probability.to_numpy())
        names = list(self.design.columns)
        return Calibration(
            aggressiveness=coefficient,
            direct=dict(zip(names, direct.tolist(), strict=True)),
            regression=dict(zip(names, regression.tolist(), strict=True)),
            auc_oracle=expected_auc(pd.Series(log_odds), probability),
            auc_aggressiveness=expected_auc(self.aggressiveness, probability),
            auc_clinical=expected_auc(pd.Series(self.design.to_numpy() @ regression), probability),
        )
