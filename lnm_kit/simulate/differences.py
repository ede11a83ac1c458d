"""Differences between patients with and without the label: as printed, and as a model implies."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize
from scipy.special import expit

from lnm_kit.published import published_counts, published_mean_sd, published_splits
from lnm_kit.simulate.model import AGGRESSIVENESS, Outcome, PopulationModel, design_matrix
from lnm_kit.simulate.population import draw_patients
from lnm_kit.simulate.sampling import intercept_for
from lnm_kit.simulate.truth import expected_auc


@dataclass(frozen=True)
class Implied:
    """What an outcome model implies in a very large cohort.

    Attributes
    ----------
    differences
        As `published_differences`.
    auc_oracle, auc_aggressiveness
        Expected AUC of the true probability and of the aggressiveness alone, by split.
    """

    differences: dict[str, float]
    auc_oracle: dict[str, float]
    auc_aggressiveness: dict[str, float]


def published_differences(model: PopulationModel) -> dict[str, float]:
    """How the printed Table 1 differs by label, one number for each effect of the outcome.

    `column=level`: the logarithm of the Mantel-Haenszel odds ratio over the splits. `column`:
    the difference of means (positive minus negative), splits weighted by n0 n1 / n.

    *Source*: Mantel and Haenszel, J. Natl. Cancer Inst. 22 (1959) 719-748.

    Raises
    ------
    InputError
        When Table 1 does not print the labels apart.

    Examples
    --------
    >>> from lnm_kit.simulate.model import population_model
    >>> differences = published_differences(population_model("lvlnm"))
    >>> round(float(np.exp(differences["sex=male"])), 2)  # odds ratios 2.4, 1.1 and 1.7
    1.77
    """
    splits = list(published_splits(model.study).index)
    means = np.array(
        [
            [[_printed_mean(model.study, name, s, label) for name in model.outcome.direct]]
            for s in splits
            for label in (0, 1)
        ]
    ).reshape(len(splits), 2, -1)
    return _pooled(model, means)


def implied(model: PopulationModel, *, n: int, seed: int) -> Implied:
    """Work out what the model's own constants imply in n patients of every split.

    Expected labels (probabilities) are used, so that only the patients are random.
    """
    cohort = _Cohort(model, n, seed)
    direct = np.array(list(model.outcome.direct.values()))
    return cohort.describe(model.outcome.aggressiveness, direct)


def calibrate_differences(
    model: PopulationModel, *, auc_oracle: float, n: int, seed: int
) -> Outcome:
    """Find the outcome whose implied differences are the printed ones.

    The coefficient of the aggressiveness is the one that gives the truth the expected AUC
    `auc_oracle` in training. Slow: a minute at n = 50,000.
    """
    cohort = _Cohort(model, n, seed)
    target = np.array(list(published_differences(model).values()))
    direct = np.zeros(len(target))

    def excess(coefficient: float) -> float:
        nonlocal direct

        def missed(effects: np.ndarray) -> np.ndarray:
            found = cohort.describe(coefficient, effects / cohort.scale).differences
            weight = np.where(["=" in name for name in found], 1.0, 1 / cohort.scale)
            return (np.array(list(found.values())) - target) * weight

        direct = optimize.least_squares(missed, direct, xtol=1e-6).x
        described = cohort.describe(coefficient, direct / cohort.scale)
        return described.auc_oracle["training"] - auc_oracle

    coefficient = float(optimize.brentq(excess, 0.2, 5.0, xtol=5e-3))
    excess(coefficient)
    found = dict(zip(model.outcome.direct, (direct / cohort.scale).tolist(), strict=True))
    return model.outcome.model_copy(update={"aggressiveness": coefficient, "direct": found})


class _Cohort:
    """Patients of every split, drawn once, whose outcome model is varied."""

    def __init__(self, model: PopulationModel, n: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.model, self.aggressiveness, self.designs, self.positives = model, [], [], []
        for split, printed in published_splits(model.study).iterrows():
            cases, hidden = draw_patients(model, str(split), n, rng)
            self.aggressiveness.append(hidden[AGGRESSIVENESS].to_numpy())
            self.designs.append(design_matrix(model, cases).to_numpy())
            self.positives.append(round(n * float(printed["positive"] / printed["n"])))
        self.scale = np.concatenate(self.designs).std(axis=0)

    def describe(self, coefficient: float, direct: np.ndarray) -> Implied:
        means, oracle, latent = [], {}, {}
        splits = published_splits(self.model.study).index
        for split, z, design, n_positive in zip(
            splits, self.aggressiveness, self.designs, self.positives, strict=True
        ):
            log_odds = coefficient * z + design @ direct
            probability = expit(log_odds + intercept_for(log_odds, n_positive))
            means.append(
                [np.average(design, axis=0, weights=w) for w in (1 - probability, probability)]
            )
            expected = pd.Series(probability)
            oracle[str(split)] = expected_auc(expected, expected)
            latent[str(split)] = expected_auc(pd.Series(z), expected)
        return Implied(_pooled(self.model, np.array(means)), oracle, latent)


def _printed_mean(study: str, name: str, split: str, label: int) -> float:
    """Mean of a column, or share of a level, among the patients of a split with that label."""
    column, _, level = name.partition("=")
    if level:
        counts = published_counts(study, column, split, label=label)
        return counts[level] / sum(counts.values())
    printed = published_mean_sd(study, column, split, label=label)
    if printed is None:
        raise ValueError(f"{column}: Table 1 prints no mean")
    return printed.mean.value


def _pooled(model: PopulationModel, means: np.ndarray) -> dict[str, float]:
    """Pool means (splits, labels, effects) to one difference per effect."""
    plan = published_splits(model.study)
    n0, n1 = plan["negative"].to_numpy(), plan["positive"].to_numpy()
    pooled = {}
    for number, name in enumerate(model.outcome.direct):
        m0, m1 = means[:, 0, number], means[:, 1, number]
        weight = n0 * n1 / (n0 + n1)
        if "=" in name:
            odds_ratio = (weight * m1 * (1 - m0)).sum() / (weight * (1 - m1) * m0).sum()
            pooled[name] = float(np.log(odds_ratio))
        else:
            pooled[name] = float((weight * (m1 - m0)).sum() / weight.sum())
    return pooled
