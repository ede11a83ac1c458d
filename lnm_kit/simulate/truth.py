"""The known truth behind simulated labels: who was how likely to be positive."""

from typing import Literal

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from lnm_kit.errors import InputError, one_of
from lnm_kit.simulate.model import AGGRESSIVENESS, Outcome, PopulationModel, design_matrix

_LOG = (
    "nodule_diameter_mm",
    "nodule_irregularity",
    "nodule_heterogeneity",
    "ct_heterogeneity_hu",
    "ct_edge_mm",
)
_SHAPE = ("nodule_diameter_mm", "nodule_aspect", "nodule_contact")

SHOWN = {
    "us": (
        *_SHAPE,
        "nodule_irregularity",
        "nodule_echo_db",
        "nodule_heterogeneity",
        "nodule_calcification_count",
    ),
    "ct": (
        *_SHAPE,
        "ct_gland_hu",
        "ct_nodule_hu",
        "ct_heterogeneity_hu",
        "ct_edge_mm",
        "ct_stranding",
    ),
}
"""Columns of the truth that the images of a modality show. The shape is in both, but the roughness
of the outline is finer than the pixels of CT."""


def drawn_quantities(truth: pd.DataFrame, modality: Literal["us", "ct"]) -> pd.DataFrame:
    """Take what was drawn into the images of a modality, float (n, columns of `SHOWN`).

    A regression of the label on these is a reader who measures everything in the images without
    error: what a network can reach at best. Positive quantities that were drawn on a logarithmic
    scale are given as logarithms.

    Parameters
    ----------
    truth
        Of a simulated cohort with ultrasound and CT.
    modality
        Whose images.

    Raises
    ------
    InputError
        An unknown modality, or columns that the truth lacks; all are listed.

    Examples
    --------
    >>> drawn_quantities(pd.DataFrame({"nodule_aspect": [1.0]}), "us")
    Traceback (most recent call last):
    lnm_kit.errors.InputError: truth: columns are missing: nodule_diameter_mm, ...
    """
    columns = list(SHOWN[one_of("modality", modality, tuple(SHOWN))])
    missing = [column for column in columns if column not in truth]
    if missing:
        raise InputError(f"truth: columns are missing: {', '.join(missing)}.")
    drawn = truth[columns].astype(float)
    logged = [column for column in columns if column in _LOG]
    drawn[logged] = np.log(drawn[logged])
    return drawn


def linear_predictor(
    model: PopulationModel,
    cases: pd.DataFrame,
    latent: pd.Series | pd.DataFrame,
    outcome: Outcome | None = None,
) -> pd.Series:
    r"""Log odds of the label at signal 1, without the intercept: :math:`b_z z + \sum_j b_j x_j`.

    Shape (n,), on the index of `cases`. `latent` is the aggressiveness, or all factors by name
    where more than one has an effect. `outcome` is the model's first unless given.
    """
    outcome = outcome or model.outcome
    design = design_matrix(model, cases, outcome)
    direct = pd.Series(outcome.direct).reindex(design.columns).fillna(0.0)
    factors = latent.to_frame(AGGRESSIVENESS) if isinstance(latent, pd.Series) else latent
    effects = {AGGRESSIVENESS: outcome.aggressiveness, **outcome.factors}
    sum_of_factors = factors[list(effects)] @ pd.Series(effects)
    total: pd.Series = sum_of_factors + design @ direct
    return total


def expected_auc(score: pd.Series, probability: pd.Series) -> float:
    """AUC of a score for labels that are 1 with these probabilities, averaged over the labels.

    Every case counts as positive with weight p and as negative with weight 1 - p. (The pair of a
    case with itself counts half; with n cases that moves the value by the order of 1/n.)

    Examples
    --------
    >>> expected_auc(pd.Series([0.0, 1.0]), pd.Series([0.0, 1.0]))
    1.0
    """
    label = np.repeat([1, 0], len(score))
    weight = np.concatenate([probability, 1 - probability])
    return float(roc_auc_score(label, np.tile(score, 2), sample_weight=weight))


def oracle_auc(
    cases: pd.DataFrame,
    truth: pd.DataFrame,
    split: str,
    *,
    score: Literal["probability", "aggressiveness"] = "probability",
    label: Literal["label", "label_lateral"] = "label",
) -> float:
    """AUC on the drawn labels of one who knows the truth: the best that can be expected.

    For an interval give `cases["label"]` and `truth["probability"]` to `evaluation.auc`.

    Parameters
    ----------
    cases
        Index case_id, columns `split` and `label` (0/1, 1 = positive).
    truth
        Index case_id, columns `probability` and `aggressiveness`.
    split
        Which split.
    score
        The probability (all that is known), or the latent aggressiveness alone.
    label
        Which label, of studies with two.

    Raises
    ------
    InputError
        When the split is not in the cases, or a case is missing in the truth.

    Examples
    --------
    >>> cases = pd.DataFrame({"split": "test_a", "label": [0, 1]}, index=["a", "b"])
    >>> oracle_auc(cases, pd.DataFrame({"probability": [0.1, 0.8]}, index=["a", "b"]), "test_a")
    1.0
    """
    one_of("split", split, sorted(cases["split"].unique()))
    chosen = cases[cases["split"] == split]
    missing = chosen.index.difference(truth.index)
    if len(missing):
        raise InputError(
            f"truth: {len(missing)} cases of split {split!r} are missing, the first is "
            f"{missing[0]!r}; cases and truth must be of one simulated cohort."
        )
    probability = f"probability{label.removeprefix('label')}"
    known = truth.loc[chosen.index, AGGRESSIVENESS if score == "aggressiveness" else probability]
    return float(roc_auc_score(chosen[label], known))
