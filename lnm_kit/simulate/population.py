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
from lnm_kit.simulate.model import Outcome, PopulationModel, Variable, population_model
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
        Where a case is a nodule, patients with several have as many rows, one after the other.
        `label_lateral` is a second label, where the study has one, drawn in the same way.
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
    n_patients = 0
    for number, (split, plan) in enumerate(split_plan(study, size).iterrows()):
        stream = np.random.SeedSequence([seed, number])
        for_patients, for_labels = (np.random.default_rng(part) for part in stream.spawn(2))
        cases, hidden = draw_patients(model, str(split), int(plan["n"]), for_patients)
        owner = np.arange(len(cases))
        if model.patients:
            owner = nodules_to_patients(len(cases), int(plan["patients"]), for_patients)
            for variable in model.variables:
                if variable.of_patient:
                    cases[variable.column] = cases[variable.column].to_numpy()[owner]
        truth_columns: dict[str, np.ndarray] = {}
        labels: dict[str, np.ndarray] = {}
        for suffix, outcome in outcomes(model).items():
            n_positive = int(plan[f"positive{suffix}"])
            log_odds = signal * linear_predictor(model, cases, hidden, outcome).to_numpy()
            log_odds += intercept_for(log_odds, n_positive)
            probability = 1 / (1 + np.exp(-log_odds))
            labels[f"label{suffix}"] = draw_labels(probability, n_positive, for_labels)
            truth_columns[f"log_odds{suffix}"] = log_odds
            truth_columns[f"probability{suffix}"] = inclusion_probability(log_odds, n_positive)
        for name, label in reversed(list(labels.items())):
            cases.insert(0, name, label)
        cases.insert(0, "split", str(split))
        cases.insert(0, "center", model.centers[str(split)])
        cases.insert(0, "patient_id", n_patients + owner)
        n_patients += len(np.unique(owner))
        order = np.argsort(owner, kind="stable")
        hidden = hidden.assign(**truth_columns)
        parts.append((cases.iloc[order], hidden.iloc[order]))
    cases = pd.concat([part[0] for part in parts], ignore_index=True)
    truth = pd.concat([part[1] for part in parts], ignore_index=True)
    width = max(4, len(str(len(cases))))
    numbers = [f"{number:0{width}d}" for number in range(1, len(cases) + 1)]
    ids = pd.Index([f"sim-{study}-{number}" for number in numbers], name="case_id")
    cases["patient_id"] = [f"sim-patient-{1 + at:0{width}d}" for at in cases["patient_id"]]
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


def outcomes(model: PopulationModel) -> dict[str, Outcome]:
    """Name the outcomes of a study by what their columns end in: "" and, of two, "_lateral"."""
    return {"": model.outcome} | ({} if model.lateral is None else {"_lateral": model.lateral})


def nodules_to_patients(n: int, n_patients: int, rng: np.random.Generator) -> np.ndarray:
    """Give n nodules to patients, each of whom has one at least; (n,) numbers of patients.

    The first nodules are one of each patient, the others go to patients by chance.

    Examples
    --------
    >>> owner = nodules_to_patients(10, 8, np.random.default_rng(0))
    >>> len(owner), len(set(owner.tolist()))
    (10, 8)
    """
    return np.concatenate([np.arange(n_patients), rng.integers(n_patients, size=n - n_patients)])


def split_plan(study: str, size: float = 1.0) -> pd.DataFrame:
    """Cases and positives of every split at a size: index `split`, columns `n`, `positive`.

    Studies whose cases are nodules have `patients`, those with a second label `positive_lateral`.

    Examples
    --------
    >>> split_plan("llnm", 0.12).loc["training"].to_dict()
    {'n': 105, 'positive': 20}
    """
    plan = published_splits(study).reindex(columns=["n", "positive"])
    positives = pd.Series(population_model(study).positives, dtype=float)
    plan["positive"] = plan["positive"].fillna(positives)
    model = population_model(study)
    if model.lateral is not None:
        plan["positive_lateral"] = pd.Series(model.positives_lateral)
    if model.patients:
        plan["patients"] = pd.Series(model.patients)
    plan = plan.astype("int64")
    if size == 1.0:
        return plan
    for split, printed in plan.iterrows():
        least = FEWEST_POSITIVES.get(str(split), FEWEST_POSITIVES_ELSEWHERE)
        positive = max(round(size * printed["positive"]), min(least, printed["positive"]))
        plan.loc[split, "positive"] = positive
        n = max(round(size * printed["n"]), PATIENTS_PER_POSITIVE * least)
        plan.loc[split, "n"] = n
        if "positive_lateral" in plan:
            lateral = max(round(size * printed["positive_lateral"]), least)
            plan.loc[split, "positive_lateral"] = min(lateral, n // PATIENTS_PER_POSITIVE)
        if "patients" in plan:
            plan.loc[split, "patients"] = round(n * printed["patients"] / printed["n"])
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
    if variable.mean is not None and variable.sd is not None:
        return assign_values(
            variable, score, counts, rng, mean=variable.mean, sd=variable.sd, fit=False
        )
    quartiles = published_quartiles(study, variable.column, split)
    if quartiles is not None:
        first, median, third = quartiles.first, quartiles.median, quartiles.third
        return assign_between_quartiles(
            variable, score, rng, first=first.value, median=median.value, third=third.value
        )
    printed = published_mean_sd(study, variable.column, split)
    if printed is None:
        raise ValueError(f"{variable.column}: no mean and SD, neither published nor specified")
    mean, sd = printed.mean.value, printed.sd.value
    return assign_values(variable, score, counts, rng, mean=mean, sd=sd, fit=True)


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
