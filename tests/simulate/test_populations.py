"""What holds for the populations of every study, and what is special to LVLNM and occult CLNM."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from lnm_kit.published import (
    published_counts,
    published_mean_sd,
    published_quartiles,
    published_splits,
    published_table,
)
from lnm_kit.simulate.calibration import verify
from lnm_kit.simulate.model import population_model
from lnm_kit.simulate.population import draw_patients, simulate_population, split_plan
from lnm_kit.simulate.sampling import intercept_for
from lnm_kit.simulate.truth import linear_predictor, oracle_auc

STUDIES = ["lvlnm", "clnm"]
SPLITS = ["training", "validation", "test"]
POSITIVES = {"lvlnm": [35, 22, 63], "clnm": [104, 34, 19]}
PATIENTS = {"lvlnm": [350, 150, 354], "clnm": [265, 114, 82]}
BEST_AUC = {"lvlnm": 0.839, "clnm": 0.900}


@pytest.fixture(scope="module")
def simulated() -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    return {study: simulate_population(study, seed=11, signal=1.0) for study in STUDIES}


@pytest.mark.parametrize("study", STUDIES)
def test_splits_have_their_patients_positives_and_center(simulated, study):
    cases, truth = simulated[study]
    found = cases.groupby("split", sort=False)["label"].agg(n="size", positive="sum")
    assert list(found.index) == SPLITS
    assert found["n"].to_list() == PATIENTS[study] == published_splits(study)["n"].to_list()
    assert found["positive"].to_list() == POSITIVES[study]
    external = {"lvlnm": "center_2", "clnm": "center_3"}[study]
    centers = cases.groupby("split", sort=False)["center"].unique().map(list).to_list()
    assert centers == [["center_1"], ["center_1"], [external]]
    assert truth.groupby(cases["split"], sort=False)["probability"].sum().to_numpy() == (
        pytest.approx(POSITIVES[study], abs=1e-6)
    )


@pytest.mark.parametrize("study", STUDIES)
def test_no_patient_is_in_two_rows_and_nothing_is_missing(simulated, study):
    cases, truth = simulated[study]
    assert cases["patient_id"].is_unique
    assert cases.index.is_unique
    assert truth.index.equals(cases.index)
    assert not cases.isna().any(axis=None)
    assert not truth.isna().any(axis=None)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    ("study", "column"),
    [(s, v.column) for s in STUDIES for v in population_model(s).variables if v.levels],
)
def test_every_level_has_its_published_count(simulated, study, column, split):
    cases, _ = simulated[study]
    found = cases.loc[cases["split"] == split, column].astype(str).value_counts()
    expected = published_counts(study, column, split)
    assert found.reindex(list(expected), fill_value=0).to_dict() == expected


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(("column", "tolerance"), [("age_years", 0.1), ("tumor_size_cm", 0.005)])
def test_means_and_sds_are_those_of_both_labels_together(simulated, column, tolerance, split):
    cases, _ = simulated["lvlnm"]
    values = cases.loc[cases["split"] == split, column]
    printed = published_mean_sd("lvlnm", column, split)
    assert values.mean() == pytest.approx(printed.mean.value, abs=tolerance)
    assert values.std() == pytest.approx(printed.sd.value, abs=tolerance)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    ("column", "tolerance"), [("age_years", 1.0), ("tumor_size_cm", 0.01), ("aspect_ratio", 0.02)]
)
def test_quartiles_are_the_published_ones(simulated, column, tolerance, split):
    cases, _ = simulated["clnm"]
    found = cases.loc[cases["split"] == split, column].quantile([0.25, 0.5, 0.75])
    printed = published_quartiles("clnm", column, split)
    expected = [printed.first.value, printed.median.value, printed.third.value]
    assert found.to_list() == pytest.approx(expected, abs=tolerance)


def test_microcarcinomas_are_at_most_one_centimeter_and_solitary(simulated):
    cases, _ = simulated["clnm"]
    assert cases["tumor_size_cm"].between(0.3, 1.0).all()
    assert "n_foci" not in cases


def test_what_leaves_the_thyroid_interrupts_the_capsule_and_touches_it(simulated):
    cases, _ = simulated["clnm"]
    assert (cases["ete"] <= cases["discontinuous_capsule"]).all()
    assert (cases["discontinuous_capsule"] <= cases["capsular_contact"]).all()


def test_what_images_show_and_no_column_records_is_in_the_truth(simulated):
    cases, truth = simulated["lvlnm"]
    unrecorded = population_model("lvlnm").unrecorded
    assert {"location", "margin", "echogenicity"} <= {variable.column for variable in unrecorded}
    for variable in unrecorded:
        assert variable.column not in cases
        shares = truth[variable.column].astype(str).value_counts(normalize=True)
        expected = dict(zip(variable.levels, variable.shares, strict=True))
        assert shares.reindex(variable.levels).to_dict() == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("study", STUDIES)
def test_the_oracle_is_above_the_best_of_the_paper(study):
    cohorts = [simulate_population(study, seed=seed, signal=1.0) for seed in range(8)]
    expected = {"lvlnm": 0.895, "clnm": 0.926}[study]
    for split, near in (("training", 0.02), ("validation", 0.04), ("test", 0.04)):
        mean = np.mean([oracle_auc(*cohort, split) for cohort in cohorts])
        assert mean == pytest.approx(expected, abs=near), split
        assert mean > BEST_AUC[study] - 0.01


@pytest.mark.parametrize("study", STUDIES)
def test_without_signal_the_labels_depend_on_nothing(study):
    cases, truth = simulate_population(study, seed=2, signal=0.0)
    strong, _ = simulate_population(study, seed=2, signal=1.0)
    pd.testing.assert_frame_equal(cases.drop(columns="label"), strong.drop(columns="label"))
    for split, plan in split_plan(study).iterrows():
        of_split = truth.loc[cases["split"] == split, "probability"]
        assert of_split.nunique() == 1
        assert of_split.iloc[0] == pytest.approx(plan["positive"] / plan["n"])
        assert oracle_auc(cases, truth, str(split)) == 0.5


@pytest.mark.parametrize("study", STUDIES)
def test_without_signal_the_aggressiveness_guesses(study):
    aucs = []
    for seed in range(12):
        cases, truth = simulate_population(study, seed=seed, signal=0.0, size=0.2)
        training = cases["split"] == "training"
        latent = truth.loc[training, "aggressiveness"]
        aucs.append(roc_auc_score(cases.loc[training, "label"], latent))
    plan = split_plan(study, 0.2).loc["training"]
    k, n = int(plan["positive"]), int(plan["n"])
    spread = np.sqrt((n + 1) / (12 * k * (n - k)))
    assert np.mean(aucs) == pytest.approx(0.5, abs=3.5 * spread / np.sqrt(12))


@pytest.mark.parametrize("study", STUDIES)
@pytest.mark.parametrize("size", [0.05, 0.5, 2.0])
def test_sizes_scale_and_keep_enough_positives(study, size):
    plan = split_plan(study, size)
    assert plan.loc["training", "positive"] >= 20
    assert (plan["positive"] >= 10).all()
    cases, _ = simulate_population(study, seed=0, signal=1.0, size=size)
    found = cases.groupby("split", sort=False)["label"].agg(n="size", positive="sum")
    assert found.to_dict() == plan.to_dict()


def hanley_mcneil(auc: float, k: np.ndarray, m: np.ndarray) -> np.ndarray:
    """Standard error of an AUC of k positives and m negatives (Hanley and McNeil 1982, eq. 1)."""
    one, two = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = auc * (1 - auc) + (k - 1) * (one - auc**2) + (m - 1) * (two - auc**2)
    return np.sqrt(variance / (k * m))


@pytest.mark.parametrize("split", SPLITS)
def test_the_positives_of_clnm_are_those_that_its_intervals_tell(split):
    n = int(published_splits("clnm").loc[split, "n"])
    k = np.arange(5, n // 2)
    missed = np.zeros(len(k))
    for row in published_table("clnm", "aucs").query("split == @split").itertuples():
        lo, hi = (float(end) for end in row.auc_ci.split("–"))
        expected = hanley_mcneil(float(row.auc), k, n - k)
        missed += np.log(expected / ((hi - lo) / (2 * 1.959964))) ** 2
    assert population_model("clnm").positives[split] == k[missed.argmin()]


def test_the_stored_constants_of_clnm_imply_what_the_specification_says():
    model = population_model("clnm")
    found = verify(model, n=60_000, seed=77)
    assert found.auc_oracle == pytest.approx(0.926, abs=0.004)
    assert found.auc_aggressiveness == pytest.approx(0.92, abs=0.004)
    for name, target in model.outcome.targets.items():
        assert found.regression[name] == pytest.approx(target, rel=0.1), name


def test_the_thirteen_indicators_reach_about_the_clinical_model_of_the_paper():
    model, n = population_model("clnm"), 20_000
    rng = np.random.default_rng(3)
    cases, hidden = draw_patients(model, "training", n, rng)
    eta = linear_predictor(model, cases, hidden["aggressiveness"]).to_numpy()
    label = rng.uniform(size=n) < expit(eta + intercept_for(eta, n * 104 // 265))
    words = {name: str for name in cases if cases[name].dtype == "int64"}
    design = StandardScaler().fit_transform(pd.get_dummies(cases.astype(words), drop_first=True))
    fit = LogisticRegression(max_iter=300).fit(design[: n // 2], label[: n // 2])
    auc = roc_auc_score(label[n // 2 :], fit.decision_function(design[n // 2 :]))
    # the paper: 0.720, 0.704 and 0.671
    assert auc == pytest.approx(0.71, abs=0.02)
