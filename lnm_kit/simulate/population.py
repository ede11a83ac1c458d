"""Simulated patients with a paper's counts and marginals, and the truth that made their labels."""

import numpy as np
import pandas as pd

from lnm_kit.errors import InputError
from lnm_kit.published import (
    published_counts,
    published_mean_sd,
    published_quartiles,
    published_splits,
)
from lnm_kit.simulate.marginals import (
    assign_between_quartiles,
    assign_levels,
    assign_values,
    scale_counts,
)
from lnm_kit.simulate.model import AGGRESSIVENESS, PopulationModel, Variable, population_model
from lnm_kit.simulate.sampling import draw_labels, inclusion_probability, intercept_for
from lnm_kit.simulate.truth import linear_predictor

# Small cohorts keep enough positives for ten folds of training and for an AUC elsewhere, and at
# least three times as many patients.
FEWEST_POSITIVES = {"training": 20}
FEWEST_POSITIVES_ELSEWHERE = 10
PATIENTS_PER_POSITIVE = 3
LARGEST_SIZE = 10.0
LARGEST_SIGNAL = 2.0


def simulate_population(
    study: str, *, seed: int, signal: float, size: float = 1.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    r"""Draw a study's patients: clinical columns, labels, and the truth behind them.

    A latent aggressiveness z ~ N(0, 1) drives clinical values by a Gaussian copula: every column
    has a latent score that correlates with z, and is filled by the rank of that score, so that
    each split has exactly the published counts, and the published means and SDs or quartiles.
    The label of case i is positive with

    .. math:: \operatorname{logit} P(y_i = 1) = a + \mathrm{signal}\,(b_z z_i + \sum_j b_j x_{ij})

    where the intercept a of a split makes the expected number of positives the published one;
    labels are then drawn given exactly that number. Patients do not depend on `signal`: two
    cohorts with one seed differ in their labels only.

    Parameters
    ----------
    study
        Name of a study, e.g. `llnm`.
    seed
        0 or larger; everything follows from it.
    signal
        1: the published associations. 0: labels depend on nothing. At most 2.
    size
        Patients, relative to the study. Below 1 positives become relatively more frequent: at
        least 20 in training and 10 in every other split. At most 10.

    Returns
    -------
    cases
        Index `case_id`; `patient_id, center, split, label` (1 = positive), clinical columns.
    truth
        Index `case_id`; `aggressiveness` and the other factors; what the images show and no
        clinical column records (where the study has such); `log_odds` (with intercept);
        `probability`, the probability of being positive *given the split's number of positives*
        (it adds up to that number; n_positive / n for everybody at signal 0).

    Raises
    ------
    InputError
        When an argument is out of its range.

    Examples
    --------
    >>> cases, truth = simulate_population("llnm", seed=1, signal=1.0, size=0.12)
    >>> cases.groupby("split", sort=False)["label"].sum().to_dict()
    {'training': 20, 'validation': 10, 'test_a': 10, 'test_b': 10}
    >>> round(float(truth["probability"].sum()), 6)
    50.0
    """
    check_simulation(study, seed=seed, signal=signal, size=size)
    model = population_model(study)
    parts = []
    for number, (split, plan) in enumerate(split_plan(study, size).iterrows()):
        stream = np.random.SeedSequence([seed, number])
        for_patients, for_labels = (np.random.default_rng(part) for part in stream.spawn(2))
        cases, hidden = draw_patients(model, str(split), int(plan["n"]), for_patients)
        log_odds = signal * linear_predictor(model, cases, hidden[AGGRESSIVENESS]).to_numpy()
        log_odds += intercept_for(log_odds, int(plan["positive"]))
        probability = 1 / (1 + np.exp(-log_odds))
        cases.insert(0, "label", draw_labels(probability, int(plan["positive"]), for_labels))
        cases.insert(0, "split", str(split))
        cases.insert(0, "center", model.centers[str(split)])
        exact = inclusion_probability(log_odds, int(plan["positive"]))
        parts.append((cases, hidden.assign(log_odds=log_odds, probability=exact)))
    cases = pd.concat([part[0] for part in parts], ignore_index=True)
    truth = pd.concat([part[1] for part in parts], ignore_index=True)
    width = max(4, len(str(len(cases))))
    numbers = [f"{number:0{width}d}" for number in range(1, len(cases) + 1)]
    ids = pd.Index([f"sim-{study}-{number}" for number in numbers], name="case_id")
    cases.insert(0, "patient_id", [f"sim-patient-{number}" for number in numbers])
    return cases.set_index(ids), truth.set_index(ids)


def check_simulation(study: str, *, seed: int, signal: float, size: float) -> None:
    """Check the arguments of a simulation; all that are wrong are told together.

    Raises
    ------
    InputError
        When the study cannot be simulated, or a number is out of its range.

    Examples
    --------
    >>> check_simulation("llnm", seed=-1, signal=3.0, size=1.0)
    Traceback (most recent call last):
    lnm_kit.errors.InputError: seed is -1; allowed: 0 or larger ...
    """
    problems = []
    try:
        population_model(study)
    except InputError as error:
        problems.append(str(error))
    if seed < 0:
        problems.append(f"seed is {seed}; allowed: 0 or larger.")
    if not 0 <= signal <= LARGEST_SIGNAL:
        problems.append(
            f"signal is {signal}; allowed: 0 (labels depend on nothing) to {LARGEST_SIGNAL:g}."
        )
    if not 0 < size <= LARGEST_SIZE:
        problems.append(f"size is {size}; allowed: above 0, at most {LARGEST_SIZE:g}.")
    if problems:
        raise InputError(" ".join(problems))


def split_plan(study: str, size: float = 1.0) -> pd.DataFrame:
    """Patients and positives of every split at a size: index `split`, columns `n`, `positive`.

    Examples
    --------
    >>> split_plan("llnm", 0.12).loc["training"].to_dict()
    {'n': 105, 'positive': 20}
    """
    plan = published_splits(study).reindex(columns=["n", "positive"])
    positives = pd.Series(population_model(study).positives, dtype=float)
    plan["positive"] = plan["positive"].fillna(positives)
    plan = plan.astype("int64")
    if size == 1.0:
        return plan
    for split, printed in plan.iterrows():
        least = FEWEST_POSITIVES.get(str(split), FEWEST_POSITIVES_ELSEWHERE)
        positive = max(round(size * printed["positive"]), min(least, printed["positive"]))
        plan.loc[split, "positive"] = positive
        plan.loc[split, "n"] = max(round(size * printed["n"]), PATIENTS_PER_POSITIVE * least)
    return plan


def draw_patients(
    model: PopulationModel, split: str, n: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw n patients of a split without labels.

    Returns the clinical columns (n, variables), with the published counts scaled to n, and what
    no clinical column tells: factors and unrecorded variables.
    """
    drawn = rng.standard_normal((n, len(model.factors)))
    hidden = dict(zip(model.factors, drawn.T, strict=True))
    columns: dict[str, np.ndarray] = {}
    for variable in (*model.variables, *model.unrecorded):
        loading = pd.Series(variable.loadings, dtype=float).reindex(model.factors).fillna(0.0)
        rest = np.sqrt(max(1 - (loading**2).sum(), 0.0))
        score = drawn @ loading.to_numpy() + rest * rng.standard_normal(n)
        table = hidden if variable in model.unrecorded else columns
        table[variable.column] = _column(model.study, variable, split, score, rng)
    return pd.DataFrame(columns), pd.DataFrame(hidden)


def _column(
    study: str, variable: Variable, split: str, score: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    n = len(score)
    counts = _level_counts(study, variable, split, n)
    if variable.family == "categorical":
        levels = np.array(variable.levels)
        named = levels.astype(np.int64) if variable.integer else levels.astype(object)
        return named[assign_levels(score, counts)]
    quartiles = published_quartiles(study, variable.column, split)
    if quartiles is not None:
        first, median, third = quartiles.first, quartiles.median, quartiles.third
        return assign_between_quartiles(
            variable, score, rng, first=first.value, median=median.value, third=third.value
        )
    printed_curve = published_mean_sd(study, variable.column, split)
    if printed_curve is None:
        if variable.mean is None or variable.sd is None:
            raise ValueError(f"{variable.column}: no mean and SD, neither published nor specified")
        mean, sd = variable.mean, variable.sd
    else:
        mean, sd = printed_curve.mean.value, printed_curve.sd.value
    fit = printed_curve is not None
    return assign_values(variable, score, counts, rng, mean=mean, sd=sd, fit=fit)


def _level_counts(study: str, variable: Variable, split: str, n: int) -> list[int]:
    """Cases of each level, from low to high score; all of them where there are no levels."""
    if not variable.levels:
        return [n]
    if variable.shares:
        known = dict(zip(variable.levels, variable.shares, strict=True))
    else:
        printed = published_counts(study, variable.column, split)
        known = {level: printed[level] for level in variable.levels}
    return list(scale_counts(known, n).values())
